"""What is left over when news, answers and people cross each other's way: nothing stays undecided, nothing is lost."""

from typing import cast

import pytest
import requests

from shop.payments import read
from shop.payments.orders.cancel import ask_cancel
from shop.payments.orders.capture import ask_capture, capture
from shop.ports.neighbours import Products
from tests.shop.payments.shopkeeper import Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}
CARD = {"payment_method": "pm_card_visa", "return_url": "https://shop.example/return"}
A_DAY_AGO = (
    "UPDATE provider_attempts SET deadline = now() - interval '1 hour', asked_at = now() - interval '1 day',"
    " look_at = now()"
)


def undecided(shop: Shop) -> list[tuple[str]]:
    return shop.sql("SELECT operation FROM provider_attempts WHERE outcome IS NULL")


def work_in_a_hurry(shop: Shop, rounds: int = 4) -> None:
    for _ in range(rounds):
        shop.work()
        shop.hurry()


def manual_order(shop: Shop) -> str:
    shop.services.settings.__dict__["capture"] = "manual"
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "authorized"
    return order_id


def void_at_stripe(shop: Shop, order_id: str) -> None:
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{shop.intent(order_id)}/cancel", headers=BEARER, timeout=5
    ).raise_for_status()


def second_payment(shop: Shop, order_id: str) -> str:
    """As a lost answer under a key that Stripe kept with an error leaves one behind."""
    answer = requests.post(
        f"{shop.stripe.url}/v1/payment_intents",
        data={"amount": 4490, "currency": "eur", "capture_method": "manual", "metadata[order_id]": order_id},
        headers=BEARER,
        timeout=5,
    )
    answer.raise_for_status()
    return answer.json()["id"]


def test_a_capture_whose_news_was_quicker_than_its_repeat_is_decided(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.read_all_news()
    assert (shop.read(order_id).status, undecided(shop)) == ("paid", [("capture",)])
    work_in_a_hurry(shop)
    assert undecided(shop) == []
    assert read.order_view(shop.services.db, order_id).settled
    assert shop.sql("SELECT count(*) FROM ledger_entries WHERE kind = 'capture'") == [(1,)]


def test_a_capture_of_a_payment_that_was_voided_elsewhere_is_given_up(shop: Shop) -> None:
    shop.fault("POST /v1/payment_intents/*/capture", "timeout", seconds=0)
    order_id = shop.simple_order(payment_method="pm_card_visa")
    void_at_stripe(shop, order_id)
    shop.settle(order_id, "canceled")
    work_in_a_hurry(shop)
    assert undecided(shop) == []
    assert shop.sql("SELECT outcome FROM provider_attempts WHERE operation = 'capture'") == [("abandoned",)]


def test_a_capture_asked_for_during_a_cancellation_is_given_up_with_the_order(shop: Shop) -> None:
    order_id = manual_order(shop)
    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    ask_capture(shop.services.db, order_id, amount=None, actor="usr_9")
    work_in_a_hurry(shop)
    shop.sweep()
    shop.sql("UPDATE provider_attempts SET created_at = now() - interval '10 minutes'")
    shop.sweep()
    work_in_a_hurry(shop)
    assert (shop.read(order_id).status, undecided(shop)) == ("canceled", [])
    assert shop.seen_by_stripe("/capture") == []


@pytest.mark.parametrize("reason", ["customer", "out_of_stock"])
def test_a_void_that_lay_for_a_day_is_asked_for_again_and_not_forgotten(shop: Shop, reason: str) -> None:
    order_id = manual_order(shop)
    shop.fault("POST /v1/payment_intents/*/cancel", "timeout", seconds=0)
    ask_cancel(shop.services.db, order_id, reason=reason, actor="usr_1")
    shop.work()
    shop.sql(A_DAY_AGO)
    work_in_a_hurry(shop)
    assert (shop.read(order_id).status, shop.read(order_id).status_reason) == ("canceled", reason)
    assert undecided(shop) == []


def test_an_order_captured_at_shipping_time_has_its_goods_from_the_authorisation_on(shop: Shop) -> None:
    order_id = manual_order(shop)
    assert (shop.read(order_id).stock, shop.product("prd_1")["stock"]) == ("committed", 3)
    # The reservation is long over when somebody ships.
    requests.delete(f"{shop.products_url}/reservations/{order_id}", headers=shop.token, timeout=5)
    ask_capture(shop.services.db, order_id, amount=None, actor="usr_9")
    shop.work()
    assert shop.read(order_id).status == "paid"


def test_a_manual_order_whose_goods_are_gone_at_the_authorisation_is_voided_at_once(shop: Shop) -> None:
    shop.services.settings.__dict__["capture"] = "manual"
    order_id = shop.simple_order()
    requests.delete(f"{shop.products_url}/reservations/{order_id}", headers=shop.token, timeout=5).raise_for_status()
    shop.pay_in_browser(order_id)
    assert shop.settle(order_id, "canceled").status_reason == "out_of_stock"


class Dying:
    """A Product service that takes the goods out of stock, and a worker that dies of the good news."""

    def __init__(self, products: Products) -> None:
        self._products = products

    def __getattr__(self, name: str) -> object:
        return getattr(self._products, name)

    def commit(self, reservation_id: str) -> None:
        self._products.commit(reservation_id)
        raise KeyboardInterrupt


def test_goods_whose_commit_was_never_recorded_come_back_when_the_order_is_called_off(shop: Shop) -> None:
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 2))
    order_id = shop.order(payment_method="pm_card_visa")
    shop.work(only="payments.place")
    shop.work(only="payments.confirm")
    assert shop.read(order_id).status == "authorized"
    with pytest.raises(KeyboardInterrupt):
        capture(shop.services.db, shop.services.gateway, cast("Products", Dying(shop.services.products)), order_id)
    assert (shop.read(order_id).stock, shop.product("prd_1")["stock"]) == ("reserved", 3)
    void_at_stripe(shop, order_id)
    shop.read_all_news()
    work_in_a_hurry(shop)
    order = shop.read(order_id)
    assert (order.status, order.stock, shop.product("prd_1")["stock"]) == ("canceled", "returned", 5)


