"""A day's figures, frozen once and drawn from there."""
