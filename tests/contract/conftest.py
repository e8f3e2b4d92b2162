"""Two targets for the same cases: the stand-in always, Stripe's own test mode when STRIPE_TEST_KEY is set."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
import stripe

from devstack.stand_ins.stripe.app import running

RETURN = "https://shop.example/return"
KEY = os.environ.get("STRIPE_TEST_KEY", "")
TARGETS = ["stand-in", *([pytest.param("stripe", marks=pytest.mark.enable_socket)] if KEY else [])]
LOOK_EVERY_S, GIVE_UP_AFTER_S = 0.2, 60.0
"""Stripe's test mode takes some seconds to write an event or to decide a dispute; the stand-in half of one."""

Found = TypeVar("Found")


@pytest.fixture(params=TARGETS)
def client(request: pytest.FixtureRequest) -> Iterator[stripe.StripeClient]:
    if request.param == "stand-in":
        with running() as served:
            addresses: Any = {"api": served.url, "files": served.url}
            yield stripe.StripeClient("sk_test_contract", base_addresses=addresses, max_network_retries=0)
        return
    if not KEY.startswith(("sk_test_", "rk_test_")):
        pytest.fail("STRIPE_TEST_KEY is no key of the test mode; these cases never run with money")
    yield stripe.StripeClient(KEY)


def wait_for(look: Callable[[], Found]) -> Found:
    """Return what `look` finds once it is something."""
    end = time.monotonic() + GIVE_UP_AFTER_S
    while not (found := look()):
        assert time.monotonic() < end, "never seen"
        time.sleep(LOOK_EVERY_S)
    return found


def payment(client: stripe.StripeClient, card: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
    """Return a confirmed payment of 19.99 €."""
    params: Any = {
        "amount": 1999,
        "currency": "eur",
        "payment_method": card,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True},
        "return_url": RETURN,
        **more,
    }
    return client.v1.payment_intents.create(params)


def held(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    """Return a payment that waits for its capture."""
    return payment(client, capture_method="manual", **more)


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    return client.v1.charges.retrieve(str(intent.latest_charge))
