"""The stand-in for Product: the catalogue, and stock that can be reserved, committed and given back."""

from devstack.stand_ins.products.app import create_app

__all__ = ["create_app"]
