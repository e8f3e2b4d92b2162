"""The fold converges: any order, any repeats, the same state."""

import json
import random
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.payments.errors import IllegalMove, Implausible
from shop.payments.orders import facts as applying
from shop.payments.orders.fold import Fact, UnknownWord, fold
from shop.payments.orders.moves import STATUSES, reachable
from shop.payments.queries import facts as log
from shop.payments.refunds.refund import RefundWish, ask_refund
from tests.shop.payments.shopkeeper import Shop

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def seen(minute: int, status: str, **more: object) -> Fact:
    data = {
        "status": status,
        "amount": 1000,
        "currency": "eur",
        "order": "ord_1",
        "capturable": 0,
        "captured": 0,
        "charge_id": None,
        "capture_before": None,
        "card": None,
        "decline": None,
        "fee": None,
        "disputed": False,
        "cancellation_reason": None,
        **more,
    }
    return Fact(
        "payment.seen", "delivery", f"evt_{minute}_{status}", START + timedelta(minutes=minute), "pi_1", data=data
    )


def said(minute: int, kind: str, **data: object) -> Fact:
    amount = data.pop("amount", None)
    key = f"{kind}:{minute}"
    return Fact(kind, "system", key, START + timedelta(minutes=minute), amount_minor=amount, data=data)  # type: ignore[arg-type]


DECLINE = {"code": "insufficient_funds", "message": "no"}
PURCHASE = [
    said(0, "order.opened"),
    said(1, "order.priced"),
    said(2, "stock.reserved"),
    seen(3, "requires_payment_method"),
    said(4, "confirm.asked", wish="w1"),
    seen(5, "requires_payment_method", decline=DECLINE, wish="w1"),
    said(6, "confirm.asked", wish="w2"),
    seen(7, "requires_capture", capturable=1000, wish="w2"),
    said(8, "capture.asked"),
    said(9, "stock.committed"),
    seen(10, "succeeded", captured=1000),
    seen(11, "succeeded", captured=1000, fee=59, charge_id="ch_1"),
    said(12, "refund.asked", refund="ref_1", payment="pi_1", amount=400),
]


@settings(max_examples=400, deadline=None)
@given(st.permutations(PURCHASE), st.lists(st.sampled_from(PURCHASE), max_size=10))
def test_whatever_the_order_and_the_repeats_the_state_is_the_same(order: list[Fact], repeats: list[Fact]) -> None:
    assert fold([*order, *repeats]) == fold(PURCHASE)


def test_each_step_of_a_purchase_has_its_state() -> None:
    states = [fold(PURCHASE[: number + 1]).status for number in range(len(PURCHASE))]
    assert states == [
        "placing", "placing", "placing", "awaiting_payment", "processing", "payment_failed", "processing", "authorized",
        "capturing", "capturing", "paid", "paid", "paid",
    ]  # fmt: skip
    assert fold(PURCHASE).reserved == 400


WAITING = [
    *PURCHASE[:4],
    replace(said(4, "confirm.asked", wish="w1"), subject="pi_1"),
    seen(5, "requires_action", method="pm_1", wish="w1"),
    replace(said(6, "confirm.asked", wish="w2"), subject="pi_1"),
    said(7, "confirm.refused", wish="w2", code="resource_missing"),
    seen(8, "requires_action", method="pm_1"),
    replace(said(9, "confirm.asked", wish="w3"), subject="pi_1"),
    seen(10, "requires_action", method="pm_1", wish="w3"),
    seen(11, "requires_action", method="pm_1"),
]


