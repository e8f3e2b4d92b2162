"""News that nobody could place: parked, then orphans, until a person adopts, dismisses or retries them."""

import pytest

from shop.errors import NotFound
from shop.payments.errors import OrderNotFound
from shop.payments.news import orphans
from shop.payments.news.orphans import DeliverySettled, NotAdoptable
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import PRICE, at_stripe, orphan, states, stray_payment, wait_out

CLERK = "usr_clerk"


def facts(shop: Shop, order_id: str) -> list[tuple[str, str | None, str | None]]:
    return shop.sql(
        "SELECT kind, actor, data ->> 'reason' FROM transactions WHERE order_id = %s AND source = 'operator'"
        " OR order_id = %s AND kind IN ('payment.adopted', 'adoption.refused') ORDER BY seq",
        order_id,
        order_id,
    )


def test_news_of_an_unknown_order_wait_with_growing_delay_and_then_for_a_person(shop: Shop) -> None:
    intent = stray_payment(shop, order_id="ord_unknown")
    shop.read_all_news()
    waits: list[int] = []
    while "orphan" not in states(shop, intent):
        shop.sql("UPDATE webhook_deliveries SET retry_at = now() WHERE retry_at IS NOT NULL")
        shop.sweep()
        shop.work()
        found = shop.sql("SELECT extract(epoch FROM max(retry_at) - now()) / 60 FROM webhook_deliveries")[0][0]
        waits += [round(found)] if found else []
    assert waits == [5, 30, 120, 480, 1440, 2880]
    assert states(shop, intent) == {"orphan"}
    seen = shop.sql(
        "SELECT DISTINCT seen ->> 'amount', seen ->> 'status', seen ->> 'names_order' FROM webhook_deliveries"
    )
    assert seen == [(str(PRICE), "requires_capture", "ord_unknown")]
    assert shop.sweep()["deliveries"] == 0


def test_an_adopted_payment_pays_for_its_order_and_the_order_says_who_decided_it(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent, delivery_id = orphan(shop)
    adopted = orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="typed the wrong number")
    assert (adopted.state, adopted.adopt_into) == ("received", order_id)
    order = shop.settle(order_id, "paid")
    assert order.amount_captured == PRICE
    assert order.stock == "committed"
    assert at_stripe(shop, intent)["status"] == "succeeded"
    shop.read_all_news()
    assert states(shop, intent) == {"applied"}
    assert facts(shop, order_id) == [
        ("adoption.asked", CLERK, "typed the wrong number"),
        ("payment.adopted", CLERK, "typed the wrong number"),
    ]
    assert shop.sql("SELECT act, actor, reason, order_id FROM delivery_acts") == [
        ("adopt", CLERK, "typed the wrong number", order_id)
    ]
    assert shop.sql("SELECT DISTINCT order_id FROM payments WHERE intent_id = %s", intent) == [(order_id,)]


def test_a_payment_without_any_name_that_was_taken_for_foreign_can_be_adopted_too(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent = stray_payment(shop)
    shop.read_all_news()
    assert states(shop, intent) == {"ignored"}
    (delivery_id,) = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s ORDER BY id", intent)[0]
    orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="paid by telephone")
    assert shop.settle(order_id, "paid").amount_captured == PRICE


@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [(PRICE - 1, "eur", "the payment is of 4489 eur"), (PRICE, "usd", "the payment is of 4490 usd")],
)
def test_a_payment_of_another_amount_or_currency_cannot_be_adopted(
    shop: Shop, amount: int, currency: str, why: str
) -> None:
    order_id = shop.simple_order()
    intent, delivery_id = orphan(shop, amount, currency=currency)
    with pytest.raises(NotAdoptable, match=why):
        orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="it looks right")
    assert states(shop, intent) == {"orphan"}
    assert shop.sql("SELECT count(*) FROM delivery_acts") == [(0,)]


def test_an_order_that_is_paid_or_over_takes_no_further_payment(shop: Shop) -> None:
    paid = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(paid, "paid")
    _, delivery_id = orphan(shop)
    with pytest.raises(NotAdoptable, match="is paid"):
        orphans.adopt(shop.services.db, delivery_id, paid, actor=CLERK, reason="why not")
    with pytest.raises(OrderNotFound):
        orphans.adopt(shop.services.db, delivery_id, "ord_none", actor=CLERK, reason="why not")


def test_a_payment_that_changed_between_the_decision_and_the_job_is_not_adopted(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent, delivery_id = orphan(shop)
    orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="typed the wrong number")
    shop.services.gateway.cancel_payment(intent, reason="customer", key="somebody-else")
    shop.read_all_news()
    assert shop.read(order_id).status == "awaiting_payment"
    (row,) = shop.sql("SELECT state, reason, adopt_into FROM webhook_deliveries WHERE id = %s", delivery_id)
    assert row[0] == "orphan"
    assert "could not be adopted: the payment is canceled" in row[1]
    assert row[2] is None
    assert [kind for kind, _, _ in facts(shop, order_id)] == ["adoption.asked", "adoption.refused"]


