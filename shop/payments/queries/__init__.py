"""All SQL of this area: one statement, one function. Only these files write its tables."""
