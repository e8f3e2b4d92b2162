"""Refunds as facts of an order: asked for, agreed to, seen; what they add up to. Pure, like the fold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shop.payments.orders.fact import Fact, UnknownWord


@dataclass(frozen=True, slots=True)
class RefundState:
    """`key` is our refund's id, or the provider's for one that was made over there."""

    key: str
    provider_id: str | None
    payment_id: str
    status: str
    amount: int
    failure_code: str | None = None


RESERVED = frozenset({"pending", "requested"})
"""Refunds whose amount nobody else may have, although it has not been paid out."""

REFUND_TIER = {"pending": 0, "requires_action": 0, "succeeded": 1, "failed": 2, "canceled": 2}
"""A refund that succeeded can still bounce; one that failed stays failed."""


REFUND_FACTS = frozenset({"refund.asked", "refund.approved", "refund.declined", "refund.refused", "refund.seen"})


def refunds(facts: Sequence[Fact], captured: int) -> Sequence[RefundState]:
    """Of facts in time, and of an order of which `captured` was taken. Raises UnknownWord."""
    stories: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind in REFUND_FACTS:
            stories.setdefault(str(fact.data["refund"]), []).append(fact)
    return _fitting([_refund(key, stories[key]) for key in sorted(stories)], captured)


def _refund(key: str, story: Sequence[Fact]) -> RefundState:
    looks = [fact for fact in story if fact.kind == "refund.seen"]
    refused = next((fact for fact in story if fact.kind == "refund.refused"), None)
    for look in looks:
        if look.data["status"] not in REFUND_TIER:
            raise UnknownWord(f"refund {key} is {look.data['status']}")
    last = max(reversed(looks), key=lambda look: REFUND_TIER[look.data["status"]], default=None)
    if last is None:
        status = "failed" if refused else _unsent(story)
    else:
        status = ("pending", "succeeded", "failed")[REFUND_TIER[last.data["status"]]]
    told = last or refused or story[0]
    return RefundState(
        key=key,
        provider_id=last.subject if last else None,
        payment_id=str(story[0].data["payment"]),
        status=status,
        amount=int(story[0].amount_minor or 0),
        failure_code=told.data.get("failure_code") if status == "failed" else None,
    )


def _unsent(story: Sequence[Fact]) -> str:
    """Of a refund the provider has not spoken of: whether somebody has to agree first, or did not."""
    kinds = {fact.kind for fact in story}
    if "refund.approved" in kinds or not any(fact.data.get("waits") for fact in story):
        return "pending"
    return "declined" if "refund.declined" in kinds else "requested"


def _fitting(found_all: Sequence[RefundState], captured: int) -> Sequence[RefundState]:
    """Requests that fit no longer, because money went back another way meanwhile, are off: the newest first."""
    over = sum(found.amount for found in found_all if found.status in {*RESERVED, "succeeded"}) - captured
    kept: list[RefundState] = []
    for found in reversed(found_all):
        if found.status == "requested" and over > 0:
            over -= found.amount
            kept.append(replace(found, status="failed", failure_code="no_longer_refundable"))
        else:
            kept.append(found)
    return kept[::-1]