def test_the_secret_of_one_payment_is_never_kept_with_another(shop: Shop) -> None:
    order_id = shop.simple_order()
    second_payment(shop, order_id)
    shop.read_all_news()
    kept = shop.sql("SELECT intent_id, client_secret FROM payments")
    assert len(kept) == 2
    assert all(secret.startswith(f"{intent}_secret_") for intent, secret in kept)


def test_calling_off_an_order_with_two_payments_voids_both(shop: Shop) -> None:
    order_id = shop.simple_order()
    second_payment(shop, order_id)
    shop.read_all_news()
    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    work_in_a_hurry(shop)
    assert shop.read(order_id).status == "canceled"
    assert {intent["status"] for intent in shop.stripe.account.store.all("payment_intent")} == {"canceled"}


def test_an_open_payment_beside_the_one_that_was_captured_is_voided_by_the_sweep(shop: Shop) -> None:
    order_id = shop.simple_order()
    stray = second_payment(shop, order_id)
    shop.read_all_news()
    (counts,) = shop.sql("SELECT intent_id FROM payments WHERE intent_id <> %s", stray)[0]
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{counts}/confirm",
        data=CARD,
        headers=BEARER,
        timeout=5,
    ).raise_for_status()
    shop.settle(order_id, "paid")
    shop.sql("UPDATE payments SET updated_at = now() - interval '10 minutes'")
    shop.sweep()
    work_in_a_hurry(shop)
    assert shop.read(order_id).status == "paid"
    assert shop.sql("SELECT status FROM payments WHERE intent_id = %s", stray) == [("canceled",)]


def test_two_payments_that_were_both_captured_wait_for_a_person(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    other = second_payment(shop, order_id)
    for path, data in (("confirm", CARD), ("capture", {})):
        url = f"{shop.stripe.url}/v1/payment_intents/{other}/{path}"
        requests.post(url, data=data, headers=BEARER, timeout=5).raise_for_status()
    shop.read_all_news()
    order = shop.read(order_id)
    assert (order.status, order.amount_captured) == ("paid", 4490)
    reasons = shop.sql("SELECT DISTINCT reason FROM webhook_deliveries WHERE state = 'parked'")
    assert any("captured more than it costs" in reason for (reason,) in reasons)


def test_the_log_holds_neither_client_secrets_nor_the_addresses_that_contain_them(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_authenticationRequired")
    assert shop.read(order_id).status == "requires_action"
    assert shop.sql("SELECT next_action IS NOT NULL FROM payments") == [(True,)]
    logged = shop.sql("SELECT coalesce(string_agg(data::text, ' '), '') FROM transactions")[0][0]
    assert "_secret_" not in logged
    assert "next_action" not in logged


def test_what_the_sweep_looked_at_in_vain_is_left_alone_for_a_while(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.sql(
        "UPDATE payments SET fee_minor = NULL, updated_at = now() - interval '1 hour' WHERE order_id = %s", order_id
    )
    shop.fault("GET /v1/payment_intents/*", "status", status=404, times=10)
    shop.sweep()
    asked = len(shop.seen_by_stripe(f"GET /v1/payment_intents/{shop.intent(order_id)}"))
    shop.sweep()
    assert len(shop.seen_by_stripe(f"GET /v1/payment_intents/{shop.intent(order_id)}")) == asked
