"""Payments that our shop did not make, and their news as they end up with a person."""

from typing import Any

import requests
import stripe

from tests.shop.payments.shopkeeper import Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}
SECRET = "whsec_of_the_tests"
NEWS = "payment_intent.amount_capturable_updated"
PRICE = 4490
"""What `Shop.simple_order` costs."""


def stray_payment(
    shop: Shop, amount: int = PRICE, *, capture: str = "manual", currency: str = "eur", **metadata: str
) -> str:
    """A confirmed payment that somebody else made on our account; answers its id."""
    answer = requests.post(
        f"{shop.stripe.url}/v1/payment_intents",
        data={
            "amount": amount,
            "currency": currency,
            "capture_method": capture,
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "return_url": "https://shop.example/",
            **{f"metadata[{name}]": value for name, value in metadata.items()},
        },
        headers=BEARER,
        timeout=5,
    )
    answer.raise_for_status()
    return answer.json()["id"]


def wait_out(shop: Shop) -> None:
    """Let the time of all parked deliveries pass, to the last delay."""
    shop.read_all_news()
    shop.sql("UPDATE webhook_deliveries SET attempts = 7, retry_at = now() WHERE state = 'parked'")
    shop.sweep()
    shop.work()


def orphan(shop: Shop, amount: int = PRICE, **more: Any) -> tuple[str, str]:
    """A payment that names an order nobody knows, and one of its deliveries, after four days."""
    intent = stray_payment(shop, amount, **{"order_id": "ord_unknown", **more})
    wait_out(shop)
    ids = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s AND state = 'orphan' ORDER BY id", intent)
    return intent, ids[0][0]


def states(shop: Shop, intent: str) -> set[str]:
    return {row[0] for row in shop.sql("SELECT state FROM webhook_deliveries WHERE payment_ref = %s", intent)}


def at_stripe(shop: Shop, intent: str) -> dict[str, Any]:
    answer = requests.get(f"{shop.stripe.url}/v1/payment_intents/{intent}", headers=BEARER, timeout=5)
    answer.raise_for_status()
    return answer.json()


def signed(body: str, secret: str = SECRET) -> dict[str, str]:
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret)}


def deliver(shop: Shop, body: str, secret: str = SECRET, **headers: str) -> requests.Response:
    """Post a body as Stripe would, signed."""
    return requests.post(
        f"{shop.url}/v1/webhooks/stripe",
        data=body.encode(),
        headers={"Content-Type": "application/json", **signed(body, secret), **headers},
        timeout=5,
    )