def test_a_page_of_the_bank_is_for_the_wish_that_opened_it() -> None:
    asked: list[int | None] = []
    for number in range(len(PURCHASE[:4]), len(WAITING) + 1):
        payment = fold(WAITING[:number]).payment
        assert payment is not None
        asked.append((payment.asked_at - START).seconds // 60 if payment.asked_at else None)
    assert asked == [None, None, 4, 4, 4, 4, 4, 9, 9]


@settings(max_examples=200, deadline=None)
@given(st.permutations(WAITING), st.lists(st.sampled_from(WAITING), max_size=10))
def test_which_wish_a_page_is_for_does_not_hang_on_the_order_of_news(order: list[Fact], repeats: list[Fact]) -> None:
    assert fold([*order, *repeats]) == fold(WAITING)


def test_old_news_does_not_revive_what_is_final() -> None:
    void = [*PURCHASE[:8], said(20, "cancel.asked", wish="c", reason="customer"), seen(21, "canceled")]
    assert fold([*void, seen(30, "requires_payment_method")]).status == "canceled"
    assert fold([*PURCHASE, seen(30, "requires_capture")]).status == "paid"


def test_a_wish_to_cancel_that_was_dropped_explains_nothing() -> None:
    dropped = [said(5, "cancel.asked", wish="c", reason="unpaid"), said(6, "cancel.dropped", wish="c")]
    state = fold([*PURCHASE[:4], *dropped, seen(9, "canceled", cancellation_reason="automatic")])
    assert (state.status, state.status_reason) == ("canceled", "authorization_expired")


@pytest.mark.parametrize(
    ("looks", "authorised"),
    [
        ([seen(1, "requires_payment_method")], False),
        ([seen(1, "requires_capture", capturable=1000)], True),
        ([seen(1, "succeeded", captured=1000)], True),
        ([seen(1, "canceled")], False),
        ([seen(1, "canceled", capture_before="2026-11-30T12:00:00+00:00")], True),
        ([seen(1, "canceled"), seen(0, "requires_capture", capturable=1000)], True),
    ],
)
def test_whether_a_card_held_the_money_is_known_whichever_news_of_it_were_lost(
    looks: list[Fact], authorised: bool
) -> None:
    payment = fold([*PURCHASE[:3], *looks]).payment
    assert payment is not None
    assert payment.authorised is authorised


def test_a_word_nobody_knows_is_not_guessed_at() -> None:
    with pytest.raises(UnknownWord):
        fold([seen(1, "requires_telepathy")])


def test_every_state_is_final_or_leads_to_a_final_one() -> None:
    for status in STATUSES:
        assert any(reachable(status, end) for end in ("rejected", "canceled", "expired", "refunded", "paid")), status
    assert not reachable("canceled", "paid")
    assert not reachable("paid", "awaiting_payment")


def copy_order(shop: Shop, order_id: str, number: int) -> str:
    """The same order again, priced and without any history."""
    fresh = f"ord_copy_{number}"
    shop.sql(
        "INSERT INTO orders (id, customer_id, email, cart_id, currency, subtotal_minor, shipping_minor, tax_minor,"
        " tax_rate_percent, total_minor, expires_at) SELECT %s, customer_id, email, cart_id, currency, subtotal_minor,"
        " shipping_minor, tax_minor, tax_rate_percent, total_minor, expires_at FROM orders WHERE id = %s",
        fresh,
        order_id,
    )
    return fresh


def outcome(shop: Shop, order_id: str, name: str) -> object:
    """Everything a customer, an accountant and a warehouse see of an order."""
    order = shop.sql(
        "SELECT status, status_reason, stock, amount_captured, amount_refunded, amount_reserved_for_refund FROM orders"
        " WHERE id = %s",
        order_id,
    )
    books = shop.sql(
        "SELECT account, sum(amount_minor)::int FROM ledger_entries JOIN ledger_lines ON entry_id = id"
        " WHERE order_id = %s GROUP BY account ORDER BY account",
        order_id,
    )
    effects = shop.sql(
        "SELECT kind, count(*) FROM effects WHERE order_id = %s AND kind NOT IN ('capture', 'stock_commit')"
        " GROUP BY kind ORDER BY kind",
        order_id,
    )
    return json.loads(json.dumps([order, books, effects]).replace(order_id, name))


def test_a_real_run_converges_in_any_order_through_the_database(shop: Shop) -> None:
    """A real history, shuffled and doubled; what cannot be yet is parked and tried again, as the inbox does."""
    order_id = shop.simple_order(payment_method="pm_card_visa")
    ask_refund(shop.services.db, order_id, RefundWish("part", 4490, amount=1500), actor="usr_9")
    shop.work()
    shop.read_all_news()
    db = shop.services.db
    with db.transaction() as tx:
        history = log.facts_of(tx, order_id)
    # A refund needs its row, which staff make before the fact; as one made at the provider it needs none.
    (ours, theirs) = shop.sql("SELECT id, provider_refund_id FROM refunds")[0]
    history = [fact for fact in history if fact.kind != "refund.asked"]
    wanted = outcome(shop, order_id, "X")
    dice = random.Random(20261123)
    for number in range(25):
        fresh = copy_order(shop, order_id, number)
        waiting = [rewritten(fact, {order_id: fresh, ours: theirs}, number) for fact in history]
        waiting += dice.sample(waiting, len(waiting) // 2)
        dice.shuffle(waiting)
        rounds = 0
        while waiting:
            rounds += 1
            assert rounds < 20, [asdict(fact) for fact in waiting]
            waiting = [fact for fact in waiting if not taken(shop, fresh, fact)]
        assert outcome(shop, fresh, "X") == wanted, number


def rewritten(fact: Fact, names: dict[str, str], number: int) -> Fact:
    """The same fact about another order: ids that are unique at the provider get the number in front."""
    text = json.dumps({"data": dict(fact.data), "subject": fact.subject}, default=str)
    for before, after in names.items():
        text = text.replace(before, after)
    for prefix in ("pi_", "ch_", "re_"):
        text = text.replace(f'"{prefix}', f'"{prefix}{number}')
    told = json.loads(text)
    return replace(fact, data=told["data"], subject=told["subject"])


def taken(shop: Shop, order_id: str, fact: Fact) -> bool:
    try:
        with shop.services.db.transaction() as tx:
            applying.apply(tx, order_id, [fact])
    except (IllegalMove, Implausible):
        return False
    return True


ADOPTION = [
    said(0, "order.opened"),
    said(1, "order.priced"),
    said(2, "stock.reserved"),
    replace(seen(3, "requires_payment_method"), subject="pi_own"),
    said(4, "adoption.asked", delivery="whd_1", reason="typed the wrong number"),
    said(5, "adoption.refused", delivery="whd_1", reason="it changed"),
    said(6, "delivery.retried", delivery="whd_1", reason=None),
    said(7, "delivery.dismissed", delivery="whd_2", reason="nobody's"),
    said(8, "return.asked", delivery="whd_3", reason="a wrong amount"),
    said(9, "return.ended", outcome="succeeded", operation="refund"),
    said(10, "payment.adopted", delivery="whd_1", reason="typed the wrong number", named="ord_unknown"),
    seen(11, "requires_capture", capturable=1000, order="ord_unknown"),
    said(12, "capture.asked"),
    said(13, "stock.committed"),
    seen(14, "succeeded", captured=1000, order="ord_unknown"),
]


@settings(max_examples=200, deadline=None)
@given(st.permutations(ADOPTION), st.lists(st.sampled_from(ADOPTION), max_size=10))
def test_what_people_decide_about_news_converges_and_moves_nothing_by_itself(
    order: list[Fact], repeats: list[Fact]
) -> None:
    assert fold([*order, *repeats]) == fold(ADOPTION)
    decided = [fact for fact in order if fact.kind.startswith(("adoption.", "delivery.", "return.", "payment.adopted"))]
    assert len(decided) == 7
    assert fold([fact for fact in order if fact not in decided]) == fold(ADOPTION)
    assert (fold(order).status, fold(order).captured) == ("paid", 1000)
