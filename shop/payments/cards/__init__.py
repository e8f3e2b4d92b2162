"""Cards that customers asked us to remember, as tokens."""
