"""The pages about what people do in the shop and what it earns."""
