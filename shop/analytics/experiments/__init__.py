"""Who sees which variant, and what that proves."""
