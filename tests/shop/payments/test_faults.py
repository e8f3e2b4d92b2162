"""Answers that never come, keys that are forgotten, workers that die: one order, one charge."""

import threading
from datetime import timedelta

import pytest

from shop.payments.clocks.turns import Turns
from shop.payments.orders.place import Shelves, place
from tests.shop.payments.shopkeeper import Shop


@pytest.fixture(autouse=True)
def _deaf(shop: Shop) -> None:
    """Without Stripe's news, which would put most of this right by themselves."""
    shop.door("deliveries", mode="drop", **{"for": 1000})


def key_of(shop: Shop, match: str) -> list[str]:
    return [request["headers"]["idempotency-key"] for request in shop.seen_by_stripe(match)]


@pytest.mark.parametrize(
    ("match", "operation"),
    [
        ("POST /v1/payment_intents", "create"),
        ("POST /v1/payment_intents/*/confirm", "confirm"),
        ("POST /v1/payment_intents/*/capture", "capture"),
    ],
)
@pytest.mark.parametrize("kind", ["timeout_after_work", "timeout", "reset"])
def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_key(
    shop: Shop, match: str, operation: str, kind: str
) -> None:
    shop.fault(match, kind, **({} if kind == "reset" else {"seconds": 0}))
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status != "paid"
    assert shop.sql("SELECT outcome, tries FROM provider_attempts WHERE operation = %s", operation) == [(None, 1)]
    shop.hurry()
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert shop.sql("SELECT outcome, tries FROM provider_attempts WHERE operation = %s", operation) == [
        ("succeeded", 2)
    ]
    charges = shop.stripe.account.store.all("charge")
    assert [charge["amount_captured"] for charge in charges] == [4490]
    assert len(shop.stripe.account.store.all("payment_intent")) == 1


def test_a_failure_that_stripe_keeps_under_the_key_is_looked_into_and_asked_anew(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "status", status=500, stored=True)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    for _ in range(4):
        shop.hurry()
        shop.work()
    assert shop.read(order_id).status == "paid"
    rows = shop.sql("SELECT generation, outcome FROM provider_attempts WHERE operation = 'capture' ORDER BY generation")
    assert rows == [(1, "abandoned"), (2, "succeeded")]
    assert len({tuple(key) for key in key_of(shop, "/capture")}) == 2


@pytest.mark.parametrize("operation", ["create", "confirm", "capture"])
def test_after_a_day_the_provider_is_searched_before_anything_is_asked_again(shop: Shop, operation: str) -> None:
    match = "POST /v1/payment_intents" + ("" if operation == "create" else f"/*/{operation}")
    shop.fault(match, "timeout_after_work", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    asked = len(shop.seen_by_stripe("POST"))
    shop.sql("UPDATE provider_attempts SET deadline = now() - interval '1 hour' WHERE outcome IS NULL")
    shop.hurry()
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert len(shop.stripe.account.store.all("payment_intent")) == 1
    wanted = {"create": 2, "confirm": 1, "capture": 0}[operation]
    assert len(shop.seen_by_stripe("POST")) == asked + wanted, "only what came after it was asked"


def test_what_nobody_did_in_a_day_is_asked_under_a_new_key(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "timeout", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.sql("UPDATE provider_attempts SET deadline = now() - interval '1 hour' WHERE outcome IS NULL")
    for _ in range(3):
        shop.hurry()
        shop.work()
    assert shop.read(order_id).status == "paid"
    assert len(set(key_of(shop, "/capture"))) == 2


def test_a_neighbour_that_is_away_makes_the_order_wait_not_fail(shop: Shop) -> None:
    shop.fault("GET /carts/*", "status", status=503, at=shop.carts_url)
    shop.fault("POST /reservations", "timeout_after_work", seconds=0, at=shop.products_url)
    order_id = shop.simple_order()
    for _ in range(3):
        shop.hurry()
        shop.work()
    assert shop.read(order_id).status == "awaiting_payment"
    assert shop.product("prd_1")["reserved"] == 2


def test_a_job_that_died_for_good_is_started_again_by_the_sweep(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.sql("DELETE FROM jobs")
    shop.sql("UPDATE orders SET updated_at = now() - interval '10 minutes'")
    shop.sql("UPDATE provider_attempts SET asked_at = now() - interval '10 minutes', look_at = NULL")
    found = shop.sweep()
    assert (found["capturing"], found["undecided"]) == (1, 1)
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert len(set(key_of(shop, "/capture"))) == 1


def test_an_order_that_was_not_paid_expires_and_gives_its_goods_back(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    assert shop.sweep()["overdue"] == 1
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.status_reason, order.stock) == ("expired", "unpaid", "released")
    assert shop.product("prd_1")["reserved"] == 0
    assert shop.stripe.account.store.all("payment_intent")[0]["status"] == "canceled"


def test_a_payment_at_the_last_minute_beats_the_clock(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 100})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    from shop.payments.clocks.sweep import _call_off_overdue

    assert _call_off_overdue(shop.services.db, Turns()) == 1
    shop.work()
    assert shop.read(order_id).status == "paid"


def test_an_order_that_could_not_be_placed_in_time_is_rejected(shop: Shop) -> None:
    shop.fault("GET /carts/*", "status", status=503, times=5, at=shop.carts_url)
    order_id = shop.simple_order()
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    shop.hurry()
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.rejection_code) == ("rejected", "expired")


def test_two_workers_with_the_same_order_make_one_of_everything(shop: Shop) -> None:
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 2))
    order_id = shop.order(payment_method="pm_card_visa")
    services = shop.services
    shelves = Shelves(services.carts, services.products, services.users)
    errors: list[Exception] = []

    def work() -> None:
        try:
            place(services.db, services.gateway, shelves, shop.terms, order_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for _ in range(3):
        shop.hurry()
        shop.work()
    # A second worker may be told that the key is in use right now: that is a "not yet", no error.
    assert all(getattr(error, "code", "") in {"gateway_unavailable", "outcome_unknown"} for error in errors), errors
    assert shop.read(order_id).status == "paid"
    assert len(shop.stripe.account.store.all("payment_intent")) == 1
    assert shop.sql("SELECT count(*) FROM order_lines") == [(1,)]
    assert shop.terms.expires == timedelta(minutes=60)
