"""Time limits: the bank's page, the card's deadline, outcomes nobody knows; each is seen and each has an end."""

import pytest

from shop.payments import read
from shop.payments.clocks.look import ask_look, look
from shop.payments.clocks.watch import watch
from shop.payments.orders.confirm import ask_confirm
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.queries.orders import clock
from shop.payments.queries.watching import running_out
from shop.payments.refunds.refund import RefundWish, ask_refund
from tests.shop.payments.shopkeeper import CUSTOMER, Shop

ASKS = "pm_card_authenticationRequired"


def watched(shop: Shop) -> dict[str, int]:
    return {kind: count for kind, count in watch(shop.services.db, shop.terms).items() if count}


def at_the_bank(shop: Shop) -> str:
    """An order whose customer has been on the bank's page for 16 minutes."""
    order_id = shop.simple_order(payment_method=ASKS)
    assert shop.read(order_id).status == "requires_action"
    shop.read_all_news()
    shop.sql("UPDATE payments SET action_since = now() - interval '16 minutes'")
    return order_id


def finish_at_the_bank(shop: Shop, order_id: str, result: str = "succeed") -> None:
    shop.door(f"3ds/{shop.intent(order_id)}", outcome=result)
    shop.read_all_news()


def test_a_customer_who_does_not_come_back_from_the_bank_can_pay_with_another_card(shop: Shop) -> None:
    order_id = at_the_bank(shop)
    assert watched(shop) == {"lapsed": 1}
    assert watched(shop) == {}
    order = shop.read(order_id)
    assert (order.status, order.stock) == ("payment_failed", "reserved")
    payment = read.order_view(shop.services.db, order_id).payment
    assert payment is not None
    assert (payment.decline_code, payment.next_action) == ("authentication_expired", None)
    assert ("mail_payment_failed",) in shop.sql("SELECT kind FROM effects")
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_visa", actor=CUSTOMER)
    assert shop.settle(order_id, "paid").amount_captured == order.total_minor
    assert len(shop.stripe.account.store.all("payment_intent")) == 1


def test_late_looks_at_the_same_page_do_not_revive_the_try(shop: Shop) -> None:
    order_id = at_the_bank(shop)
    watch(shop.services.db, shop.terms)
    assert look(shop.services.db, shop.services.gateway, order_id) == "payment_failed"
    ask_confirm(shop.services.db, shop.terms, order_id, method=ASKS, actor=CUSTOMER)
    shop.work()
    assert shop.read(order_id).status == "requires_action"
    assert watched(shop) == {}


def test_the_same_card_tried_again_has_the_whole_time_at_the_bank_anew(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method=ASKS)
    shop.read_all_news()
    # Fourteen of the fifteen minutes are over when the customer asks for a new page.
    shop.sql("UPDATE payments SET action_since = now() - interval '14 minutes'")
    ask_confirm(shop.services.db, shop.terms, order_id, method=ASKS, actor=CUSTOMER)
    shop.work()
    shop.read_all_news()
    assert shop.read(order_id).status == "requires_action"
    fresh = "SELECT action_since > now() - interval '1 minute', action_since FROM payments"
    ((is_fresh, since),) = shop.sql(fresh)
    assert is_fresh
    assert look(shop.services.db, shop.services.gateway, order_id) == "requires_action"
    assert shop.sql(fresh) == [(True, since)], "a look at the same page gives no more time"


def test_a_look_while_the_same_page_waits_gives_no_more_time(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method=ASKS)
    shop.read_all_news()
    ((before,),) = shop.sql("SELECT action_since FROM payments")
    with shop.services.db.transaction() as tx:
        seen = shop.services.gateway.payment(shop.intent(order_id))
        assert seen is not None
        apply(tx, order_id, [payment_seen(seen, source="sweep", key="again", seen_at=clock(tx))])
    assert shop.sql("SELECT action_since FROM payments") == [(before,)]


def test_who_finishes_at_the_bank_late_has_paid_while_the_order_lives(shop: Shop) -> None:
    order_id = at_the_bank(shop)
    watch(shop.services.db, shop.terms)
    finish_at_the_bank(shop, order_id)
    assert shop.settle(order_id, "paid").stock == "committed"


def test_who_finishes_at_the_bank_after_the_order_expired_gets_the_money_back_at_once(shop: Shop) -> None:
    """The void is under way when the bank says yes: it is voided then, and nothing was taken."""
    order_id = at_the_bank(shop)
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    shop.sweep()
    shop.work()
    assert shop.read(order_id).status == "expired"
    with pytest.raises(Exception, match="40"):
        finish_at_the_bank(shop, order_id)
    (intent,) = shop.stripe.account.store.all("payment_intent")
    assert (intent["status"], intent["amount_received"]) == ("canceled", 0)


