"""Order to cash on the whole running shop, with the accidents that happen on the way."""

import os
import signal
import time

import pytest

from devstack.day.api import Api, Json
from tests.journeys.conftest import Stack, confirm

pytestmark = pytest.mark.journey


def placed(stack: Stack, *, stock: int = 100, quantity: int = 1) -> tuple[Api, Json, str]:
    """A customer with an order that waits for payment; the third is the product's id."""
    api, user = stack.customer()
    product = stack.product(stock=stock)
    order = api.post("/v1/orders", {"cart_id": stack.cart(user, product, quantity)}, wait=20, expect=(200, 201))
    return api, order, product


def until(api: Api, order: Json, status: str, seconds: float = 60) -> Json:
    return api.until(f"/v1/orders/{order['id']}", lambda now: now["status"] == status, seconds=seconds)


def charges(stack: Stack, order: Json) -> list[Json]:
    intent = str(order["payment"]["client_secret"]).partition("_secret_")[0]
    stripe = Api(stack.town.stripe_url, token=stack.environment["STRIPE_SECRET_KEY"])
    return stripe.get(f"/v1/charges?payment_intent={intent}")["data"]


def entries(stack: Stack, order: Json) -> list[Json]:
    return stack.admin.get("/v1/ledger/entries", order=order["id"], limit=100)["data"]


def test_a_customer_pays_and_everything_that_follows_happens_once(stack: Stack) -> None:
    api, order, product = placed(stack, stock=5, quantity=2)
    assert order["status"] == "awaiting_payment"
    confirm(stack.town, order)
    paid = until(api, order, "paid")
    assert paid["amount_captured"] == paid["total"] == order["total"]
    goods = stack.town.products().get(f"/products/{product}")
    assert (goods["stock"], goods["reserved"]) == (3, 0)
    documents = api.until(f"/v1/orders/{order['id']}/documents", lambda found: len(found["data"]) == 1)["data"]
    assert api.raw(f"/v1/invoices/{documents[0]['number']}.pdf").startswith(b"%PDF-")
    box = stack.town.mailbox().until(
        "/messages", lambda found: any(order["number"] in letter["subject"] for letter in found["data"])
    )
    letters = [letter for letter in box["data"] if order["number"] in letter["subject"]]
    assert len(letters) == 1
    assert [part["type"] for part in letters[0]["attachments"]] == ["application/pdf"]
    assert stack.admin.get("/v1/ledger/verify")["ok"] is True


def test_a_worker_killed_between_capture_and_commit_charges_once(stack: Stack) -> None:
    api, order, _ = placed(stack)
    doors = stack.town.stripe_doors()
    # The stock is committed slowly, so that there is time to keep Stripe's later events from telling of the capture.
    stack.fault(stack.town.product_url, "POST /reservations/*/commit", kind="slow", seconds=4)
    # Then Stripe captures and says nothing for a while; in that silence the worker dies.
    stack.fault(stack.town.stripe_url, "POST /v1/payment_intents/*/capture", kind="timeout_after_work", seconds=20)
    confirm(stack.town, order)
    until(api, order, "capturing")
    doors.post("/standin/deliveries", {"mode": "drop", "for": 50}, expect=(200, 201, 204))
    deadline = time.monotonic() + 30
    while not any(charge["captured"] for charge in charges(stack, order)):
        assert time.monotonic() < deadline, "the capture never reached Stripe"
        time.sleep(0.05)
    os.kill(stack.pid("worker_payments"), signal.SIGKILL)
    assert api.get(f"/v1/orders/{order['id']}")["status"] == "capturing"
    paid = until(api, order, "paid", seconds=90)
    doors.post("/standin/deliveries", {"mode": "normal"}, expect=(200, 201, 204))
    assert paid["amount_captured"] == order["total"]
    captured = [charge for charge in charges(stack, order) if charge["captured"]]
    assert [charge["amount_captured"] for charge in captured] == [order["total"]]
    sales = [entry for entry in entries(stack, order) if entry["kind"] == "capture"]
    assert len(sales) == 1
    assert stack.admin.get("/v1/ledger/verify")["ok"] is True


def test_every_delivery_twice_and_shuffled_changes_nothing(stack: Stack) -> None:
    doors = stack.town.stripe_doors()
    doors.post("/standin/deliveries", {"mode": "double", "for": 6}, expect=(200, 201, 204))
    api, order, _ = placed(stack)
    confirm(stack.town, order)
    until(api, order, "paid")
    time.sleep(2)
    after = api.get(f"/v1/orders/{order['id']}")
    assert (after["status"], after["amount_captured"]) == ("paid", order["total"])
    assert len(api.get(f"/v1/orders/{order['id']}/documents")["data"]) == 1


def test_an_event_that_never_arrives_is_found_by_the_sweep(stack: Stack) -> None:
    api, order, _ = placed(stack)
    stack.town.stripe_doors().post("/standin/deliveries", {"mode": "drop", "for": 3}, expect=(200, 201, 204))
    confirm(stack.town, order)
    until(api, order, "paid", seconds=150)


def test_a_declined_card_leaves_the_order_open_for_another(stack: Stack) -> None:
    api, order, _ = placed(stack)
    confirm(stack.town, order, "pm_card_visa_chargeDeclined")
    failed = until(api, order, "payment_failed")
    assert failed["payment"]["decline"]["code"]
    confirm(stack.town, order)
    assert until(api, order, "paid")["amount_captured"] == order["total"]


def test_goods_that_vanish_before_capture_are_voided_and_never_refunded(stack: Stack) -> None:
    api, order, _ = placed(stack, stock=1)
    stack.fault(stack.town.product_url, "POST /reservations/*/commit", kind="status", status=409)
    confirm(stack.town, order)
    canceled = until(api, order, "canceled")
    assert canceled["amount_captured"] == 0
    assert [charge["captured"] for charge in charges(stack, order)] == [False]
    assert api.get(f"/v1/orders/{order['id']}/refunds")["data"] == []


def test_a_wish_for_more_than_there_is_is_rejected_with_its_reason(stack: Stack) -> None:
    _, order, _ = placed(stack, stock=1, quantity=3)
    assert (order["status"], order["rejection"]["code"]) == ("rejected", "out_of_stock")


def test_a_full_refund_goes_back_once_however_often_it_is_asked(stack: Stack) -> None:
    api, order, _ = placed(stack)
    confirm(stack.town, order)
    until(api, order, "paid")
    path = f"/v1/orders/{order['id']}/refunds"
    wish = {"reason": "requested_by_customer", "expected_refundable": order["total"]}
    for _ in range(2):
        stack.support.post(path, wish, wait=20, key=f"refund-{order['id']}", expect=(200, 201, 202))
    stack.support.post(path, wish, expect=(409,))
    refunded = until(api, order, "refunded")
    assert (refunded["amount_refunded"], refunded["refundable"]) == (order["total"], 0)
    assert len(stack.support.get(path)["data"]) == 1
