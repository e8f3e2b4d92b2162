"""The people of the generated shop: customers, two members of staff, and what lies in the carts."""

import tomllib
from pathlib import Path
from random import Random
from typing import Any

NAMES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
# Reserved for examples by RFC 2606: no mail can ever reach a stranger.
DOMAINS = ("example.com", "example.net", "example.org")
STAFF = (
    {"id": "usr_admin", "email": "admin@example.com", "name": "Alex Keeper", "active": True},
    {"id": "usr_support", "email": "support@example.com", "name": "Sam Counter", "active": True},
)
FULL_CARTS = 0.7  # share of customers who left something in the cart


def make_users(count: int, dice: Random) -> list[dict[str, Any]]:
    """Return `count` customers and the staff, in the shape `{id, email, name, active}`."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{dice.choice(NAMES['first'])} {dice.choice(NAMES['last'])}"] = None
    return [_user(place, name, dice) for place, name in enumerate(names, start=1)] + [dict(member) for member in STAFF]


def make_carts(users: list[dict[str, Any]], products: list[dict[str, Any]], dice: Random) -> list[dict[str, Any]]:
    """Return a cart for most customers, with one to five products that can be had, and one empty cart."""
    wanted = [product for product in products if product["active"] and product["stock"] > 0]
    customers = [user for user in users if user["id"][-1].isdigit()]
    filled = [user for user in customers if dice.random() < FULL_CARTS]
    carts = [_cart(user, wanted, dice) for user in filled]
    if carts:
        carts[-1]["lines"] = []
    return carts


def _user(place: int, name: str, dice: Random) -> dict[str, Any]:
    address = name.lower().replace(" ", ".")
    return {
        "id": f"usr_{place:04}",
        "email": f"{address}@{dice.choice(DOMAINS)}",
        "name": name,
        "active": True,
    }


def _cart(user: dict[str, Any], wanted: list[dict[str, Any]], dice: Random) -> dict[str, Any]:
    chosen = dice.sample(wanted, min(len(wanted), dice.choice((1, 1, 2, 2, 3, 4, 5))))
    lines = [
        {"product_id": product["id"], "quantity": min(product["stock"], dice.choice((1, 1, 1, 2, 3)))}
        for product in chosen
    ]
    cart_id = user["id"].replace("usr_", "crt_")
    return {"id": cart_id, "user_id": user["id"], "currency": "eur", "lines": lines}
