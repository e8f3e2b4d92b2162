"""What a shopper may be about to type."""
