"""Recommendations over HTTP: who gets which, and what they look like."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.search.recommending.recommend import recommend
from tests.shop.search.made import CountingEncoder, products, stock
from tests.shop.search.test_recommended import GOOD, looked, ordered

Headers = dict[str, str]


@pytest.fixture(name="shop")
def _shop(services: Services) -> Services:
    stock(services.db, products())
    for person in range(30):
        looked(services.db, f"vis_{person}", *GOOD[:2])
    ordered(services.db, 1, "cus_1", *GOOD[2:4])
    ordered(services.db, 2, "cus_2", *GOOD[2:4])
    recommend(services.db, CountingEncoder())
    return services


@pytest.mark.usefixtures("shop")
def test_bought_together_is_for_anyone(client: FlaskClient) -> None:
    answer = client.get(f"/v1/products/{GOOD[2]}/bought-together").get_json()
    first = answer["data"][0]
    assert (first["id"], first["reason"]) == (GOOD[3], "Often bought together")
    assert (first["in_stock"], first["currency"]) == (True, "eur")
    assert client.get("/v1/products/nobody/bought-together").status_code == 404


def test_a_visitor_and_a_customer_get_their_own(
    client: FlaskClient, shop: Services, signed_in: Callable[..., Headers]
) -> None:
    looked(shop.db, "vis_me", GOOD[0], hours_ago=0.1)
    mine = client.get("/v1/recommendations?limit=5", headers={"X-Visitor-Id": "vis_me"}).get_json()["data"]
    assert mine[0]["id"] == GOOD[1]
    assert mine[0]["reason"].startswith("Because you looked at ")
    customer = client.get("/v1/recommendations", headers=signed_in("cus_1")).get_json()["data"]
    assert not {GOOD[2], GOOD[3]} & {one["id"] for one in customer}
    general = client.get("/v1/recommendations?personalize=false", headers={"X-Visitor-Id": "vis_me"}).get_json()
    assert {one["reason"] for one in general["data"]} == {"Popular right now"}


def test_nobody_in_particular_is_asked_who_they_are(client: FlaskClient) -> None:
    assert client.get("/v1/recommendations").status_code == 401


@pytest.mark.usefixtures("shop")
def test_rows_beside_a_product_and_a_cart(client: FlaskClient) -> None:
    stranger = {"X-Visitor-Id": "vis_me"}
    for row in ("product", "cart"):
        found = client.get(f"/v1/recommendations?row={row}&product_id={GOOD[2]}", headers=stranger).get_json()["data"]
        assert found[0]["id"] == GOOD[3]
        assert found[0]["reason"].startswith("Often bought together with ")
    assert client.get("/v1/recommendations?row=product&product_id=nobody", headers=stranger).status_code == 404


def test_a_no_to_personalisation_is_kept_for_the_browser_and_the_customer(
    client: FlaskClient, shop: Services, signed_in: Callable[..., Headers]
) -> None:
    looked(shop.db, "vis_me", GOOD[0], hours_ago=0.1)
    me = {"X-Visitor-Id": "vis_me"}
    assert client.get("/v1/personalisation", headers=me).get_json() == {"allowed": True}
    assert client.put("/v1/personalisation", json={"allowed": False}, headers=me).get_json() == {"allowed": False}
    found = client.get("/v1/recommendations", headers=me).get_json()["data"]
    assert {one["reason"] for one in found} == {"Popular right now"}
    assert client.get("/v1/personalisation", headers=signed_in("cus_9") | me).get_json() == {"allowed": False}
    assert client.get("/v1/personalisation", headers=signed_in("cus_9")).get_json() == {"allowed": True}
    assert client.put("/v1/personalisation", json={"allowed": "no"}, headers=me).status_code == 422
    assert client.put("/v1/personalisation", json={"allowed": False}).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "row=cart",
        "row=product",
        "row=home&product_id=p001",
        "row=x",
        "limit=0",
        "limit=51",
        "limit=x",
        "personalize=maybe",
        "who=me",
    ],
)
def test_what_cannot_be_understood_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/v1/recommendations?{query}", headers={"X-Visitor-Id": "v"}).status_code == 422