def test_goods_that_are_gone_when_the_bank_says_yes_let_the_money_go(shop: Shop) -> None:
    order_id = at_the_bank(shop)
    watch(shop.services.db, shop.terms)
    shop.services.products.release(order_id)
    finish_at_the_bank(shop, order_id)
    order = shop.settle(order_id, "canceled")
    assert (order.status_reason, order.amount_captured) == ("out_of_stock", 0)


def authorized(shop: Shop, days: float) -> str:
    """An order captured at shipping time whose card holds the money for so many days more."""
    order_id = shop.simple_order()
    shop.sql("UPDATE orders SET capture_method = 'manual'")
    shop.pay_in_browser(order_id)
    shop.settle(order_id, "authorized")
    shop.read_all_news()
    shop.sql("UPDATE payments SET capture_before = now() + make_interval(secs => %s)", days * 86400)
    return order_id


def test_a_deadline_that_is_near_is_told_to_staff_once(shop: Shop) -> None:
    order_id = authorized(shop, days=2)
    assert watched(shop) == {}
    shop.sql("UPDATE payments SET capture_before = now() + interval '23 hours'")
    assert watched(shop) == {"deadlines": 1}
    watch(shop.services.db, shop.terms)
    mails = shop.sql("SELECT args ->> 'kind', args ->> 'subject_id' FROM jobs WHERE name = 'documents.mail'")
    assert mails == [("order_received", order_id), ("capture_due", order_id)]
    assert shop.read(order_id).status == "authorized"


def test_orders_that_staff_were_told_of_keep_no_other_from_being_told(shop: Shop) -> None:
    nearest = authorized(shop, days=0.5)
    watch(shop.services.db, shop.terms)
    other = authorized(shop, days=0.6)
    shop.sql("UPDATE payments SET capture_before = now() + interval '6 hours' WHERE order_id = %s", nearest)
    shop.sql("UPDATE payments SET capture_before = now() + interval '9 hours' WHERE order_id = %s", other)
    with shop.services.db.transaction() as tx:
        assert running_out(tx, within_s=86400, limit=1) == [(other, "manual")]
    assert watched(shop) == {"deadlines": 1}
    assert watched(shop) == {}


def test_an_automatic_order_near_its_deadline_is_captured(shop: Shop) -> None:
    order_id = authorized(shop, days=0.5)
    shop.sql("UPDATE orders SET capture_method = 'automatic'")
    watch(shop.services.db, shop.terms)
    assert shop.settle(order_id, "paid").amount_captured > 0


def test_after_the_deadline_the_order_ends_with_the_reason_though_no_news_came(shop: Shop) -> None:
    order_id = authorized(shop, days=7)
    shop.door("deliveries", mode="drop", **{"for": 1000})
    shop.door("clock", advance=8 * 86400)
    shop.sql("UPDATE payments SET capture_before = now() - interval '10 minutes'")
    assert watched(shop) == {"looks": 1}
    order = shop.settle(order_id, "canceled")
    shop.work()
    assert (order.status_reason, order.amount_captured) == ("authorization_expired", 0)
    assert shop.read(order_id).stock == "returned"


def lost(shop: Shop, times: int = 1) -> str:
    """An order whose capture got no answer, and no news of it came either."""
    shop.door("deliveries", mode="drop", **{"for": 1000})
    shop.fault("POST /v1/payment_intents/*/capture", "timeout_after_work", seconds=0, times=times)
    return shop.simple_order(payment_method="pm_card_visa")


def test_an_outcome_nobody_knows_is_shown_with_its_time_and_the_next_look(shop: Shop) -> None:
    order_id = lost(shop)
    (doubt,) = read.order_view(shop.services.db, order_id).doubts
    assert (doubt.operation, doubt.tries) == ("capture", 1)
    assert doubt.look_at is not None
    assert 290 <= (doubt.look_at - doubt.unknown_since).total_seconds() <= 310
    shop.hurry()
    shop.work()
    view = read.order_view(shop.services.db, order_id)
    assert (view.order.status, view.doubts) == ("paid", ())


