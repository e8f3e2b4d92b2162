"""The whole generated shop: the same seed gives the same shop, and a smaller one is the beginning of a larger."""

from dataclasses import dataclass
from random import Random
from typing import Any

from devstack.seed.assortment import read_assortment
from devstack.seed.people import make_carts, make_users
from devstack.seed.products import make_product

SEED = 2026
PRODUCTS = 2000
USERS = 60
IMAGES_URL = "http://127.0.0.1:8002/images"  # where the stand-in for Product draws them


@dataclass(frozen=True)
class Shop:
    """Products, users and carts in the shapes of the neighbouring services."""

    products: list[dict[str, Any]]
    users: list[dict[str, Any]]
    carts: list[dict[str, Any]]


def generate_shop(seed: int = SEED, products: int = PRODUCTS, users: int = USERS, images_url: str = IMAGES_URL) -> Shop:
    """Return a shop of that many products and customers (two members of staff come on top).

    Products are `{id, name, description, category, brand, price, currency, stock, attributes, image_url, rating,
    rating_count, active}`: prices in euro cents, `rating` None where nobody rated.
    """
    goods = _products(seed, products, images_url)
    people = make_users(users, Random(f"{seed} users"))
    return Shop(goods, people, make_carts(people, goods, Random(f"{seed} carts")))


def _products(seed: int, count: int, images_url: str) -> list[dict[str, Any]]:
    leaves = read_assortment()
    taken: set[str] = set()
    return [
        _product(place, make_product(leaves[place % len(leaves)], Random(f"{seed} {place}"), taken), images_url)
        for place in range(count)
    ]


def _product(place: int, made: dict[str, Any], images_url: str) -> dict[str, Any]:
    product_id = f"prd_{place + 1:05}"
    return {"id": product_id, **made, "image_url": f"{images_url}/{product_id}.svg"}
