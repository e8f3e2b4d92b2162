"""What the facts of refunds add up to: the same in any order, however often they come, and never more than there is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.payments.orders.fact import Fact
from shop.payments.orders.fold import in_time
from shop.payments.refunds.refund_states import RESERVED, RefundState, refunds

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
CAPTURED = 1000


def fact(minute: int, kind: str, key: str, amount: int, **data: object) -> Fact:
    told = {"refund": key, "payment": "pi_1", **data}
    at = START + timedelta(minutes=minute)
    return Fact(kind, "staff", f"{kind}:{key}:{minute}", at, f"re_{key}", amount, "eur", data=told)


def asked(minute: int, key: str, amount: int, *, waits: bool = False) -> Fact:
    return fact(minute, "refund.asked", key, amount, waits=waits)


def seen(minute: int, key: str, amount: int, status: str) -> Fact:
    return fact(minute, "refund.seen", key, amount, status=status, failure_code="lost" if status == "failed" else None)


STORY = [
    asked(1, "ref_a", 300),
    seen(2, "ref_a", 300, "pending"),
    seen(3, "ref_a", 300, "succeeded"),
    asked(4, "ref_b", 200, waits=True),
    fact(5, "refund.approved", "ref_b", 200),
    seen(6, "ref_b", 200, "succeeded"),
    seen(7, "ref_b", 200, "failed"),
    asked(8, "ref_c", 100, waits=True),
    fact(9, "refund.declined", "ref_c", 100),
    asked(10, "ref_d", 50, waits=True),
    seen(11, "re_theirs", 250, "succeeded"),
    asked(12, "ref_e", 100),
    fact(13, "refund.refused", "ref_e", 100, failure_code="charge_disputed"),
]


def states(facts: list[Fact], captured: int = CAPTURED) -> list[RefundState]:
    return list(refunds(in_time(facts), captured))


@settings(max_examples=300, deadline=None)
@given(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=8))
def test_any_order_and_any_repeats_end_the_same(order: list[Fact], repeats: list[Fact]) -> None:
    assert states([*order, *repeats]) == states(STORY)


def test_each_refund_is_where_its_facts_put_it() -> None:
    assert {found.key: found.status for found in states(STORY)} == {
        "ref_a": "succeeded",
        "ref_b": "failed",
        "ref_c": "declined",
        "ref_d": "requested",
        "re_theirs": "succeeded",
        "ref_e": "failed",
    }


@pytest.mark.parametrize("first", ["succeeded", "failed"])
def test_a_late_success_does_not_revive_what_failed_and_a_late_failure_ends_what_succeeded(first: str) -> None:
    second = {"succeeded": "failed", "failed": "succeeded"}[first]
    (found,) = states([asked(1, "ref_a", 300), seen(2, "ref_a", 300, first), seen(3, "ref_a", 300, second)])
    assert (found.status, found.failure_code) == ("failed", "lost")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 600), st.booleans()), max_size=6), st.integers(0, 1000))
def test_requests_never_reserve_more_than_is_left(wishes: list[tuple[int, bool]], elsewhere: int) -> None:
    """Money that went back another way comes first; requests that no longer fit are off, the newest of them first."""
    facts = [seen(1, "re_theirs", elsewhere, "succeeded")] if elsewhere else []
    facts += [asked(2 + place, f"ref_{place}", amount, waits=True) for place, (amount, _) in enumerate(wishes)]
    found = states(facts)
    held = sum(each.amount for each in found if each.status in {*RESERVED, "succeeded"})
    assert held <= CAPTURED
    kept = [each.key for each in found if each.status == "requested"]
    off = [each for each in found if each.failure_code == "no_longer_refundable"]
    assert all(each.status == "failed" for each in off)
    assert len(kept) + len(off) == len(wishes)
