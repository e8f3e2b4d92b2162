"""Money that belongs to no order: refunded or voided by a job, once, whatever happens on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from shop.payments.news import orphans
from shop.payments.news.give_back import give_back
from shop.payments.news.inbox import inbox
from shop.payments.news.orphans import DeliverySettled, NotAdoptable, NotReturnable
from shop.payments.settlement.reconcile import reconcile
from shop.payments.settlement.settle import settle
from shop.ports.gateway import RefundSeen
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.strays import PRICE, at_stripe, orphan, states, stray_payment, wait_out

CLERK = "usr_clerk"


def ask(shop: Shop, delivery_id: str, reason: str = "no such order") -> None:
    orphans.refund(shop.services.db, delivery_id, actor=CLERK, reason=reason)


def back(shop: Shop) -> tuple[str, int, str, str]:
    rows = shop.sql("SELECT operation, amount_minor, outcome, requested_by FROM orphan_returns")
    assert len(rows) == 1
    return rows[0]  # type: ignore[return-value]


def test_money_that_was_captured_is_refunded_and_its_news_are_closed_with_the_reason(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    assert states(shop, intent) == {"returning"}
    shop.work()
    assert back(shop) == ("refund", PRICE, "succeeded", CLERK)
    assert at_stripe(shop, intent)["latest_charge"]
    refunds = shop.services.gateway.refunds_of(intent)
    assert [(refund.amount, refund.refund_id) for refund in refunds] == [
        (PRICE, shop.sql("SELECT id FROM orphan_returns")[0][0])
    ]
    shop.read_all_news()
    assert states(shop, intent) == {"returned", "ignored"}
    reasons = shop.sql("SELECT DISTINCT reason FROM webhook_deliveries WHERE payment_ref = %s", intent)
    assert all("its money went back to the payer (orf_" in reason for (reason,) in reasons)
    assert shop.sql("SELECT count(*) FROM ledger_entries WHERE chain <> 'house'") == [(0,)]


def test_money_that_is_only_held_is_voided(shop: Shop) -> None:
    intent, delivery_id = orphan(shop)
    ask(shop, delivery_id)
    shop.work()
    assert back(shop) == ("void", PRICE, "succeeded", CLERK)
    assert at_stripe(shop, intent)["status"] == "canceled"


def test_only_what_is_left_of_a_payment_goes_back(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    shop.services.gateway.refund_payment(intent, amount=1000, order_id=None, refund_id="by hand", key="by-hand")
    ask(shop, delivery_id)
    shop.work()
    assert back(shop)[:3] == ("refund", PRICE - 1000, "succeeded")
    assert sum(refund.amount for refund in shop.services.gateway.refunds_of(intent)) == PRICE


@pytest.mark.parametrize("kind", ["timeout_after_work", "reset", "status"])
def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(shop: Shop, kind: str) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    more = {"status": 500} if kind == "status" else {"seconds": 0}
    shop.fault("POST /v1/refunds", kind, **more)
    for _ in range(6):
        shop.work()
        shop.hurry()
        shop.sql(
            "UPDATE orphan_returns SET asked_at = now() - interval '1 hour', created_at = now() - interval '1 hour'"
        )
        shop.sweep()
    assert back(shop)[2] == "succeeded"
    assert [refund.amount for refund in shop.services.gateway.refunds_of(intent)] == [PRICE]


def test_after_a_day_the_refund_is_looked_for_before_it_is_asked_for_again(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    shop.fault("POST /v1/refunds", "timeout_after_work", seconds=0)
    shop.work(times=1)
    shop.sql("UPDATE orphan_returns SET deadline = now() - interval '1 hour'")
    asked = len(shop.seen_by_stripe("POST /v1/refunds"))
    shop.hurry()
    shop.work()
    assert back(shop)[2] == "succeeded"
    assert len(shop.seen_by_stripe("POST /v1/refunds")) == asked
    assert len(shop.services.gateway.refunds_of(intent)) == 1


def test_a_hold_that_was_captured_before_the_void_came_is_refunded_instead(shop: Shop) -> None:
    intent, delivery_id = orphan(shop)
    ask(shop, delivery_id)
    # The job has planned to void, and dies before it asks.
    shop.fault("POST /v1/payment_intents/*/cancel", "status", status=429)
    shop.work(times=1)
    shop.services.gateway.capture_payment(intent, amount=PRICE, key="somebody-else")
    for _ in range(3):
        shop.hurry()
        shop.work()
    assert back(shop)[:3] == ("refund", PRICE, "succeeded")
    assert [refund.amount for refund in shop.services.gateway.refunds_of(intent)] == [PRICE]


def test_a_refund_that_bounces_later_brings_the_orphan_back_and_can_be_asked_for_again(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    shop.work()
    shop.read_all_news()
    refund = shop.services.gateway.refunds_of(intent)[0]
    shop.door(f"refunds/{refund.id}", outcome="fail")
    shop.read_all_news()
    assert "orphan" in states(shop, intent)
    assert shop.sql("SELECT outcome FROM orphan_returns") == [("failed",)]
    (row,) = shop.sql("SELECT id, reason FROM webhook_deliveries WHERE state = 'orphan' ORDER BY id LIMIT 1")
    assert row[1].startswith("its refund bounced")
    ask(shop, row[0])
    shop.work()
    assert shop.sql("SELECT outcome FROM orphan_returns ORDER BY id") == [("failed",), ("succeeded",)]


def test_money_that_went_back_is_a_week_later_one_explained_line_of_the_equation(shop: Shop) -> None:
    _, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    shop.work()
    shop.read_all_news()
    services = shop.services
    settle(services.db, services.settlements)
    shop.sql("ALTER TABLE provider_movements DISABLE TRIGGER USER")
    shop.sql("UPDATE provider_movements SET made_at = now() - interval '9 days'")
    shop.sql("ALTER TABLE provider_movements ENABLE TRIGGER USER")
    outcome = reconcile(services.db, services.gateway, services.settlements)
    found = [(line.kind, line.amount_minor) for line in outcome.differences if line.amount_minor]
    ((number, net),) = shop.sql("SELECT count(*), sum(net_minor)::bigint FROM provider_movements")
    assert (number, found) == (2, [("foreign", net)])
    assert shop.sql("SELECT count(*) FROM provider_movements WHERE foreign_at IS NULL") == [(0,)]


def test_money_of_an_order_or_on_its_way_back_is_not_given_back_here(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    with pytest.raises(DeliverySettled):
        ask(shop, delivery_id)
    order_id = shop.simple_order()
    late = stray_payment(shop, 500, order_id=order_id)
    wait_out(shop)
    (delivery,) = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s", late)[0]
    shop.sql("UPDATE webhook_deliveries SET payment_ref = %s WHERE id = %s", intent, delivery)
    with pytest.raises(NotReturnable):
        ask(shop, delivery)
    shop.sql("UPDATE webhook_deliveries SET payment_ref = %s WHERE id = %s", shop.intent(order_id), delivery)
    with pytest.raises(NotReturnable, match=order_id):
        ask(shop, delivery)


def test_a_payment_on_its_way_back_cannot_be_adopted_and_one_being_adopted_not_given_back(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent, delivery_id = orphan(shop, capture="automatic")
    ask(shop, delivery_id)
    shop.sql("UPDATE webhook_deliveries SET state = 'orphan' WHERE id = %s", delivery_id)
    with pytest.raises(NotAdoptable, match="on its way back"):
        orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="changed my mind")
    shop.sql("UPDATE orphan_returns SET outcome = 'refused', answered_at = now()")
    orphans.adopt(shop.services.db, delivery_id, order_id, actor=CLERK, reason="changed my mind")
    (other,) = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s AND id <> %s", intent, delivery_id)[0]
    shop.sql("UPDATE webhook_deliveries SET state = 'orphan' WHERE id = %s", other)
    with pytest.raises(NotReturnable, match="adopted"):
        ask(shop, other)


def test_what_went_back_of_a_payment_that_named_an_order_stands_in_the_orders_log(shop: Shop) -> None:
    order_id = shop.simple_order()
    intent = stray_payment(shop, 999, capture="automatic", order_id=order_id)
    wait_out(shop)
    (delivery_id,) = shop.sql("SELECT id FROM webhook_deliveries WHERE payment_ref = %s ORDER BY id", intent)[0]
    ask(shop, delivery_id, "the customer paid a wrong amount")
    shop.work()
    told = shop.sql(
        "SELECT kind, actor, data ->> 'reason' FROM transactions WHERE order_id = %s AND kind LIKE 'return.%%' ORDER BY seq",
        order_id,
    )
    assert told == [("return.asked", CLERK, "the customer paid a wrong amount"), ("return.ended", None, None)]
    assert shop.read(order_id).status == "awaiting_payment"
    assert [refund.amount for refund in shop.services.gateway.refunds_of(intent)] == [999]


def test_a_disputed_payment_is_left_to_the_bank(shop: Shop) -> None:
    intent, delivery_id = orphan(shop, capture="automatic")
    shop.door("disputes", charge=at_stripe(shop, intent)["latest_charge"], reason="fraudulent")
    ask(shop, delivery_id)
    shop.work()
    assert shop.sql("SELECT outcome FROM orphan_returns") == [("refused",)]
    assert "disputed" in shop.sql("SELECT reason FROM webhook_deliveries WHERE id = %s", delivery_id)[0][0]
    assert states(shop, intent) >= {"orphan"}


def test_a_job_for_what_is_decided_does_nothing(shop: Shop) -> None:
    _, delivery_id = orphan(shop)
    ask(shop, delivery_id)
    shop.work()
    return_id = shop.sql("SELECT id FROM orphan_returns")[0][0]
    asked = len(shop.seen_by_stripe("POST /v1/payment_intents"))
    assert give_back(shop.services.db, shop.services.gateway, return_id) is None
    assert give_back(shop.services.db, shop.services.gateway, "orf_none") is None
    assert len(shop.seen_by_stripe("POST /v1/payment_intents")) == asked


class Meanwhile:
    """The real gateway; something else is done once, while it is asked for the refunds of a payment."""

    def __init__(self, gateway: Any, act: Callable[[], None]) -> None:
        self._gateway, self._acts = gateway, [act]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gateway, name)

    def refunds_of(self, payment_id: str) -> list[RefundSeen]:
        if self._acts:
            self._acts.pop()()
        return self._gateway.refunds_of(payment_id)


def test_news_that_are_read_while_their_money_is_sent_back_do_not_make_the_payment_an_orders(shop: Shop) -> None:
    order_id = shop.simple_order()
    shop.sql("DELETE FROM jobs")
    intent = stray_payment(shop, 999, capture="automatic", order_id=order_id)
    wait_out(shop)
    # By now it would fit: what it did not fit before is another price of the order.
    shop.sql("UPDATE orders SET total_minor = 999, subtotal_minor = 999, shipping_minor = 0, tax_minor = 0")
    rows = shop.sql("SELECT id, type FROM webhook_deliveries WHERE payment_ref = %s AND state = 'orphan'", intent)
    charge = next(row[0] for row in rows if row[1].startswith("charge."))
    other = next(row[0] for row in rows if row[0] != charge)
    orphans.retry(shop.services.db, charge, actor=CLERK)

    def send_it_back() -> None:
        ask(shop, other)
        shop.work(only="payments.give_back")

    assert inbox(shop.services.db, Meanwhile(shop.services.gateway, send_it_back), charge) == "ignored"
    assert back(shop)[:3] == ("refund", 999, "succeeded")
    shop.work()
    assert shop.sql("SELECT count(*) FROM payments WHERE intent_id = %s", intent) == [(0,)]
    assert shop.read(order_id).status == "awaiting_payment"
