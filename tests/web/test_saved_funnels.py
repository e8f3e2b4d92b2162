"""Funnels that people keep, who is behind a number, and the ways of visits, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.events.sessions import sessions
from tests.shop.analytics import books
from tests.shop.analytics.conftest import event
from tests.web.test_funnel import send

PATH = "/v1/analytics/funnels"
DEFINITION = {
    "steps": [{"name": "product_view"}, {"name": "cart_add", "within": "30m"}, {"name": "order_paid"}],
    "window": "1d",
    "unit": "visitor",
    "breakdown": "device",
    "attribution": "last",
    "revenue": True,
}


def walk(client: FlaskClient, services: Services) -> datetime:
    """Four look, two of them put it into the cart (one after an hour), one of these buys."""
    at = datetime.now(UTC) - timedelta(hours=5)
    shown = [event(visitor=f"v{n}", ts=at + timedelta(minutes=n), product_id="p1") for n in range(4)]
    carted = [
        event("cart_add", visitor=visitor, ts=at + late, product_id="p1")
        for visitor, late in (("v0", timedelta(minutes=10)), ("v1", timedelta(minutes=70)))
    ]
    send(client, services, *shown, *carted)
    books.paid_order(services.db, at=at + timedelta(hours=2), visitor="v0")
    return at


def test_a_funnel_is_kept_asked_again_changed_and_forgotten(
    client: FlaskClient, services: Services, signed_in: Any
) -> None:
    walk(client, services)
    boss = signed_in("boss", "support")
    made = client.post(PATH, json={"name": " To the till ", "definition": DEFINITION}, headers=boss)
    assert made.status_code == 201, made.json
    assert made.json
    assert (made.json["name"], made.json["made_by"]) == ("To the till", "boss")
    place = made.headers["Location"]
    twin = client.post(PATH, json={"name": "To the till", "definition": DEFINITION}, headers=boss)
    assert (twin.status_code, twin.json and twin.json["code"]) == (409, "name_taken")

    said = client.get(f"{place}/result", headers=boss).json
    assert said
    assert [step["total"]["units"] for step in said["steps"]] == [4, 1, 1]
    assert said["revenue"] == [{"currency": "eur", "orders": 1, "net": 10000}]
    assert said["segments"][0]["revenue"] == said["revenue"]

    wider = {**DEFINITION, "steps": [{"name": "product_view"}, {"name": "cart_add"}], "revenue": False}
    changed = client.put(place, json={"name": "To the cart", "definition": wider}, headers=boss)
    assert changed.status_code == 200
    answer = client.get(f"{place}/result", headers=boss).json
    assert answer
    assert [step["total"]["units"] for step in answer["steps"]] == [4, 2]
    assert "revenue" not in answer
    listed = client.get(PATH, headers=boss).json
    assert listed
    assert [one["name"] for one in listed["data"]] == ["To the cart"]
    assert client.delete(place, headers=boss).status_code == 204
    assert client.get(place, headers=boss).status_code == 404
    assert client.get(PATH, headers=signed_in("cus_1")).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {**DEFINITION, "steps": [{"name": "product_view", "within": "5m"}, {"name": "cart_add"}]},
        {**DEFINITION, "mode": "any"},
        {**DEFINITION, "exclude": [{"name": "search", "within": "5m"}]},
        {**DEFINITION, "from": "2026-11-01"},
    ],
)
def test_what_makes_no_funnel_is_not_kept(client: FlaskClient, signed_in: Any, wrong: Any) -> None:
    answer = client.post(PATH, json={"name": "x", "definition": wrong}, headers=signed_in("boss", "support"))
    assert answer.status_code == 422


def test_who_turned_back_is_told_to_admins_page_by_page(
    client: FlaskClient, services: Services, signed_in: Any
) -> None:
    walk(client, services)
    asked = {"steps": DEFINITION["steps"][:2], "window": "1d"}
    path = "/v1/analytics/funnel/people"
    assert client.post(f"{path}?step=1", json=asked, headers=signed_in("boss", "support")).status_code == 403
    admin = signed_in("root", "admin")
    first = client.post(f"{path}?step=1&limit=2", json=asked, headers=admin).json
    assert first
    second = client.post(f"{path}?step=1&limit=2&cursor={first['next_cursor']}", json=asked, headers=admin).json
    assert second
    assert [one["unit"] for one in (*first["data"], *second["data"])] == ["v3", "v2", "v1"]
    assert second["next_cursor"] is None
    beyond = client.post(f"{path}?step=2&further=true", json=asked, headers=admin).json
    assert beyond
    assert [(one["unit"], one["steps"]) for one in beyond["data"]] == [("v0", 2)]
    assert client.post(f"{path}?step=3", json=asked, headers=admin).status_code == 422


def test_the_slim_table_says_the_same_once_it_is_complete(
    client: FlaskClient, services: Services, signed_in: Any
) -> None:
    walk(client, services)
    boss = signed_in("boss", "support")
    asked = {"steps": DEFINITION["steps"], "window": "1d", "breakdown": "device", "revenue": True}
    before = client.post("/v1/analytics/funnel", json=asked, headers=boss).json
    assert retrace(services.db, services.settings.zone)["missing"] == 0
    after = client.post("/v1/analytics/funnel", json=asked, headers=boss).json
    assert before
    assert after
    assert (before.pop("source"), after.pop("source")) == ("events", "steps")
    for answer in (before, after):
        del answer["as_of"], answer["to"], answer["from"]
    assert before == after


def test_ways_from_a_page_and_to_it(client: FlaskClient, services: Services, signed_in: Any) -> None:
    at = datetime.now(UTC) - timedelta(hours=5)
    for visitor, pages in (("a", "/ /shoes /shoes /cart"), ("b", "/ /hats"), ("c", "/sale /shoes /cart")):
        paths = [
            event("page_view", visitor=visitor, ts=at + timedelta(minutes=n), path=page)
            for n, page in enumerate(pages.split())
        ]
        send(client, services, *paths)
    sessions(services.db)
    boss = signed_in("boss", "support")
    onwards = client.get("/v1/analytics/paths?path=/&length=2&top=1", headers=boss).json
    assert onwards
    assert onwards["visits"] == 2
    assert onwards["ways"] == [
        {"stations": ["/hats"], "other": False, "visits": 1},
        {"stations": [], "other": True, "visits": 1},
    ]
    back = client.get("/v1/analytics/paths?path=/cart&direction=before&length=1", headers=boss).json
    assert back
    assert back["stations"] == [{"place": 1, "station": "/shoes", "visits": 2}]
    assert client.get("/v1/analytics/paths?event=order_paid&path=/", headers=boss).status_code == 422
    assert client.get("/v1/analytics/paths?event=consent_set", headers=boss).status_code == 422
    assert client.get("/v1/analytics/paths", headers=signed_in("cus_1")).status_code == 403
