"""What disputes cost: parts of a payment, several of them, decided twice, with fees that come back or stay."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from shop.payments.disputes.disputing import dispute_seen, disputes
from shop.payments.disputes.remind import remind
from shop.payments.errors import DisputeOpen
from shop.payments.orders.fact import Fact
from shop.payments.orders.facts import apply
from shop.payments.read import verify
from shop.ports.gateway import DisputeSeen, MovementSeen
from tests.shop.payments.shopkeeper import Shop
from tests.shop.payments.test_disputes import books, decide, open_dispute, paid, refund, the_dispute

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEE = 1500


def look(
    payment: str, minute: int, status: str, *moves: tuple[str, int, int], name: str = "du_1", amount: int = 1000,
    submitted: bool = False, refundable: bool | None = None,
) -> Fact:  # fmt: skip
    """One look at a dispute; `moves` are (id, amount, fee)."""
    seen = DisputeSeen(
        id=name,
        status=status,
        reason="fraudulent",
        amount=amount,
        currency="eur",
        payment_id=payment,
        opened_at=START,
        evidence_due_at=START + timedelta(days=7),
        evidence_submitted=submitted,
        refundable=refundable,
        movements=tuple(MovementSeen(f"{name}_{move}", money, fee, "eur") for move, money, fee in moves),
    )
    at = START + timedelta(minutes=minute)
    return dispute_seen(seen, source="delivery", key=f"{name}{minute}", seen_at=at)


def take(shop: Shop, order_id: str, *facts: Fact) -> None:
    with shop.services.db.transaction() as tx:
        apply(tx, order_id, facts)


def test_a_dispute_about_a_part_takes_that_part_and_blocks_the_whole_payment(shop: Shop) -> None:
    order_id = paid(shop)
    take(shop, order_id, look(shop.intent(order_id), 1, "needs_response", ("out", -1000, FEE)))
    found = the_dispute(shop)
    assert (found.amount_minor, found.withdrawn_minor, found.fee_minor) == (1000, 1000, FEE)
    assert books(shop) == {"disputes": 1000 + FEE, "stripe": -1000 - FEE}
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
    assert verify(shop.services.db).faults == ()


def test_of_several_disputes_of_one_payment_each_is_judged(shop: Shop) -> None:
    order_id = paid(shop)
    intent = shop.intent(order_id)
    take(
        shop,
        order_id,
        look(intent, 1, "won", ("out", -1000, FEE), ("back", 1000, -FEE)),
        look(intent, 2, "needs_response", ("out", -2000, FEE), name="du_2", amount=2000),
    )
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
    assert books(shop) == {"disputes": 2000 + FEE, "stripe": -2000 - FEE}
    take(shop, order_id, look(intent, 3, "won", ("out", -2000, FEE), ("back", 2000, 0), name="du_2", amount=2000))
    refund(shop, order_id)
    assert shop.read(order_id).amount_refunded == 100
    # The fee of the second one was not given back.
    assert books(shop) == {"disputes": FEE, "stripe": -FEE}


def test_a_dispute_that_is_won_after_it_was_lost_gives_the_money_back(shop: Shop) -> None:
    order_id = paid(shop)
    intent = shop.intent(order_id)
    take(shop, order_id, look(intent, 1, "lost", ("out", -4490, FEE), amount=4490))
    assert shop.read(order_id).disputed
    take(shop, order_id, look(intent, 2, "won", ("out", -4490, FEE), ("back", 4490, -FEE), amount=4490))
    assert not shop.read(order_id).disputed
    assert books(shop) == {"disputes": 0, "stripe": 0}
    # A late look that still says lost changes nothing.
    take(shop, order_id, look(intent, 0, "lost", ("out", -4490, FEE), amount=4490))
    assert the_dispute(shop).status == "won"
    refund(shop, order_id, 4490)
    assert verify(shop.services.db).faults == ()


def test_an_inquiry_that_the_provider_calls_not_refundable_blocks_refunds(shop: Shop) -> None:
    order_id = paid(shop)
    take(shop, order_id, look(shop.intent(order_id), 1, "warning_needs_response", refundable=False))
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
    take(shop, order_id, look(shop.intent(order_id), 2, "warning_needs_response", refundable=True))
    refund(shop, order_id)


def test_an_answer_to_a_question_is_none_to_the_chargeback_it_becomes() -> None:
    story = [
        look("pi_1", 1, "warning_needs_response"),
        look("pi_1", 2, "warning_under_review", submitted=True),
        look("pi_1", 3, "needs_response", ("out", -1000, FEE), submitted=True),
    ]
    (found,) = disputes(story)
    assert (found.evidence_submitted, found.escalated) == (False, True)
    (found,) = disputes([*story, look("pi_1", 4, "under_review", ("out", -1000, FEE), submitted=True)])
    assert found.evidence_submitted
    (found,) = disputes(story[:2])
    assert (found.evidence_submitted, found.escalated) == (True, False)


def test_looks_at_a_dispute_add_up_to_the_same_in_any_order_and_however_often() -> None:
    story = [
        look("pi_1", 1, "warning_needs_response"),
        look("pi_1", 2, "needs_response", ("out", -1000, FEE)),
        look("pi_1", 3, "lost", ("out", -1000, FEE)),
        look("pi_1", 4, "won", ("out", -1000, FEE), ("back", 1000, 0)),
    ]
    wanted = disputes(story)
    for order in itertools.permutations(story):
        known = sorted({fact.source_key: fact for fact in [*order, order[0]]}.values(), key=lambda fact: fact.seen_at)
        assert disputes(known) == wanted


def letters(shop: Shop) -> list[str]:
    rows = shop.sql("SELECT args ->> 'kind' FROM jobs WHERE name = 'documents.mail' ORDER BY 1")
    return [kind for (kind,) in rows if "dispute" in kind or "inquiry" in kind]


def test_support_is_told_once_of_each_thing_that_happens_to_a_dispute(shop: Shop) -> None:
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id, "inquiry")
    assert letters(shop) == ["dispute_opened"]
    decide(shop, provider_id, "needs_response")
    decide(shop, provider_id, "won")
    shop.sweep()
    shop.work()
    assert letters(shop) == ["dispute_escalated", "dispute_opened", "dispute_won"]


def test_support_is_reminded_once_of_a_dispute_that_is_due_and_not_answered(shop: Shop) -> None:
    order_id = paid(shop)
    open_dispute(shop, order_id)
    assert remind(shop.services.db, days=3) == 0
    shop.sql("UPDATE disputes SET evidence_due_at = now() + interval '2 days'")
    assert [remind(shop.services.db, days=3) for _ in range(3)] == [1, 0, 0]
    assert letters(shop) == ["dispute_due", "dispute_opened"]
    # A new last day, for a question that became a chargeback for instance, is mentioned again.
    shop.sql("UPDATE disputes SET evidence_due_at = now() + interval '25 hours'")
    assert remind(shop.services.db, days=3) == 1
    shop.sql("UPDATE disputes SET evidence_due_at = now() + interval '1 day', evidence_submitted = true")
    assert remind(shop.services.db, days=3) == 0
