"""Routes of orders, money and papers."""
