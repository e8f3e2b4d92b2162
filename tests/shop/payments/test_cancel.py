"""Calling orders off: in time, too late, and when the answer is lost."""

import pytest
import requests

from shop.payments.errors import AlreadyCaptured, OrderNotFound, PaymentInProgress, WrongState
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.confirm import ask_confirm
from tests.shop.payments.shopkeeper import Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}


@pytest.fixture(autouse=True)
def _deaf(shop: Shop) -> None:
    """Without Stripe's news, which would put most of this right by themselves."""
    shop.door("deliveries", mode="drop", **{"for": 1000})


def called_off(shop: Shop, order_id: str) -> str:
    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    for _ in range(4):
        shop.work()
        shop.hurry()
    return shop.read(order_id).status


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("timeout_after_work", {"seconds": 0}),
        ("timeout", {"seconds": 0}),
        ("status", {"status": 500, "stored": True}),
        ("status", {"status": 429}),
    ],
)
def test_a_lost_answer_to_a_void_leaves_the_order_called_off_and_the_goods_returned(
    shop: Shop, kind: str, more: dict[str, object]
) -> None:
    order_id = shop.simple_order()
    shop.fault("POST /v1/payment_intents/*/cancel", kind, **more)
    assert called_off(shop, order_id) == "canceled"
    assert shop.product("prd_1")["reserved"] == 0
    (intent,) = shop.stripe.account.store.all("payment_intent")
    assert intent["status"] == "canceled"
    assert shop.sql("SELECT count(*) FROM provider_attempts WHERE outcome IS NULL") == [(0,)]


def test_after_a_day_an_undecided_void_looks_before_it_asks(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.fault("POST /v1/payment_intents/*/cancel", "timeout_after_work", seconds=0)
    ask_cancel(shop.services.db, order_id, reason="support", actor="usr_9")
    shop.work()
    shop.sql("UPDATE provider_attempts SET deadline = now() - interval '1 hour' WHERE outcome IS NULL")
    shop.hurry()
    shop.work()
    assert (shop.read(order_id).status, shop.read(order_id).status_reason) == ("canceled", "support")
    assert len(shop.seen_by_stripe("/cancel")) == 1


def test_a_void_that_comes_after_the_capture_changes_nothing(shop: Shop) -> None:
    order_id = shop.simple_order()
    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    shop.pay_in_browser(order_id)
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{shop.intent(order_id)}/capture", headers=BEARER, timeout=5
    ).raise_for_status()
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert shop.sql("SELECT state, error_code FROM jobs WHERE name = 'payments.cancel'") == [
        ("failed", "already_captured")
    ]
    with pytest.raises(AlreadyCaptured):
        ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")


def test_a_void_of_what_stripe_voided_already_is_done(shop: Shop) -> None:
    order_id = shop.simple_order()
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{shop.intent(order_id)}/cancel", headers=BEARER, timeout=5
    ).raise_for_status()
    assert called_off(shop, order_id) == "canceled"
    assert ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1").status == "canceled"


def test_an_authorised_order_of_a_manual_shop_can_be_called_off(shop: Shop) -> None:
    shop.services.settings.__dict__["capture"] = "manual"
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "authorized"
    assert called_off(shop, order_id) == "canceled"
    assert shop.read(order_id).stock == "returned"


def test_wishes_that_cannot_be_are_refused(shop: Shop) -> None:
    db, terms = shop.services.db, shop.terms
    with pytest.raises(OrderNotFound):
        ask_cancel(db, "ord_nothing", reason="customer", actor="usr_1")
    with pytest.raises(OrderNotFound):
        ask_confirm(db, terms, "ord_nothing", method="pm_card_visa", actor="usr_1")
    order_id = shop.simple_order()
    with pytest.raises(WrongState):
        ask_cancel(db, shop.order("cart_2"), reason="customer", actor="usr_1")
    ask_confirm(db, terms, order_id, method="pm_card_visa", actor="usr_1")
    with pytest.raises(PaymentInProgress):
        ask_confirm(db, terms, order_id, method="pm_card_visa", actor="usr_1")


def test_a_payment_method_that_does_not_exist_is_a_failed_payment_and_the_next_one_pays(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_nobody_has")
    assert shop.read(order_id).status == "payment_failed"
    assert shop.sql("SELECT decline_code FROM payments") == [("resource_missing",)]
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor="usr_1")
    shop.work()
    assert shop.read(order_id).status == "paid"


def test_a_server_side_try_after_the_browser_was_quicker_takes_the_browsers_payment(shop: Shop) -> None:
    order_id = shop.simple_order()
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_mastercard", actor="usr_1")
    shop.pay_in_browser(order_id)
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert shop.sql("SELECT card_brand FROM payments") == [("visa",)]
