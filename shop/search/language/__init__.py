"""Words: how texts and queries become terms that can be compared."""
