"""Goods before money."""

import threading

import pytest
import requests

from tests.shop.payments.shopkeeper import Shop


@pytest.mark.parametrize(
    ("cart", "code"),
    [
        (None, "cart_not_found"),
        ({"user": "usr_2", "lines": [("prd_1", 1)]}, "cart_not_found"),
        ({"lines": []}, "cart_empty"),
        ({"lines": [("prd_gone", 1)]}, "product_gone"),
        ({"lines": [("prd_off", 1)]}, "product_gone"),
        ({"lines": [("prd_1", 6)]}, "out_of_stock"),
        ({"lines": [("prd_1", 1), ("prd_usd", 1)]}, "currency_mixed"),
        ({"lines": [("prd_1", 1)], "currency": "usd"}, "currency_mixed"),
    ],
)
def test_an_order_that_cannot_be_is_rejected_with_the_reason_and_reserves_nothing(
    shop: Shop, cart: dict[str, object] | None, code: str
) -> None:
    shop.stock("prd_1", 5)
    shop.stock("prd_off", 5, active=False)
    shop.stock("prd_usd", 5, currency="usd")
    if cart is not None:
        lines = cart.pop("lines")
        shop.cart("cart_1", *lines, **cart)  # type: ignore[misc, arg-type]
    order_id = shop.order()
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.rejection_code) == ("rejected", code)
    assert shop.product("prd_1")["reserved"] == 0
    assert shop.stripe.account.store.all("payment_intent") == []


def test_an_order_too_small_for_a_card_is_rejected(shop: Shop) -> None:
    shop.stock("prd_1", 5, price=40)
    shop.cart("cart_1", ("prd_1", 1))
    shop.services.settings.__dict__["shipping_minor"] = 0
    order_id = shop.order()
    shop.work()
    assert shop.read(order_id).rejection_code == "amount_too_small"


def test_goods_that_vanish_before_the_capture_void_the_payment_so_nobody_is_charged(shop: Shop) -> None:
    order_id = shop.simple_order()
    requests.delete(f"{shop.products_url}/reservations/{order_id}", headers=shop.token, timeout=5).raise_for_status()
    shop.pay_in_browser(order_id)
    order = shop.settle(order_id, "canceled")
    assert (order.status_reason, order.stock, order.amount_captured) == ("out_of_stock", "lost", 0)
    (charge,) = shop.stripe.account.store.all("charge")
    assert charge["amount_captured"] == 0
    assert shop.seen_by_stripe("/capture") == []
    assert shop.sql("SELECT DISTINCT kind FROM ledger_entries") == [("authorisation",)]  # and it was let go again
    assert shop.sql("SELECT args ->> 'kind' FROM jobs WHERE name LIKE 'documents.%%'") == [("order_canceled",)]


def test_many_buyers_of_the_last_piece_make_one_paid_order(shop: Shop) -> None:
    shop.stock("prd_1", 1)
    orders = []
    for number in range(6):
        shop.cart(f"cart_{number}", ("prd_1", 1))
        orders.append(shop.order(f"cart_{number}", payment_method="pm_card_visa"))
    workers = [threading.Thread(target=shop.work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    shop.hurry()
    shop.work()
    statuses = sorted(shop.read(order_id).status for order_id in orders)
    assert statuses == ["paid"] + ["rejected"] * 5
    assert shop.product("prd_1")["stock"] == 0


def test_goods_of_an_authorisation_that_was_voided_after_the_commit_return_to_the_shelf(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "timeout", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert (shop.read(order_id).stock, shop.product("prd_1")["stock"]) == ("committed", 3)
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{shop.intent(order_id)}/cancel",
        headers={"Authorization": "Bearer sk_test_of_the_tests"},
        timeout=5,
    ).raise_for_status()
    order = shop.settle(order_id, "canceled")
    shop.hurry()
    shop.work()
    assert (order.status_reason, shop.product("prd_1")["stock"]) == ("provider", 5)
    assert shop.read(order_id).stock == "returned"


def test_an_authorisation_that_ran_out_cancels_the_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.services.settings.__dict__, "capture", "manual")
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "authorized"
    shop.door("clock", advance=8 * 24 * 3600)
    order = shop.settle(order_id, "canceled")
    assert order.status_reason == "authorization_expired"


def test_a_manual_capture_of_less_releases_the_rest_and_books_only_what_was_taken(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shop.payments.errors import AlreadyCaptured, CaptureTooLarge
    from shop.payments.orders.capture import ask_capture

    monkeypatch.setitem(shop.services.settings.__dict__, "capture", "manual")
    order_id = shop.simple_order(payment_method="pm_card_visa")
    db = shop.services.db
    with pytest.raises(CaptureTooLarge):
        ask_capture(db, order_id, amount=4491, actor="usr_9")
    ask_capture(db, order_id, amount=2000, actor="usr_9")
    with pytest.raises(AlreadyCaptured):
        ask_capture(db, order_id, amount=2000, actor="usr_9")
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.amount_captured, order.refundable) == ("paid", 2000, 2000)
    assert shop.sql("SELECT sum(amount_minor) FROM ledger_lines WHERE account = 'stripe' AND amount_minor > 0") == [
        (2000,)
    ]
