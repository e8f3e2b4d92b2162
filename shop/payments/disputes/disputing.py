"""Disputes as facts of an order: what each look at one means, and what all looks add up to. Pure, like the fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.payments.orders.fact import Fact, UnknownWord
from shop.ports.gateway import DisputeSeen

TIER = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "needs_response": 2,
    "under_review": 3,
    "warning_closed": 4,
    "prevented": 4,
    **dict.fromkeys(("won", "lost", "appeal_needs_response", "appeal_under_review"), 5),
}
"""An inquiry may become a dispute, never the other way round. What is decided can only be appealed."""

INQUIRIES = frozenset({"warning_needs_response", "warning_under_review", "warning_closed"})

OPEN = frozenset({"warning_needs_response", "needs_response"})
"""The bank waits for an answer of ours."""

HARMLESS = frozenset({"warning_needs_response", "warning_under_review", "warning_closed", "prevented", "won"})
"""The money is ours, for now or again: it can be given back. In all others a refund would pay twice."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that a dispute moved: `amount` is negative when the bank took it, `fee` is what it cost (or gave back)."""

    id: str
    amount: int
    fee: int
    currency: str


@dataclass(frozen=True, slots=True)
class DisputeState:
    """What all looks at one dispute add up to. `ever` are all statuses in which anybody has seen it."""

    id: str
    payment_id: str
    status: str
    reason: str
    amount: int
    currency: str
    evidence_due_at: str | None
    evidence_submitted: bool
    opened_at: str
    movements: Sequence[Movement]
    refundable: bool | None = None
    ever: frozenset[str] = frozenset()

    @property
    def blocks(self) -> bool:
        return blocks(self.status, self.refundable)

    @property
    def escalated(self) -> bool:
        """Whether what began as a question has become a chargeback."""
        return not self.ever.isdisjoint(INQUIRIES) and any(status not in HARMLESS for status in self.ever)


def blocks(status: str, refundable: bool | None) -> bool:
    """Whether the bank holds or keeps the money, or the provider says of an inquiry that a refund would pay twice."""
    return status not in HARMLESS or (status in INQUIRIES and refundable is False)


def dispute_seen(seen: DisputeSeen, *, source: str, key: str, seen_at: datetime) -> Fact:
    """The fact that a dispute looked like this."""
    return Fact(
        kind="dispute.seen",
        source=source,
        source_key=f"{key}:{seen.id}",
        seen_at=seen_at,
        subject=seen.id,
        amount_minor=seen.amount,
        currency=seen.currency,
        data={
            "payment": seen.payment_id,
            "status": seen.status,
            "reason": seen.reason,
            "due_at": seen.evidence_due_at.isoformat() if seen.evidence_due_at else None,
            "submitted": seen.evidence_submitted,
            "refundable": seen.refundable,
            "opened_at": seen.opened_at.isoformat(),
            "movements": [[move.id, move.amount, move.fee, move.currency] for move in seen.movements],
        },
    )


def disputes(facts: Sequence[Fact]) -> list[DisputeState]:
    """Of facts in time. Raises UnknownWord."""
    looks: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind == "dispute.seen" and fact.subject:
            looks.setdefault(fact.subject, []).append(fact)
    return [_dispute(subject, looks[subject]) for subject in sorted(looks)]


def _dispute(subject: str, looks: Sequence[Fact]) -> DisputeState:
    for look in looks:
        if look.data["status"] not in TIER:
            raise UnknownWord(f"dispute {subject} is {look.data['status']}")
    last = max(reversed(looks), key=lambda look: TIER[look.data["status"]])
    told: Mapping[str, Any] = last.data
    return DisputeState(
        id=subject,
        payment_id=str(told["payment"]),
        status=told["status"],
        reason=told["reason"],
        amount=int(last.amount_minor or 0),
        currency=str(last.currency),
        evidence_due_at=told["due_at"],
        evidence_submitted=_answered(looks, told["status"]),
        opened_at=told["opened_at"],
        movements=_movements(looks),
        refundable=told.get("refundable"),
        ever=frozenset(look.data["status"] for look in looks),
    )


def _answered(looks: Sequence[Fact], status: str) -> bool:
    """Whether what the bank asks now was answered: what was said to its question does not answer its chargeback."""
    if status == "needs_response" and any(look.data["status"] in INQUIRIES for look in looks):
        return False
    return any(look.data["submitted"] for look in looks)


def _movements(looks: Sequence[Fact]) -> list[Movement]:
    """All that any look has shown: money that moved has moved, and a late look may know less."""
    found = {values[0]: Movement(*values) for look in looks for values in look.data["movements"]}
    return [found[movement_id] for movement_id in sorted(found)]
