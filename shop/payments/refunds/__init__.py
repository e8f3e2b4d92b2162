"""Money that goes back, once and never more than came."""
