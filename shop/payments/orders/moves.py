"""Which way an order's status may go, and which fact takes it there. What would take it elsewhere waits for a person.

docs/states.md is drawn from this file (`backroom states`).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """One step, and the kinds of fact that can be its cause. `payment.seen` is followed by what was seen."""

    before: str
    after: str
    causes: tuple[str, ...]


def _from(before: str, **onward: str) -> tuple[Move, ...]:
    return tuple(Move(before, after, tuple(causes.split(", "))) for after, causes in onward.items())


MOVES: tuple[Move, ...] = (
    *_from(
        "placing",
        awaiting_payment="payment.seen requires_payment_method",
        rejected="order.rejected",
    ),
    *_from(
        "awaiting_payment",
        processing="confirm.asked, payment.seen processing",
        requires_action="payment.seen requires_action",
        payment_failed="payment.seen declined",
        authorized="payment.seen requires_capture",
        canceled="payment.seen canceled",
        expired="payment.seen canceled",
    ),
    *_from(
        "processing",
        awaiting_payment="payment.seen requires_payment_method",
        requires_action="payment.seen requires_action, confirm.refused",
        payment_failed="payment.seen declined, confirm.refused",
        authorized="payment.seen requires_capture",
        canceled="payment.seen canceled",
        expired="payment.seen canceled",
    ),
    *_from(
        "requires_action",
        awaiting_payment="payment.seen requires_payment_method",
        processing="confirm.asked, payment.seen processing",
        payment_failed="payment.seen declined, action.lapsed",
        authorized="payment.seen requires_capture",
        canceled="payment.seen canceled",
        expired="payment.seen canceled",
    ),
    *_from(
        "payment_failed",
        awaiting_payment="payment.seen requires_payment_method",
        processing="confirm.asked, payment.seen processing",
        requires_action="payment.seen requires_action",
        authorized="payment.seen requires_capture",
        canceled="payment.seen canceled",
        expired="payment.seen canceled",
    ),
    *_from("authorized", capturing="capture.asked", paid="payment.seen succeeded", canceled="payment.seen canceled"),
    *_from("capturing", paid="payment.seen succeeded", authorized="stock.lost", canceled="payment.seen canceled"),
    *_from("paid", partially_refunded="refund.seen succeeded", refunded="refund.seen succeeded"),
    *_from("partially_refunded", refunded="refund.seen succeeded", paid="refund.seen failed"),
    *_from("refunded", partially_refunded="refund.seen failed", paid="refund.seen failed"),
)
"""Back from `capturing`: the goods were gone. Back from `refunded`: a refund that bounced."""

FORCED: tuple[Move, ...] = tuple(
    Move(before, "paid", ("correction.made",)) for before in ("rejected", "canceled", "expired")
)
"""Steps that only a person takes: money was taken for an order that is over, and the person decides that it stands
(`correction.py`). What follows is refunding it or handing the goods over.
"""

SWEPT: Mapping[str, str] = {
    "placing": "payments.sweep asks again after 2 minutes; too late to be placed it is rejected",
    "awaiting_payment": "payments.sweep calls it off when it is overdue",
    "requires_action": "payments.watch calls the try off after its own limit, payments.sweep the order when overdue",
    "processing": "payments.watch looks at the provider: within minutes, then hourly, then daily",
    "payment_failed": "payments.sweep calls it off when it is overdue",
    "authorized": "payments.sweep captures it, or payments.watch warns before the card's deadline and looks after it",
    "capturing": "payments.sweep asks again after 2 minutes",
}
"""Who takes an order out of a state in which it could be stuck, when nobody and no news does."""

STATUSES: tuple[str, ...] = tuple(dict.fromkeys([move.before for move in MOVES] + [move.after for move in MOVES]))

TAKEN = frozenset({"paid", "partially_refunded", "refunded"})
"""The money is ours, or was."""

CALLED_OFF = frozenset({"canceled", "expired", "rejected"})

FINAL = frozenset(STATUSES) - {move.before for move in MOVES}


def reachable(before: str, after: str, *, corrected: bool = False) -> bool:
    """Whether steps lead there: facts may be learnt late, so several steps can be seen at once.

    `corrected`: a person has decided that the order follows the provider, so the forced steps count too.
    """
    return before == after or after in (_FORCED_REACH if corrected else _REACH)[before]


def _reach(start: str, moves: tuple[Move, ...]) -> frozenset[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        here = ahead.pop()
        onward = {move.after for move in moves if move.before == here} - found
        found |= onward
        ahead.extend(onward)
    return frozenset(found)


_REACH: Mapping[str, frozenset[str]] = {status: _reach(status, MOVES) for status in STATUSES}
_FORCED_REACH: Mapping[str, frozenset[str]] = {status: _reach(status, MOVES + FORCED) for status in STATUSES}
