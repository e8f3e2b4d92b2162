"""Suggestions over HTTP."""

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.search.suggesting.suggest import suggest
from tests.shop.search.made import products, stock


@pytest.fixture(name="shop")
def _shop(services: Services) -> Services:
    stock(services.db, products())
    suggest(services.db)
    return services


@pytest.mark.usefixtures("shop")
def test_anyone_gets_suggestions(client: FlaskClient) -> None:
    answer = client.get("/v1/search/suggest?q=red%20so&limit=3").get_json()
    assert [one["kind"] for one in answer["data"]] == ["product"] * 3
    assert set(answer["data"][0]) == {"text", "kind", "product_id"}
    assert client.get("/v1/search/suggest?q=hedph").get_json()["data"][0] == {"text": "Headphones", "kind": "category"}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("typed", ["%F0%9F%8E%A7", "'%3B--", "%D9%85%D8%B1", "a" * 200, "%25", "%5C"])
def test_odd_letters_get_an_answer(client: FlaskClient, typed: str) -> None:
    assert client.get(f"/v1/search/suggest?q={typed}").status_code == 200


@pytest.mark.parametrize("query", ["", "q=", "q=%20", "q=a&limit=0", "q=a&limit=21", f"q={'a' * 201}", "q=a&x=1"])
def test_what_cannot_be_understood_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/v1/search/suggest?{query}").status_code == 422
