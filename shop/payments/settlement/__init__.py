"""Stripe's own books beside ours: movements, payouts, differences and decisions about them."""
