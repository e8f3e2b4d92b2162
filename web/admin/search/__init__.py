"""The pages about search: trying it, deciding about it, and what it does."""
