"""A day in the shop, played by customers through the public API alone."""