@pytest.mark.parametrize(("age", "next_s"), [("2 minutes", 300), ("3 hours", 3600), ("30 hours", 86400)])
def test_the_longer_nobody_knows_the_rarer_somebody_looks(shop: Shop, age: str, next_s: int) -> None:
    order_id = lost(shop, times=2)
    shop.sql("UPDATE provider_attempts SET unknown_since = now() - %s::interval WHERE outcome IS NULL", age)
    shop.hurry()
    shop.work()
    (doubt,) = read.order_view(shop.services.db, order_id).doubts if next_s else ()
    assert doubt.look_at is not None
    assert shop.sql(
        "SELECT abs(extract(epoch FROM look_at - now()) - %s) < 60 FROM provider_attempts WHERE outcome IS NULL", next_s
    ) == [(True,)]
    assert shop.sweep()["undecided"] == 0
    shop.sql("UPDATE provider_attempts SET look_at = now() WHERE outcome IS NULL")
    assert shop.sweep()["undecided"] == 1
    shop.hurry()
    shop.work()
    assert shop.read(order_id).status == "paid"


def test_a_refund_that_got_no_answer_is_an_outcome_nobody_knows_like_the_others(shop: Shop) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    asked = RefundWish(reason="test", expected_refundable=4490)
    ask_refund(shop.services.db, order_id, asked, actor="usr_9")
    shop.fault("POST /v1/refunds", "timeout_after_work", seconds=0)
    shop.work(only="payments.refund")
    (doubt,) = read.order_view(shop.services.db, order_id).doubts
    assert (doubt.operation, doubt.tries) == ("refund", 1)
    assert doubt.look_at is not None
    assert 290 <= (doubt.look_at - doubt.unknown_since).total_seconds() <= 310
    # The sweep comes each minute, and asks no sooner than that.
    shop.sql("UPDATE provider_attempts SET asked_at = now() - interval '4 min' WHERE outcome IS NULL")
    assert shop.sweep()["undecided"] == 0
    shop.hurry()
    shop.work()
    assert (shop.read(order_id).status, read.order_view(shop.services.db, order_id).doubts) == ("refunded", ())


def test_a_worker_that_never_came_back_leaves_an_unknown_outcome(shop: Shop) -> None:
    order_id = lost(shop)
    shop.sql("UPDATE provider_attempts SET unknown_since = NULL, look_at = NULL, asked_at = now() - interval '5 min'")
    shop.sql("DELETE FROM jobs")
    assert watched(shop) == {"unknown": 1}
    assert read.order_view(shop.services.db, order_id).doubts
    assert shop.sweep()["undecided"] == 1
    shop.work()
    assert shop.read(order_id).status == "paid"


def test_reading_an_order_looks_up_what_is_unknown_but_not_for_each_reader(shop: Shop) -> None:
    order_id = lost(shop)
    shop.sql("DELETE FROM jobs")
    shop.sql("UPDATE provider_attempts SET asked_at = now() - interval '1 min'")
    shop.sql("UPDATE provider_attempts SET unknown_since = asked_at")
    shop.sql("UPDATE payments SET updated_at = now() - interval '1 min'")
    db = shop.services.db
    assert [ask_look(db, order_id, "capturing") for _ in range(3)] == [True, False, False]
    assert sorted(shop.work()) == ["payments.capture", "payments.clear", "payments.look"]
    assert shop.read(order_id).status == "paid"
    assert len({asked["headers"]["idempotency-key"] for asked in shop.seen_by_stripe("/capture")}) == 1


def test_reading_an_order_heals_lost_news_of_a_payment(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    order_id = shop.simple_order()
    shop.pay_in_browser(order_id)
    db = shop.services.db
    assert not ask_look(db, order_id, "awaiting_payment"), "it was written to a moment ago"
    shop.sql("UPDATE payments SET updated_at = now() - interval '1 min'")
    assert ask_look(db, order_id, "awaiting_payment")
    assert shop.settle(order_id, "paid").amount_captured > 0


def test_a_look_that_finds_nothing_new_writes_nothing_into_the_log(shop: Shop) -> None:
    order_id = shop.simple_order()
    facts = shop.sql("SELECT count(*) FROM transactions")
    for _ in range(3):
        assert look(shop.services.db, shop.services.gateway, order_id) == "awaiting_payment"
    assert shop.sql("SELECT count(*) FROM transactions") == facts


def test_setups_that_nobody_finished_are_deleted_after_a_month(shop: Shop) -> None:
    shop.sql(
        "INSERT INTO payment_method_setups (id, customer_id, created_at)"
        " VALUES ('pms_1', 'usr_1', now() - interval '31 days'), ('pms_2', 'usr_1', now() - interval '29 days')"
    )
    assert watched(shop) == {"setups": 1}
    assert shop.sql("SELECT id FROM payment_method_setups") == [("pms_2",)]
