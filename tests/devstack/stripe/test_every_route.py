"""No route is left out: each is asked through the SDK, answers well, and its answer is held against the SDK's types."""

import io
import re
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from devstack.stand_ins.stripe.app import ROUTES, Running
from devstack.stand_ins.stripe.expand import EXPANDABLE
from tests.devstack.stripe.conftest import HonestHTTPClient, authorised, door, paid
from tests.devstack.stripe.sdk_shapes import expandable_fields

PATTERNS = {
    (route.method, route.path): re.compile("^" + re.sub(r"<\w+>", r"(?!search$)[^/]+", route.path) + "$")
    for route in ROUTES
}
NEVER_SET = {
    "payout": {"original_payout", "reversed_by"},
    "refund": {"customer", "payment_method"},
}
"""What may be expanded at Stripe and is always null or absent here: no payout is reversed, and of a refund these two are
not said to be there when the money goes back to a card."""


class Noting(HonestHTTPClient):
    """Counts which routes gave an answer that was checked and good."""

    def __init__(self) -> None:
        super().__init__(timeout=10)
        self.good: Counter[tuple[str, str]] = Counter()

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **kwargs: Any) -> Any:
        answered = super().request(method, url, headers, post_data, **kwargs)
        if answered[1] == 200:
            path = urlsplit(url).path
            self.good.update(known for known, pattern in PATTERNS.items() if self._is(known, pattern, method, path))
        return answered

    @staticmethod
    def _is(known: tuple[str, str], pattern: re.Pattern[str], method: str, path: str) -> bool:
        return known[0] == method.upper() and pattern.match(path) is not None


def test_every_route_gives_an_answer_that_the_sdk_would_expect(stand_in: Running):
    noting = Noting()
    client = stripe.StripeClient(
        "sk_test_1",
        base_addresses={"api": stand_in.url, "files": stand_in.url},
        max_network_retries=0,
        http_client=noting,
    )
    customers_and_cards(client)
    setups(client)
    payments_and_refunds(stand_in, client)
    disputes(stand_in, client)
    payouts_and_balance(stand_in, client)
    webhooks_and_events(client)
    assert set(PATTERNS) - set(noting.good) == set(), "routes whose answer nobody has checked"


def customers_and_cards(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    client.v1.customers.update(made.id, {"phone": "1"})
    client.v1.customers.list({"email": "ada@example.com"})
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    client.v1.payment_methods.attach(method.id, {"customer": made.id})
    client.v1.payment_methods.update(method.id, {"metadata": {"a": "b"}})
    client.v1.payment_methods.retrieve(method.id)
    client.v1.payment_methods.list({"customer": made.id, "type": "card"})
    client.v1.customers.payment_methods.list(made.id)
    client.v1.customers.payment_methods.retrieve(made.id, method.id)
    client.v1.payment_methods.detach(method.id)
    client.v1.customers.delete(made.id)
    client.v1.customers.retrieve(made.id)


def setups(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create()
    made = client.v1.setup_intents.create({"customer": customer.id})
    client.v1.setup_intents.update(made.id, {"description": "for later"})
    client.v1.setup_intents.confirm(made.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example"})
    client.v1.setup_intents.retrieve(made.id, {"expand": ["payment_method", "customer"]})
    client.v1.setup_intents.cancel(client.v1.setup_intents.create().id)
    client.v1.setup_intents.list({"customer": customer.id})


def payments_and_refunds(served: Running, client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "capture_method": "manual"})
    client.v1.payment_intents.update(made.id, {"description": "two books"})
    client.v1.payment_intents.confirm(
        made.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example", "expand": ["latest_charge"]}
    )
    client.v1.payment_intents.capture(made.id, {"amount_to_capture": 1500})
    client.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge.balance_transaction", "payment_method"]})
    client.v1.payment_intents.list({"expand": ["data.latest_charge"]})
    client.v1.payment_intents.search({"query": "status:'succeeded'"})
    client.v1.payment_intents.cancel(authorised(client).id, {"cancellation_reason": "abandoned"})
    door(served, "next-refund", status="requires_action")
    refund = client.v1.refunds.create({"payment_intent": made.id, "amount": 300})
    client.v1.refunds.cancel(refund.id)
    client.v1.refunds.update(refund.id, {"metadata": {"a": "b"}})
    client.v1.refunds.retrieve(refund.id, {"expand": ["charge", "failure_balance_transaction"]})
    client.v1.refunds.list({"payment_intent": made.id})
    (charge,) = client.v1.charges.list({"payment_intent": made.id}).data
    client.v1.charges.retrieve(charge.id, {"expand": ["refunds", "customer"]})


def disputes(served: Running, client: stripe.StripeClient) -> None:
    charge = str(paid(client).latest_charge)
    opened = door(served, "disputes", charge=charge, reason="fraudulent")["id"]
    file = client.v1.files.create({"purpose": "dispute_evidence", "file": io.BytesIO(b"%PDF-1.7\n")})
    client.v1.files.retrieve(file.id)
    client.v1.files.list()
    client.v1.disputes.update(opened, {"evidence": {"receipt": file.id}, "submit": False})
    client.v1.disputes.retrieve(opened, {"expand": ["evidence.receipt", "charge"]})
    client.v1.disputes.close(opened)
    client.v1.disputes.list({"charge": charge})


def payouts_and_balance(served: Running, client: stripe.StripeClient) -> None:
    paid(client, capture_method="automatic")
    paid(client, capture_method="automatic")
    door(served, "clock", advance=2 * 24 * 3600)
    made = client.v1.payouts.create({"amount": 100, "currency": "eur"})
    client.v1.payouts.update(made.id, {"metadata": {"a": "b"}})
    client.v1.payouts.cancel(made.id)
    client.v1.payouts.retrieve(made.id, {"expand": ["balance_transaction"]})
    client.v1.payouts.list({"status": "canceled"})
    client.v1.balance.retrieve()
    booked = client.v1.balance_transactions.list({"type": "charge", "currency": "eur", "expand": ["data.source"]})
    client.v1.balance_transactions.retrieve(booked.data[0].id)


def webhooks_and_events(client: stripe.StripeClient) -> None:
    made = client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hooks", "enabled_events": ["*"]})
    client.v1.webhook_endpoints.update(made.id, {"disabled": True})
    client.v1.webhook_endpoints.retrieve(made.id)
    client.v1.webhook_endpoints.list()
    client.v1.webhook_endpoints.delete(made.id)
    # Every kind of event so far goes through the check with the object it carries.
    kinds = {event.type for event in client.v1.events.list({"limit": 100}).auto_paging_iter()}
    assert len(kinds) > 25, sorted(kinds)
    client.v1.events.retrieve(client.v1.events.list({"limit": 1}).data[0].id)


@pytest.mark.parametrize("kind", sorted(EXPANDABLE))
def test_what_stripe_can_expand_the_stand_in_can(kind: str):
    known = set(EXPANDABLE)
    possible = {name for name, targets in expandable_fields(kind).items() if targets & known}
    assert possible - set(EXPANDABLE[kind]) == NEVER_SET.get(kind, set())
