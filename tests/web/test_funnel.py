"""Funnels over HTTP, from events that came in over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from shop.analytics.events.ingest import ingest
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, event

PATH = "/v1/analytics/funnel"
TWO = [{"name": "product_view"}, {"name": "order_paid"}]


def send(client: FlaskClient, services: Services, *events: Any, agent: str = PERSON) -> None:
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": list(events)}
    assert client.post("/v1/events", json=body, headers={"User-Agent": agent}).status_code == 202
    ingest(services.db, services.events)


def test_a_funnel_is_for_support_only(client: FlaskClient, signed_in: Any) -> None:
    assert client.post(PATH, json={"steps": TWO}).status_code == 401
    assert client.post(PATH, json={"steps": TWO}, headers=signed_in("cus_1")).status_code == 403
    assert client.post(PATH, json={"steps": TWO}, headers=signed_in("boss", "support")).status_code == 200


def test_views_become_orders_and_machines_are_nobody(client: FlaskClient, services: Services, signed_in: Any) -> None:
    now = datetime.now(UTC)
    earlier = now - timedelta(hours=2)
    shown = [event(visitor=f"v{n}", ts=earlier, product_id="p1", props={"colour": "red"}) for n in range(4)]
    send(client, services, *shown, event(visitor="v9", ts=earlier, product_id="p2"))
    send(client, services, event(visitor="bot", ts=earlier, product_id="p1"), agent="Googlebot/2.1")
    books.paid_order(services.db, at=now - timedelta(hours=1), visitor="v1")

    steps = [{"name": "product_view", "where": {"product_id": ["p1"], "props.colour": "red"}}, {"name": "order_paid"}]
    asked = {"steps": steps, "window": "90m", "breakdown": "device"}
    answer = client.post(PATH, json=asked, headers=signed_in("boss", "support")).json
    assert answer
    assert (answer["entered"], answer["maturing"], answer["window_s"]) == (4, 0, 5400)
    assert answer["steps"][1]["total"] == {
        "units": 1,
        "of": 4,
        "rate": 0.25,
        "low": pytest.approx(0.0456, abs=1e-4),
        "high": pytest.approx(0.6994, abs=1e-4),
    }
    assert answer["steps"][1]["median_s"] == pytest.approx(3600, abs=5)
    assert [(one["value"], one["entered"]) for one in answer["segments"]] == [("desktop", 4)]

    open_window = client.post(PATH, json={**asked, "window": 7 * 86400}, headers=signed_in("boss", "support")).json
    assert open_window
    assert (open_window["maturing"], open_window["provisional"]) == (4, True)
    assert open_window["steps"][1]["mature"]["rate"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": TWO[:1]},
        {"steps": TWO, "window": "0m"},
        {"steps": TWO, "window": "61d"},
        {"steps": TWO, "window": "9999999d"},
        {"steps": TWO, "mode": "sideways"},
        {"steps": TWO, "breakdown": "visitor_id"},
        {"steps": [{"name": "refund_everything"}, TWO[1]]},
        {"steps": [{"name": "product_view", "where": {"user_id": "x"}}, TWO[1]]},
        {"steps": [{"name": "product_view", "where": {"path": "\x00"}}, TWO[1]]},
        {"steps": [TWO[0], {"name": "order_paid", "where": {"product_id": "p1"}}]},
        {"steps": TWO, "from": "2026-11-02", "to": "2026-11-01"},
        {"steps": TWO, "from": "2026-01-01", "to": "2026-11-01"},
    ],
)
def test_what_makes_no_funnel_is_refused(client: FlaskClient, signed_in: Any, wrong: Any) -> None:
    answer = client.post(PATH, json=wrong, headers=signed_in("boss", "support"))
    assert answer.status_code == 422
    assert answer.json
    assert answer.json["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"steps": TWO, "window": "1y"}, "/window"),
        ({"steps": TWO, "window": True}, "/window"),
        ({"steps": TWO, "from": "yesterday"}, "/from"),
        ({"steps": [TWO[0], {"name": "cart_add", "where": {"path": {}}}]}, "/steps/1/where/path"),
        ({"steps": [TWO[0], {"name": "cart_add", "where": {"user_id": "x"}}]}, "/steps/1/where/user_id"),
        ({"steps": [TWO[0], {}]}, "/steps/1/name"),
        ({"steps": TWO, "odd": 1}, "/odd"),
        ({}, "/steps"),
    ],
)
def test_a_fault_names_the_place_in_what_was_sent_and_nothing_of_ours(
    client: FlaskClient, signed_in: Any, wrong: Any, pointer: str
) -> None:
    answer = client.post(PATH, json=wrong, headers=signed_in("boss", "support"))
    assert answer.json
    assert (answer.status_code, {one["pointer"] for one in answer.json["errors"]}) == (422, {pointer})
