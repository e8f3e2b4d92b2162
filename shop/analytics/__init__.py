"""What visitors do and what the shop earned: events, trending, and reports whose money comes from the ledger alone."""
