"""What a query asks for: its slips, prices, refusals, brands, and other ways to say it."""
