"""A person's decisions: written down with who and why, and the only way past the end of an order."""

import random
from datetime import timedelta

import pytest

from shop.payments.errors import IllegalMove
from shop.payments.orders.correction import Correction, correct
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact, fold, is_corrected
from shop.payments.orders.moves import reachable
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_fold import PURCHASE, START, seen


def canceled_and_then_paid(shop: Shop) -> tuple[str, Fact]:
    """An order that is over, and a look at its payment that says it was captured all the same."""
    order_id = shop.simple_order()
    shop.sql("UPDATE orders SET expires_at = now() - interval '1 second'")
    shop.sweep()
    shop.work()
    order = shop.read(order_id)
    assert order.status == "expired"
    late = seen(0, "succeeded", amount=order.total_minor, captured=order.total_minor, order=order_id)
    return order_id, Fact("payment.seen", "operator", "look:1", START + timedelta(days=9), "pi_2", data=late.data)


def test_money_taken_for_an_order_that_is_over_waits_until_a_person_decides(shop: Shop) -> None:
    order_id, look = canceled_and_then_paid(shop)
    db = shop.services.db
    with pytest.raises(IllegalMove), db.transaction() as tx:
        apply(tx, order_id, [look])
    decided = Correction("follow_provider", actor="usr_9", reason="the customer wants it", subject="pi_2")
    with db.transaction() as tx:
        correct(tx, order_id, decided, facts=[look])
    order = shop.read(order_id)
    assert (order.status, order.amount_captured) == ("paid", order.total_minor)
    made = shop.sql("SELECT source, actor, subject, data ->> 'reason' FROM transactions WHERE kind = 'correction.made'")
    assert made == [("operator", "usr_9", "pi_2", "the customer wants it")]
    assert shop.sql("SELECT coalesce(sum(amount_minor), 0) FROM ledger_lines WHERE account = 'stripe'") == [
        (order.total_minor,)
    ]


def test_a_decision_that_explains_opens_no_forced_step(shop: Shop) -> None:
    order_id, look = canceled_and_then_paid(shop)
    with pytest.raises(IllegalMove), shop.services.db.transaction() as tx:
        correct(tx, order_id, Correction("explained", actor="usr_9", reason="seen"), facts=[look])
    assert shop.sql("SELECT count(*) FROM transactions WHERE kind = 'correction.made'") == [(0,)]


def test_decisions_shuffled_and_doubled_change_nothing_but_the_forced_steps() -> None:
    made = Fact(
        "correction.made", "operator", "correction:1", START + timedelta(minutes=6), actor="usr_9",
        data={"what": "follow_provider", "reason": "r", "detail": {}},
    )  # fmt: skip
    facts = [*PURCHASE, made]
    dice = random.Random(20261123)
    for _ in range(200):
        shuffled = [*facts, *dice.sample(facts, 5)]
        dice.shuffle(shuffled)
        assert fold(shuffled) == fold(PURCHASE)
        assert is_corrected(shuffled)
    assert not is_corrected(PURCHASE)
    for over in ("expired", "canceled", "rejected"):
        assert reachable(over, "refunded", corrected=True)
        assert not reachable(over, "paid")
        assert not reachable(over, "authorized", corrected=True)
