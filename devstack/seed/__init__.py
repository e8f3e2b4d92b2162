"""A believable shop made from nothing: products, people and their carts, the same for the same seed."""

from devstack.seed.shop import Shop, generate_shop

__all__ = ["Shop", "generate_shop"]
