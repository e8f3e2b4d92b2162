"""Disputes: the bank takes money back, asks, decides; the order, its refunds and the books follow."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from shop.payments.disputes import disputed
from shop.payments.errors import DisputeOpen
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import fold
from shop.payments.queries import facts as log
from shop.payments.read import verify
from shop.payments.refunds.refund import RefundWish, ask_refund
from shop.payments.rows import Dispute
from tests.shop.payments.shopkeeper import Shop

FEE = 1500


def paid(shop: Shop) -> str:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    return order_id


def open_dispute(shop: Shop, order_id: str, reason: str = "fraudulent") -> str:
    """Answers the provider's id."""
    (charge,) = shop.sql("SELECT charge_id FROM payments WHERE order_id = %s", order_id)[0]
    made = shop.door("disputes", charge=charge, reason=reason)
    shop.read_all_news()
    return made["id"]


def decide(shop: Shop, dispute_id: str, outcome: str) -> None:
    shop.door(f"disputes/{dispute_id}", outcome=outcome)
    shop.read_all_news()


def the_dispute(shop: Shop) -> Dispute:
    (found,) = disputed.listed(shop.services.db, status=None, order_id=None, before_id=None, limit=10)
    assert disputed.dispute(shop.services.db, found.id) == found
    return found


def books(shop: Shop) -> dict[str, int]:
    return dict(
        shop.sql(
            "SELECT account, sum(amount_minor)::int FROM ledger_entries JOIN ledger_lines ON entry_id = id"
            " WHERE kind = 'dispute' GROUP BY account"
        )
    )


def refund(shop: Shop, order_id: str, amount: int = 100) -> None:
    seen = shop.read(order_id).refundable
    ask_refund(shop.services.db, order_id, RefundWish("test", seen, amount), actor="usr_9")
    shop.work()


def test_a_chargeback_marks_the_order_blocks_refunds_and_is_booked_with_its_fee(shop: Shop) -> None:
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id)
    found = the_dispute(shop)
    assert (found.order_id, found.provider_dispute_id, found.status) == (order_id, provider_id, "needs_response")
    assert (found.amount_minor, found.withdrawn_minor, found.fee_minor) == (4490, 4490, FEE)
    assert found.evidence_due_at is not None
    assert (found.evidence_due_at - found.opened_at).days == 7
    order = shop.read(order_id)
    assert (order.status, order.disputed) == ("paid", True)
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
    assert books(shop) == {"disputes": 4490 + FEE, "stripe": -4490 - FEE}
    assert verify(shop.services.db).faults == ()


def test_a_dispute_that_is_won_frees_the_refunds_and_the_books(shop: Shop) -> None:
    order_id = paid(shop)
    decide(shop, open_dispute(shop, order_id), "won")
    found = the_dispute(shop)
    assert (found.status, found.withdrawn_minor, found.fee_minor) == ("won", 0, 0)
    assert not shop.read(order_id).disputed
    assert books(shop) == {"disputes": 0, "stripe": 0}
    refund(shop, order_id, 4490)
    shop.settle(order_id, "refunded")
    assert verify(shop.services.db).faults == ()


def test_a_dispute_that_is_lost_keeps_the_money_and_the_block(shop: Shop) -> None:
    order_id = paid(shop)
    decide(shop, open_dispute(shop, order_id), "lost")
    assert the_dispute(shop).status == "lost"
    assert shop.read(order_id).disputed
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
    assert books(shop) == {"disputes": 4490 + FEE, "stripe": -4490 - FEE}


def test_an_inquiry_costs_nothing_and_blocks_nothing_until_it_becomes_a_chargeback(shop: Shop) -> None:
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id, "inquiry")
    found = the_dispute(shop)
    assert (found.status, found.withdrawn_minor, found.fee_minor) == ("warning_needs_response", 0, 0)
    assert not shop.read(order_id).disputed
    refund(shop, order_id)
    assert shop.read(order_id).amount_refunded == 100
    assert books(shop) == {}
    decide(shop, provider_id, "needs_response")
    assert shop.read(order_id).disputed
    assert books(shop) == {"disputes": 4490 + FEE, "stripe": -4490 - FEE}


def test_evidence_and_its_deadline_are_seen(shop: Shop) -> None:
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id)
    assert not the_dispute(shop).evidence_submitted
    requests.post(
        f"{shop.stripe.url}/v1/disputes/{provider_id}",
        data={"evidence[uncategorized_text]": "It was delivered."},
        headers={"Authorization": "Bearer sk_test_of_the_tests"},
        timeout=5,
    ).raise_for_status()
    shop.read_all_news()
    found = the_dispute(shop)
    assert (found.status, found.evidence_submitted) == ("under_review", True)
    assert shop.read(order_id).disputed


def test_a_dispute_whose_news_were_lost_is_found_by_the_sweep(shop: Shop) -> None:
    order_id = paid(shop)
    shop.read_all_news()
    shop.door("deliveries", mode="drop", **{"for": 20})
    open_dispute(shop, order_id)
    assert not shop.read(order_id).disputed
    shop.sweep()
    shop.work()
    assert shop.read(order_id).disputed
    assert books(shop) == {"disputes": 4490 + FEE, "stripe": -4490 - FEE}


@pytest.mark.parametrize("mode", ["double", "shuffle"])
def test_doubled_and_shuffled_news_of_a_dispute_book_it_once(shop: Shop, mode: str) -> None:
    order_id = paid(shop)
    shop.read_all_news()
    shop.door("deliveries", mode=mode, **{"for": 5})
    decide(shop, open_dispute(shop, order_id), "won")
    shop.door("deliveries", mode="normal")
    shop.read_all_news()
    assert the_dispute(shop).status == "won"
    assert books(shop) == {"disputes": 0, "stripe": 0}
    assert shop.sql("SELECT count(*) FROM ledger_entries WHERE kind = 'dispute'") == [(4,)]


def test_the_looks_at_a_dispute_add_up_to_the_same_in_any_order(shop: Shop) -> None:
    order_id = paid(shop)
    provider_id = open_dispute(shop, order_id, "inquiry")
    decide(shop, provider_id, "needs_response")
    decide(shop, provider_id, "won")
    with shop.services.db.transaction() as tx:
        facts = log.facts_of(tx, order_id)
    looks = [fact for fact in facts if fact.kind == "dispute.seen"]
    others = [fact for fact in facts if fact.kind != "dispute.seen"]
    statuses = {look.data["status"] for look in looks}
    assert statuses == {"warning_needs_response", "needs_response", "won"}
    some = [next(look for look in looks if look.data["status"] == status) for status in sorted(statuses)]
    expected = fold([*others, *some])
    assert not expected.disputed
    for order in itertools.permutations(some):
        assert fold([*others, *order, order[0]]) == expected


def test_a_payment_that_only_says_it_was_disputed_is_taken_for_blocked(shop: Shop) -> None:
    order_id = paid(shop)
    with shop.services.db.transaction() as tx:
        looks = [fact for fact in log.facts_of(tx, order_id) if fact.data.get("status") == "succeeded"]
        said = replace(
            looks[0],
            source_key="a later look",
            seen_at=looks[-1].seen_at + timedelta(seconds=1),
            data={**looks[0].data, "disputed": True},
        )
        apply(tx, order_id, [said])
    with pytest.raises(DisputeOpen):
        refund(shop, order_id)
