"""A person's decision about an order, as a fact of its own: who, why, and what it changes. Nothing is overwritten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from db.database import Tx
from db.ids import new_id
from shop.payments.orders.facts import Change, apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import orders

What = Literal["follow_provider", "adopted", "dismissed", "explained", "booked"]
"""What was decided. With `follow_provider` the order may take a step that only a person may (`moves.FORCED`); the
others change no state and say what was done beside it: news adopted or dismissed, a difference explained, an entry
booked.
"""


@dataclass(frozen=True, slots=True)
class Correction:
    """`subject` is what it is about: a payment, a delivery, a difference, an entry. `detail` is shown, never used."""

    what: What
    actor: str
    reason: str
    subject: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


def correct(tx: Tx, order_id: str, correction: Correction, *, facts: Sequence[Fact] = ()) -> Change:
    """Write the decision down and apply it together with the facts that it lets in, if any (a look at the payment).

    Raises OrderNotFound, IllegalMove or Implausible; then nothing is written. Deciding the same twice is two facts:
    two people decided.
    """
    made = Fact(
        kind="correction.made",
        source="operator",
        source_key=f"correction:{new_id('cor')}",
        seen_at=orders.clock(tx),
        actor=correction.actor,
        subject=correction.subject,
        data={"what": correction.what, "reason": correction.reason, "detail": dict(correction.detail)},
    )
    return apply(tx, order_id, [made, *facts])
