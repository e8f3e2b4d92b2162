"""Questions about what people do: funnels, retention, products, what is hot, what happens now."""