def test_one_payment_is_never_given_to_two_orders(shop: Shop) -> None:
    first, second = shop.simple_order(), shop.simple_order()
    intent, delivery_id = orphan(shop)
    others = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s AND id <> %s", intent, delivery_id)
    orphans.adopt(shop.services.db, delivery_id, first, actor=CLERK, reason="the first")
    assert others
    with pytest.raises(NotAdoptable, match=first):
        orphans.adopt(shop.services.db, others[0][0], second, actor=CLERK, reason="the second")
    # Even if both had been let through, the job of the second finds the payment taken.
    shop.sql("UPDATE webhook_deliveries SET adopt_into = %s, state = 'received' WHERE id = %s", second, others[0][0])
    shop.sql(
        "INSERT INTO delivery_acts (id, delivery_id, act, actor, reason, order_id) VALUES ('act_2', %s, 'adopt', 'x', 'y', %s)",
        others[0][0],
        second,
    )
    shop.settle(first, "paid")
    shop.sql("UPDATE webhook_deliveries SET received_at = now() - interval '1 hour' WHERE state = 'received'")
    shop.sweep()
    shop.work()
    assert shop.read(second).status == "awaiting_payment"
    reason = shop.sql("SELECT reason FROM webhook_deliveries WHERE id = %s", others[0][0])[0][0]
    assert f"the payment is order {first}'s by now" in reason


def test_an_adoption_that_dies_half_way_is_done_once(shop: Shop) -> None:
    order_id = shop.simple_order()
    _, delivery_id = orphan(shop)
    orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="typed the wrong number")
    shop.fault("GET /v1/payment_intents/*", "reset", times=2)
    shop.work()
    shop.hurry()
    shop.work()
    shop.sql("UPDATE webhook_deliveries SET received_at = now() - interval '1 hour' WHERE state = 'received'")
    shop.hurry()
    shop.sweep()
    assert shop.settle(order_id, "paid").amount_captured == PRICE
    assert shop.sql("SELECT count(*) FROM transactions WHERE kind = 'payment.adopted'") == [(1,)]


def test_dismissed_news_stay_with_who_and_why_and_nobody_can_touch_them_again(shop: Shop) -> None:
    intent, delivery_id = orphan(shop)
    dismissed = orphans.dismiss(shop.services.db, delivery_id, actor=CLERK, reason="a test of the other shop")
    assert dismissed.state == "dismissed"
    assert dismissed.reason == f"dismissed by {CLERK}: a test of the other shop"
    assert states(shop, intent) == {"dismissed"}
    with pytest.raises(DeliverySettled):
        orphans.dismiss(shop.services.db, delivery_id, actor=CLERK, reason="again")
    with pytest.raises(DeliverySettled):
        orphans.retry(shop.services.db, delivery_id, actor=CLERK)
    acts = shop.sql("SELECT DISTINCT act, actor, reason FROM delivery_acts")
    assert acts == [("dismiss", CLERK, "a test of the other shop")]
    with pytest.raises(Exception, match="append-only"):
        shop.sql("UPDATE delivery_acts SET reason = 'another'")


def test_what_is_dismissed_about_an_order_is_a_fact_of_the_order(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent = stray_payment(shop, 999, order_id=order_id)
    wait_out(shop)
    assert states(shop, intent) == {"orphan"}
    (delivery_id,) = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s", intent)[0]
    orphans.dismiss(shop.services.db, delivery_id, actor=CLERK, reason="tried out by hand")
    assert facts(shop, order_id) == [("delivery.dismissed", CLERK, "tried out by hand")]
    assert shop.read(order_id).status == "awaiting_payment"


def test_a_retry_reads_it_at_once_and_one_that_fails_again_waits_for_a_person_again(shop: Shop) -> None:
    intent, delivery_id = orphan(shop)
    assert orphans.retry(shop.services.db, delivery_id, actor=CLERK).state == "received"
    shop.work()
    assert states(shop, intent) == {"orphan"}
    assert shop.sql("SELECT act, actor FROM delivery_acts") == [("retry", CLERK)]
    with pytest.raises(NotFound):
        orphans.retry(shop.services.db, "whd_none", actor=CLERK)


def test_an_outage_of_the_provider_makes_no_orphans(shop: Shop) -> None:
    intent = stray_payment(shop, order_id="ord_unknown")
    shop.fault("GET /v1/payment_intents/*", "status", status=503, times=1000)
    shop.read_all_news()
    for _ in range(12):
        shop.hurry()
        shop.work()
    assert states(shop, intent) == {"received"}
    assert shop.sql("SELECT max(attempts) FROM webhook_deliveries") == [(0,)]


def test_news_that_no_try_can_read_are_shown_to_a_person(shop: Shop) -> None:
    intent = stray_payment(shop, order_id="ord_unknown")
    shop.read_all_news()
    shop.sql("UPDATE webhook_deliveries SET state = 'received', attempts = 40, received_at = now() - interval '1 hour'")
    shop.sweep()
    shop.work()
    assert states(shop, intent) == {"orphan"}
    assert "could not be read in 40 tries" in shop.sql("SELECT reason FROM webhook_deliveries LIMIT 1")[0][0]


def test_the_goods_of_a_payment_that_was_captured_already_are_taken_when_it_is_adopted(shop: Shop) -> None:
    order_id = shop.simple_order(stock=5)
    intent, delivery_id = orphan(shop, capture="automatic")
    orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="typed the wrong number")
    shop.settle(order_id, "paid")
    shop.read_all_news()
    assert shop.read(order_id).stock == "committed"
    assert (shop.product("prd_1")["stock"], shop.product("prd_1")["reserved"]) == (3, 0)
    assert at_stripe(shop, intent)["amount_received"] == PRICE
