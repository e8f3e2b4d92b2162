"""Money back: once, never too much, and into the books."""

import threading

import psycopg
import pytest

from shop.payments.errors import NothingToRefund, NotPayable, RefundableChanged, RefundTooLarge, UnknownLine, WrongState
from shop.payments.refunds.refund import LineWish, RefundWish, ask_refund
from shop.payments.refunds.refund import refund as give_back
from tests.shop.payments.shopkeeper import Shop


def paid(shop: Shop) -> str:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    assert shop.read(order_id).status == "paid"
    return order_id


def wish(expected: int, amount: int | None = None, **more: object) -> RefundWish:
    return RefundWish(reason="test", expected_refundable=expected, amount=amount, **more)  # type: ignore[arg-type]


def test_two_at_once_cannot_give_back_more_than_was_taken(shop: Shop) -> None:
    order_id = paid(shop)
    outcomes: list[str] = []

    def ask() -> None:
        try:
            ask_refund(shop.services.db, order_id, wish(4490, 3000), actor="usr_9")
            outcomes.append("asked")
        except RefundableChanged:
            outcomes.append("changed")

    clerks = [threading.Thread(target=ask) for _ in range(8)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted(outcomes) == ["asked"] + ["changed"] * 7
    assert shop.read(order_id).amount_reserved_for_refund == 3000
    with pytest.raises(RefundTooLarge):
        ask_refund(shop.services.db, order_id, wish(1490, 1491), actor="usr_9")
    shop.work()
    order = shop.read(order_id)
    assert (order.amount_refunded, order.amount_reserved_for_refund, order.refundable) == (3000, 0, 1490)


def test_a_line_that_the_order_does_not_have_is_named(shop: Shop) -> None:
    order_id = paid(shop)
    with pytest.raises(UnknownLine, match="has no line lin_nowhere"):
        ask_refund(shop.services.db, order_id, wish(4490, lines=(LineWish("lin_nowhere", 1),)), actor="usr_9")
    assert shop.read(order_id).refundable == 4490


def test_a_fraction_that_no_card_takes_back_is_refused_before_anything_is_reserved(shop: Shop) -> None:
    shop.stock("prd_1", 5, price=105_00, currency="isk")
    shop.cart("cart_1", ("prd_1", 1), currency="isk")
    order_id = shop.order(payment_method="pm_card_visa")
    shop.work()
    assert (shop.read(order_id).status, shop.read(order_id).refundable) == ("paid", 105_00)
    with pytest.raises(NotPayable):
        ask_refund(shop.services.db, order_id, wish(105_00, 50_50), actor="usr_9")
    assert shop.read(order_id).refundable == 105_00
    ask_refund(shop.services.db, order_id, wish(105_00, 50_00), actor="usr_9")
    shop.work()
    assert shop.read(order_id).amount_refunded == 50_00


def test_the_database_itself_refuses_to_give_back_more_than_was_taken(shop: Shop) -> None:
    order_id = paid(shop)
    with pytest.raises(psycopg.errors.CheckViolation):
        shop.sql("UPDATE orders SET amount_refunded = 4000, amount_reserved_for_refund = 491 WHERE id = %s", order_id)


def test_everything_in_three_parts_leaves_every_account_of_the_sale_at_zero(shop: Shop) -> None:
    order_id = paid(shop)
    left = 4490
    for amount in (1, 1111, 3378):
        ask_refund(shop.services.db, order_id, wish(left, amount), actor="usr_9")
        shop.work()
        left -= amount
    assert shop.read(order_id).status == "refunded"
    books = dict(shop.sql("SELECT account, sum(amount_minor)::int FROM ledger_lines GROUP BY account"))
    assert books["customer"] == books["tax"] == 0
    assert books["sales"] + books["shipping"] + books["refunds"] == 0
    assert books["stripe"] + books["fees"] == 0
    assert shop.sql("SELECT count(DISTINCT args) FROM jobs WHERE name = 'documents.credit'") == [(3,)]


def test_goods_come_back_when_asked_and_no_piece_twice(shop: Shop) -> None:
    order_id = paid(shop)
    (line,) = shop.sql("SELECT id FROM order_lines WHERE order_id = %s", order_id)[0]
    one = wish(4490, lines=(LineWish(line, 1),), restock=True)
    refund = ask_refund(shop.services.db, order_id, one, actor="usr_9")
    assert refund.amount_minor == 2000
    shop.work()
    assert shop.product("prd_1")["stock"] == 4
    with pytest.raises(RefundTooLarge):
        ask_refund(shop.services.db, order_id, wish(2490, lines=(LineWish(line, 2),)), actor="usr_9")
    ask_refund(shop.services.db, order_id, wish(2490, restock=True), actor="usr_9")
    shop.work()
    assert (shop.product("prd_1")["stock"], shop.read(order_id).status) == (5, "refunded")


def test_an_unpaid_order_and_an_empty_wish_are_refused(shop: Shop) -> None:
    order_id = shop.simple_order()
    with pytest.raises(WrongState):
        ask_refund(shop.services.db, order_id, wish(0), actor="usr_9")
    order_id = paid(shop)
    with pytest.raises(NothingToRefund) as refused:
        ask_refund(shop.services.db, order_id, wish(4490, 0), actor="usr_9")
    assert refused.value.code == "refund_too_large"


def test_a_lost_answer_does_not_refund_twice(shop: Shop) -> None:
    shop.door("deliveries", mode="drop", **{"for": 1000})
    order_id = paid(shop)
    shop.fault("POST /v1/refunds", "timeout_after_work", seconds=0)
    ask_refund(shop.services.db, order_id, wish(4490, 1000), actor="usr_9")
    shop.work()
    assert shop.read(order_id).amount_reserved_for_refund == 1000
    shop.sql("UPDATE provider_attempts SET deadline = now() - interval '1 hour' WHERE outcome IS NULL")
    shop.hurry()
    shop.work()
    assert shop.read(order_id).amount_refunded == 1000
    assert len(shop.stripe.account.store.all("refund")) == 1


def test_a_refund_the_provider_turns_down_frees_what_it_reserved(shop: Shop) -> None:
    order_id = paid(shop)
    shop.fault("POST /v1/refunds", "status", status=400)
    refund = ask_refund(shop.services.db, order_id, wish(4490), actor="usr_9")
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.refundable) == ("paid", 4490)
    assert shop.sql("SELECT status FROM refunds WHERE id = %s", refund.id) == [("failed",)]


