"""The generated shop: always the same, believable, and loadable over HTTP."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import requests

from devstack.seed import Shop, generate_shop
from devstack.seed.load import Loaded, LoadError, load_shop
from devstack.stand_ins import auth, carts, products
from devstack.stand_ins.doors import serving

SENTENCE_END = re.compile(r"(?<=[.?]) (?=[A-Z])")
CATALOGUE_FIELDS = {
    *("id", "name", "description", "category", "brand", "price", "currency", "stock"),
    *("attributes", "image_url", "rating", "rating_count", "active"),
}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return generate_shop()


def test_the_same_seed_gives_the_same_shop_in_another_process_and_another_seed_another_one(tmp_path: Path):
    for name, hash_seed in (("a", "1"), ("b", "2")):
        command = [sys.executable, "-m", "devstack.seed", "--products", "300", "--out", str(tmp_path / name)]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": hash_seed}, capture_output=True, timeout=60)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    here = [json.loads(line) for line in (tmp_path / "a").read_text("utf-8").splitlines()]
    assert here == generate_shop(products=300).products
    assert generate_shop(seed=1, products=300).products != here


def test_a_small_shop_is_the_beginning_of_the_large_one(shop: Shop):
    assert generate_shop(products=50).products == shop.products[:50]


def test_two_thousand_products_have_names_and_descriptions_of_their_own(shop: Shop):
    assert len(shop.products) == 2000
    for field in ("id", "name", "description", "image_url"):
        assert len({product[field] for product in shop.products}) == 2000
    assert all(product.keys() == CATALOGUE_FIELDS for product in shop.products)


def test_no_sentence_is_heard_everywhere(shop: Shop):
    spoken = [SENTENCE_END.split(product["description"]) for product in shop.products]
    assert all(2 <= len(sentences) <= 6 for sentences in spoken)
    [(_sentence, times)] = Counter(one for sentences in spoken for one in set(sentences)).most_common(1)
    assert times <= 40  # two in a hundred
    assert not any("{" in text or "  " in text for sentences in spoken for text in sentences)


def test_every_leaf_category_is_well_filled_under_eight_departments(shop: Shop):
    leaves = Counter(product["category"] for product in shop.products)
    assert len(leaves) >= 25
    assert min(leaves.values()) >= 60
    assert len({leaf.split(" > ")[0] for leaf in leaves}) == 8
    assert all(leaf.count(" > ") == 2 for leaf in leaves)
    assert "Home & Kitchen > Coffee > Grinders" in leaves


def test_prices_are_whole_cents_with_the_endings_of_shops(shop: Shop):
    assert all(isinstance(product["price"], int) and 300 <= product["price"] <= 60_000 for product in shop.products)
    assert {product["price"] % 100 for product in shop.products} == {0, 29, 49, 50, 79, 90, 95, 99}
    assert {product["currency"] for product in shop.products} == {"eur"}


def test_a_bigger_size_costs_more_on_the_whole(shop: Shop):
    pots = [product for product in shop.products if product["name"].count("Plant Pot")]
    mean = {
        size: sum(prices) / len(prices)
        for size in ("14 cm", "30 cm")
        if (prices := [pot["price"] for pot in pots if pot["attributes"]["size"] == size])
    }
    assert mean["14 cm"] < mean["30 cm"]


def test_some_are_sold_out_some_nearly_and_ratings_lie_between_two_and_five(shop: Shop):
    stock = [product["stock"] for product in shop.products]
    assert 80 <= stock.count(0) <= 220
    assert 150 <= sum(1 <= left <= 5 for left in stock) <= 450
    rated = [product for product in shop.products if product["rating_count"]]
    assert all(2 <= product["rating"] < 5 for product in rated)
    assert all(product["rating"] is None for product in shop.products if not product["rating_count"])
    assert 0 < sum(not product["active"] for product in shop.products) < 60


def test_attributes_name_material_size_and_weight(shop: Shop):
    for product in shop.products:
        assert {"material", "size", "weight", "feature"} <= product["attributes"].keys()
        assert all(isinstance(value, str) for value in product["attributes"].values())


def test_users_live_at_example_domains_and_carts_hold_what_can_be_had(shop: Shop):
    goods = {product["id"]: product for product in shop.products}
    assert len(shop.users) == 62
    assert len({user["email"] for user in shop.users}) == 62
    assert all(re.search(r"@example\.(com|net|org)$", user["email"]) for user in shop.users)
    assert {cart["user_id"] for cart in shop.carts} <= {user["id"] for user in shop.users}
    lines = [line for cart in shop.carts for line in cart["lines"]]
    assert len(lines) > 40
    assert all(1 <= line["quantity"] <= goods[line["product_id"]]["stock"] for line in lines)


def test_the_shop_is_loaded_over_http_and_survives_a_reset(shop: Shop):
    with (
        serving(products.create_app()) as goods,
        serving(auth.create_app()) as people,
        serving(carts.create_app()) as baskets,
    ):
        addresses = {"products_url": goods.url, "auth_url": people.url, "carts_url": baskets.url}
        loaded = load_shop(shop, **addresses)
        counts = {"products": 2000, "users": 62, "carts": len(shop.carts)}
        assert loaded == {name: Loaded(count, 0) for name, count in counts.items()}
        for url in addresses.values():
            requests.post(f"{url}/standin/reset", timeout=5)
        shown = requests.get(f"{goods.url}/products/prd_00001", timeout=5).json()
        assert shown.items() >= shop.products[0].items()
        assert requests.get(f"{people.url}/users/usr_0001", timeout=5).json() == shop.users[0]
        cart = shop.carts[0]
        assert requests.get(f"{baskets.url}/carts/{cart['id']}", timeout=5).json() == cart


def test_a_refusal_names_the_address_and_the_line(shop: Shop):
    broken = Shop([*shop.products[:2], {**shop.products[2], "price": -1}], [], [])
    with serving(products.create_app()) as goods:
        with pytest.raises(LoadError, match=r"answered 422: .*line 3: price"):
            load_shop(broken, products_url=goods.url)
        assert requests.get(f"{goods.url}/products", timeout=5).json()["data"] == []
