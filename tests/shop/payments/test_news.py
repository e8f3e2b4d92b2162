"""Stripe's news: late, doubled, shuffled, lost, foreign, early. The order ends in the same state."""

import pytest
import requests

from tests.shop.payments.shopkeeper import CUSTOMER, Shop

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}


def test_a_payment_in_the_browser_is_learnt_from_the_webhook_and_captured(shop: Shop) -> None:
    order_id = shop.simple_order()
    assert shop.pay_in_browser(order_id).json()["status"] == "requires_capture"
    order = shop.settle(order_id, "paid")
    assert order.amount_captured == 4490
    (state, used) = shop.sql(
        "SELECT state, secret_label FROM webhook_deliveries WHERE type = 'payment_intent.amount_capturable_updated'"
    )[0]
    assert (state, used[:7]) == ("applied", "secret ")
    assert shop.sql("SELECT capture_before > now() FROM payments") == [(True,)]


@pytest.mark.parametrize("mode", ["double", "shuffle"])
def test_doubled_and_shuffled_news_give_one_capture_one_invoice_and_the_same_books(shop: Shop, mode: str) -> None:
    shop.door("deliveries", mode=mode, **{"for": 5})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    shop.settle(order_id, "paid")
    shop.door("deliveries", mode="normal")
    shop.read_all_news()
    assert shop.read(order_id).status == "paid"
    assert len(shop.seen_by_stripe("/capture")) == 1
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'documents.invoice'") == [(1,)]
    booked = shop.sql("SELECT kind, count(*) FROM ledger_entries GROUP BY kind ORDER BY kind")
    assert booked == [("authorisation", 2), ("capture", 1), ("fee", 1), ("sale", 1)]
    assert shop.sql("SELECT DISTINCT state FROM webhook_deliveries WHERE type LIKE 'payment_intent.%'") == [
        ("applied",)
    ]


def test_news_that_never_came_is_found_by_the_sweep(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 100})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    shop.work()
    assert shop.read(order_id).status == "awaiting_payment"
    assert shop.sweep()["events_missed"] > 0
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert shop.sweep()["events_missed"] > 0  # the capture's own news was dropped as well
    assert shop.sweep()["events_missed"] == 0
    assert shop.sql("SELECT DISTINCT source FROM webhook_deliveries") == [("poll",)]


def test_news_about_a_payment_whose_answer_was_lost_is_taken_and_no_second_payment_is_made(shop: Shop) -> None:
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 2))
    shop.fault("POST /v1/payment_intents", "timeout_after_work", seconds=0)
    order_id = shop.order()
    shop.work()
    assert shop.read(order_id).status in {"placing", "awaiting_payment"}  # news may have come by now
    intent = shop.stripe.account.store.all("payment_intent")[0]["id"]
    requests.post(
        f"{shop.stripe.url}/v1/payment_intents/{intent}/confirm",
        data={"payment_method": "pm_card_visa", "return_url": "https://shop.example/"},
        headers=BEARER,
        timeout=5,
    ).raise_for_status()
    shop.settle(order_id, "paid")
    shop.hurry()
    shop.work()
    assert shop.read(order_id).status == "paid"
    assert len(shop.stripe.account.store.all("payment_intent")) == 1
    assert shop.sql("SELECT outcome, tries FROM provider_attempts WHERE operation = 'create'") == [("succeeded", 2)]


def make_intent(shop: Shop, **metadata: str) -> str:
    answer = requests.post(
        f"{shop.stripe.url}/v1/payment_intents",
        data={
            "amount": 999,
            "currency": "eur",
            "capture_method": "manual",
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


def state_of_news(shop: Shop, intent: str) -> set[tuple[str, str | None, bool]]:
    return set(
        shop.sql(
            "SELECT state, left(reason, 7), retry_at IS NOT NULL FROM webhook_deliveries WHERE payment_ref = %s"
            " AND type = 'payment_intent.amount_capturable_updated'",
            intent,
        )
    )


def test_somebody_elses_payment_is_put_aside_with_the_reason(shop: Shop) -> None:
    intent = make_intent(shop)
    shop.read_all_news()
    assert state_of_news(shop, intent) == {("ignored", "foreign", False)}


def test_news_about_an_order_we_do_not_know_waits_and_in_the_end_waits_for_a_person(shop: Shop) -> None:
    intent = make_intent(shop, order_id="ord_unknown")
    shop.read_all_news()
    assert state_of_news(shop, intent) == {("parked", "there i", True)}
    for _ in range(8):
        shop.sql("UPDATE webhook_deliveries SET retry_at = now() WHERE retry_at IS NOT NULL")
        shop.sweep()
        shop.work()
    assert state_of_news(shop, intent) == {("orphan", "there i", False)}


def test_a_payment_of_another_amount_pays_for_nothing_and_is_shown_to_a_person(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent = make_intent(shop, order_id=order_id)
    shop.read_all_news()
    assert state_of_news(shop, intent) == {("parked", f"order {order_id}"[:7], True)}
    assert shop.read(order_id).status == "awaiting_payment"


def test_a_refund_made_in_the_dashboard_is_taken_into_the_books_once(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    requests.post(
        f"{shop.stripe.url}/v1/refunds",
        data={"payment_intent": shop.intent(order_id), "amount": 490},
        headers=BEARER,
        timeout=5,
    ).raise_for_status()
    order = shop.settle(order_id, "partially_refunded")
    assert (order.amount_refunded, order.refundable) == (490, 4000)
    shop.sweep()
    shop.work()
    assert shop.sql("SELECT amount_minor, origin, status FROM refunds") == [(490, "provider", "succeeded")]
    assert shop.sql("SELECT count(*) FROM jobs WHERE name = 'documents.credit'") == [(1,)]


def test_three_d_secure_is_a_state_and_its_end_is_learnt(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_threeDSecure2Required")
    assert shop.read(order_id).status == "requires_action"
    assert shop.sql("SELECT next_action ->> 'type' FROM payments") == [("redirect_to_url",)]
    shop.door(f"3ds/{shop.intent(order_id)}", outcome="fail")
    shop.settle(order_id, "payment_failed")
    assert shop.sql("SELECT decline_code FROM payments")[0][0]
    assert shop.read(order_id).customer_id == CUSTOMER
