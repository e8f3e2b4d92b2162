"""Stripe's deliveries over HTTP."""

import json

import pytest
import stripe
from flask.testing import FlaskClient

from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from web.app import create_app

SECRET = "whsec_of_the_tests"


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    return create_app(shop.services).test_client()


def event(event_id: str = "evt_1", intent: str = "pi_1") -> str:
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": 1_790_000_000,
            "api_version": "2026-10-28.endive",
            "data": {"object": {"id": intent, "object": "payment_intent"}},
        }
    )


def post(client: FlaskClient, body: str, secret: str = SECRET, **more: int) -> tuple[int, str]:
    signature = stripe.WebhookSignature.generate_signature_header(body, secret, **more)
    answer = client.post(
        "/v1/webhooks/stripe", data=body, headers={"Stripe-Signature": signature}, content_type="application/json"
    )
    return answer.status_code, answer.json.get("code", "")


def test_a_delivery_is_kept_raw_and_read_by_a_job_and_a_repeat_does_nothing(shop: Shop, client: FlaskClient) -> None:
    assert post(client, event()) == (200, "")
    assert post(client, event()) == (200, "")
    rows = shop.sql("SELECT event_id, state, body, secret_label, repeats FROM webhook_deliveries")
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [("evt_1", "received", event(), 1)]
    assert rows[0][3].startswith("secret ")
    assert SECRET not in rows[0][3]
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'payments.inbox'") == [(1,)]


def test_a_delivery_with_a_wrong_or_old_signature_is_kept_too_and_answered_400(shop: Shop, client: FlaskClient) -> None:
    assert post(client, event(), "whsec_of_somebody_else") == (400, "bad_signature")
    assert post(client, event(), timestamp=1_600_000_000) == (400, "bad_signature")
    assert client.post("/v1/webhooks/stripe", data="{}", content_type="application/json").status_code == 400
    rows = shop.sql("SELECT event_id, state, reason FROM webhook_deliveries ORDER BY id")
    assert rows == [
        (None, "refused", "bad_signature"),
        (None, "refused", "too_old"),
        (None, "refused", "no_signature"),
    ]
    assert shop.sql("SELECT count(*) FROM jobs") == [(0,)]


def test_a_signature_of_strange_letters_is_a_bad_one_and_no_trouble_of_ours(client: FlaskClient) -> None:
    answer = client.post("/v1/webhooks/stripe", data="{}", headers={"Stripe-Signature": "t=1,v1=é"})
    assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")
