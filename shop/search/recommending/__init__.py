"""What goes with a product, a cart and a person."""
