"""Support finds orders by what is the matter with them; customers find their own by number and time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from web.app import create_app

SignedIn = Callable[..., dict[str, str]]


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    return create_app(shop.services).test_client()


def found(client: FlaskClient, headers: dict[str, str], **query: Any) -> list[str]:
    answer = client.get("/v1/orders", query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json["data"]]


def test_orders_are_found_by_need_number_and_time(shop: Shop, client: FlaskClient, signed_in: SignedIn) -> None:
    support, mine = signed_in("usr_9", "support"), signed_in("usr_1")
    shop.door("deliveries", mode="drop", **{"for": 1000})
    shop.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0)
    unknown = shop.simple_order(payment_method="pm_card_visa")
    waiting = shop.order()
    shop.work()
    assert found(client, support, outcome_unknown=True) == [unknown]
    body = client.get(f"/v1/orders/{unknown}", headers=support).json
    (doubt,) = body["outcome_unknown"]
    assert (doubt["operation"], doubt["tries"]) == ("capture", 1)
    assert doubt["look_at"] > doubt["unknown_since"]
    assert "outcome_unknown" not in client.get(f"/v1/orders/{unknown}", headers=mine).json
    assert found(client, support, authorization_expires_within_hours=24 * 8) == [unknown]
    assert found(client, support, authorization_expires_within_hours=24) == []
    assert found(client, mine, number=body["number"]) == [unknown]
    assert found(client, signed_in("usr_2"), number=body["number"]) == []
    now = datetime.now(UTC)
    assert found(client, mine, placed_from=(now - timedelta(minutes=5)).isoformat()) == [waiting, unknown]
    assert found(client, mine, placed_to=(now - timedelta(minutes=5)).isoformat()) == []
    assert found(client, support, customer_id="usr_1", status="awaiting_payment") == [waiting]
    refused = client.get("/v1/orders", query_string={"outcome_unknown": True}, headers=mine)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    figures = client.get("/metrics").text
    assert "backroom_outcomes_unknown 1.0" in figures
    assert "backroom_authorizations_expiring 0.0" in figures
