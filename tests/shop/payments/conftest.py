"""The shop of these tests; see shopkeeper.py."""

from tests.shop.payments.shopkeeper import _shop

__all__ = ["_shop"]