@pytest.mark.parametrize(("outcome", "status", "refunded"), [("succeed", "refunded", 4490), ("fail", "paid", 0)])
def test_a_pending_refund_is_reserved_until_the_bank_decides(
    shop: Shop, outcome: str, status: str, refunded: int
) -> None:
    order_id = paid(shop)
    shop.door("next-refund", status="pending")
    ours = ask_refund(shop.services.db, order_id, wish(4490), actor="usr_9").id
    shop.work()
    order = shop.read(order_id)
    assert (order.status, order.amount_reserved_for_refund, order.refundable) == ("paid", 4490, 0)
    (theirs,) = shop.sql("SELECT provider_refund_id FROM refunds")[0]
    shop.door("deliveries", mode="drop", **{"for": 100})
    shop.door(f"refunds/{theirs}", outcome=outcome)
    shop.sql("UPDATE refunds SET updated_at = now() - interval '2 hours'")
    # Asked for itself, because the news of it was lost.
    assert give_back(shop.services.db, shop.services.gateway, ours) == ("succeeded" if refunded else "failed")
    order = shop.read(order_id)
    assert (order.status, order.amount_refunded, order.amount_reserved_for_refund) == (status, refunded, 0)


def test_a_refund_that_bounces_after_it_succeeded_is_turned_round_in_the_books(shop: Shop) -> None:
    order_id = paid(shop)
    ask_refund(shop.services.db, order_id, wish(4490), actor="usr_9")
    shop.work()
    assert shop.read(order_id).status == "refunded"
    (theirs,) = shop.sql("SELECT provider_refund_id FROM refunds")[0]
    shop.door(f"refunds/{theirs}", outcome="fail")
    shop.settle(order_id, "paid")
    assert shop.read(order_id).refundable == 4490
    books = dict(shop.sql("SELECT account, sum(amount_minor)::int FROM ledger_lines GROUP BY account"))
    assert books["refunds"] == 0
    assert books["stripe"] == 4490 - books["fees"]
