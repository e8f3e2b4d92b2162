"""All SQL of the analytics area, one file per subject."""
