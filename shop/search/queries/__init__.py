"""All SQL of search, one file per group of tables."""
