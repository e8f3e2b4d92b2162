"""One revision per SQL file."""
