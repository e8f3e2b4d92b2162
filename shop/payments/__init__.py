"""Orders and their money: from the cart to the ledger. docs/payments.md tells the story."""
