"""What Stripe tells us: kept as it came, read once, and what people do about the rest."""
