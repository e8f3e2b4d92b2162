"""What people do after a search, and what search learns from it."""
