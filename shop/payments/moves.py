"""Which way an order's status may go. A fact that would take it elsewhere is refused and waits for a person."""

from collections.abc import Mapping

MOVES: Mapping[str, frozenset[str]] = {
    "placing": frozenset({"awaiting_payment", "rejected"}),
    "rejected": frozenset(),
    "awaiting_payment": frozenset(
        {"requires_action", "processing", "authorized", "payment_failed", "canceled", "expired"}
    ),
    "requires_action": frozenset(
        {"awaiting_payment", "processing", "authorized", "payment_failed", "canceled", "expired"}
    ),
    "processing": frozenset(
        {"awaiting_payment", "requires_action", "authorized", "payment_failed", "canceled", "expired"}
    ),
    "payment_failed": frozenset({"awaiting_payment", "canceled", "expired"}),
    "authorized": frozenset({"capturing", "canceled"}),
    "capturing": frozenset({"paid", "authorized", "canceled"}),
    "paid": frozenset({"partially_refunded", "refunded"}),
    "partially_refunded": frozenset({"refunded", "paid"}),
    "refunded": frozenset({"partially_refunded", "paid"}),
    "canceled": frozenset(),
    "expired": frozenset(),
}
"""One step each. Back from `refunded`: a refund that bounced. Back from `capturing`: the goods were gone."""

TAKEN = frozenset({"paid", "partially_refunded", "refunded"})
"""The money is ours, or was."""

CALLED_OFF = frozenset({"canceled", "expired", "rejected"})

FINAL = frozenset(status for status, onward in MOVES.items() if not onward)


def reachable(before: str, after: str) -> bool:
    """Whether steps lead there: facts may be learnt late, so several steps can be seen at once."""
    return before == after or after in _REACH[before]


def _reach(start: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        for onward in MOVES[ahead.pop()] - found:
            found.add(onward)
            ahead.append(onward)
    return frozenset(found)


_REACH: Mapping[str, frozenset[str]] = {status: _reach(status) for status in MOVES}
