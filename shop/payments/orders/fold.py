"""The state of an order, computed from its facts: pure, and the same in whatever order and however often they came.

Facts about one payment are put in order by how final they are and then by when the provider was asked; asks and
refusals are sets. So a late webhook, a repeat or a sweep changes nothing that a prompt one would not have.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shop.payments.disputes.disputing import DisputeState, disputes
from shop.payments.orders.fact import Fact, UnknownWord
from shop.payments.orders.tries import LAPSED, UNTRIED, asked_at, declined, has_lapsed
from shop.payments.refunds.refund_states import RESERVED, RefundState
from shop.payments.refunds.refund_states import refunds as refunds_of


@dataclass(frozen=True, slots=True)
class PaymentState:
    """What all looks at one payment add up to. `lapsed`: its bank waited for the customer for too long; `asked_at`: the
    wish to pay that the bank's page is for, where it was one of ours.
    """

    id: str
    status: str
    amount: int
    currency: str
    capturable: int
    captured: int
    charge_id: str | None
    capture_before: str | None
    card: Mapping[str, Any] | None
    decline: Mapping[str, str] | None
    fee: int | None
    disputed: bool
    cancellation_reason: str | None
    method: str | None = None
    lapsed: bool = False
    authorised: bool = False
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The order as its facts make it. `payment` is the one that counts, `payments` are all."""

    status: str
    status_reason: str | None
    stock: str
    rejection: tuple[str, str] | None
    captured: int
    refunded: int
    reserved: int
    disputed: bool
    payment: PaymentState | None
    payments: Sequence[PaymentState]
    refunds: Sequence[RefundState]
    disputes: Sequence[DisputeState] = ()
    declined_tries: int = 0


OPEN = {"requires_payment_method", "requires_confirmation", "requires_action", "processing"}
TIER = {**dict.fromkeys(OPEN, 0), "requires_capture": 1, "canceled": 2, "succeeded": 2}
"""A payment may go back and forth while it is open, but what was authorised, captured or voided stays so."""

WEIGHT = {**dict.fromkeys(OPEN, 1), "canceled": 0, "requires_capture": 2, "succeeded": 3}
"""Of several payments the one with money in it counts."""

STOCK = ("none", "reserved", "committed", "lost", "released", "returned")
"""Goods only move to the right."""


def fold(facts: Iterable[Fact]) -> State:
    """The state. Raises UnknownWord for a provider's status that means nothing to us."""
    known = in_time(facts)
    payments = _payments(known)
    payment = max(payments, key=lambda found: weight(found.status, found.id), default=None)
    refusal = _refusal(known)
    if payment is not None and refusal is not None and payment.status in UNTRIED:
        payments = [replace(found, decline=refusal) if found is payment else found for found in payments]
        payment = replace(payment, decline=refusal)
    disputed = disputes(known)
    captured = sum(found.captured for found in payments)
    refunds = refunds_of(known, captured)
    refunded = sum(found.amount for found in refunds if found.status == "succeeded")
    stock = max((_stock(fact) for fact in known), key=STOCK.index, default="none")
    rejection = _rejection(known)
    status = _status(known, payment, captured=captured, refunded=refunded, rejected=rejection is not None, stock=stock)
    return State(
        status=status,
        status_reason=_reason(known, payment) if status in {"canceled", "expired"} else None,
        stock=stock,
        rejection=rejection,
        captured=captured,
        refunded=refunded,
        reserved=sum(found.amount for found in refunds if found.status in RESERVED),
        disputed=_is_disputed(payments, disputed),
        payment=payment,
        payments=payments,
        refunds=refunds,
        disputes=disputed,
        declined_tries=declined(known),
    )


def in_time(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once, by when we looked."""
    return sorted({fact.source_key: fact for fact in facts}.values(), key=lambda fact: (fact.seen_at, fact.source_key))


def is_corrected(facts: Iterable[Fact]) -> bool:
    """Whether a person has decided that the order follows the provider wherever that leads."""
    return any(fact.kind == "correction.made" and fact.data["what"] == "follow_provider" for fact in facts)


def weight(status: str, provider_id: str) -> tuple[int, str]:
    """The greatest of an order's payments is the one that counts, here and wherever one is picked from rows."""
    return WEIGHT[status], provider_id


def _payments(facts: Sequence[Fact]) -> list[PaymentState]:
    looks: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind == "payment.seen" and fact.subject:
            looks.setdefault(fact.subject, []).append(fact)
    return [_payment(subject, looks[subject], facts) for subject in sorted(looks)]


def _payment(subject: str, looks: Sequence[Fact], facts: Sequence[Fact]) -> PaymentState:
    for look in looks:
        if look.data["status"] not in TIER:
            raise UnknownWord(f"payment {subject} is {look.data['status']}")
    # Python's max takes the first of equals; the list is sorted, so the last one has to win.
    latest = max(reversed(looks), key=lambda look: TIER[look.data["status"]])
    last = latest.data
    at_bank = last["status"] == "requires_action"
    lapsed = at_bank and has_lapsed(facts, subject, last.get("method"))
    return PaymentState(
        id=subject,
        status=last["status"],
        amount=last["amount"],
        currency=last["currency"],
        capturable=last["capturable"],
        captured=max(look.data["captured"] for look in looks),
        charge_id=last["charge_id"] or _latest(looks, "charge_id"),
        capture_before=_latest(looks, "capture_before"),
        card=last["card"] or _latest(looks, "card"),
        decline=LAPSED if lapsed else last["decline"],
        fee=_latest(looks, "fee"),
        disputed=looks[-1].data["disputed"],
        cancellation_reason=last["cancellation_reason"],
        method=last.get("method"),
        lapsed=lapsed,
        # Also where only what came of it was seen: every payment of ours is authorised before it is captured, and one
        # that was let go still says until when it could have been.
        authorised=any(
            look.data["status"] in {"requires_capture", "succeeded"} or look.data["capture_before"] for look in looks
        ),
        asked_at=asked_at(facts, latest) if at_bank else None,
    )


def _latest(looks: Sequence[Fact], name: str) -> Any:
    return next((look.data[name] for look in reversed(looks) if look.data[name] is not None), None)


def _is_disputed(payments: Sequence[PaymentState], found: Sequence[DisputeState]) -> bool:
    """Whether a bank holds or keeps money of the order. A payment only says that there was a dispute, and for ever; it
    counts until the dispute itself was looked at.
    """
    looked_at = {dispute.payment_id for dispute in found}
    unknown = any(payment.disputed and payment.id not in looked_at for payment in payments)
    return unknown or any(dispute.blocks for dispute in found)


def _rejection(facts: Sequence[Fact]) -> tuple[str, str] | None:
    found = next((fact for fact in facts if fact.kind == "order.rejected"), None)
    return (str(found.data["code"]), str(found.data["detail"])) if found else None


def _stock(fact: Fact) -> str:
    return fact.kind.removeprefix("stock.") if fact.kind.startswith("stock.") else "none"


def _status(
    facts: Sequence[Fact], payment: PaymentState | None, *, captured: int, refunded: int, rejected: bool, stock: str
) -> str:
    if captured > 0:
        return "refunded" if refunded >= captured else "partially_refunded" if refunded > 0 else "paid"
    if rejected:
        return "rejected"
    if payment is None:
        return "placing"
    if payment.status == "canceled":
        return "expired" if _reason(facts, payment) == "unpaid" else "canceled"
    if payment.status in {"requires_capture", "succeeded"}:
        return "capturing" if _capture_asked(facts) and stock != "lost" else "authorized"
    return _open_status(facts, payment)


def _open_status(facts: Sequence[Fact], payment: PaymentState) -> str:
    if payment.status == "processing" or _undecided(facts):
        return "processing"
    if payment.status == "requires_action" and not payment.lapsed:
        return "requires_action"
    return "payment_failed" if payment.decline else "awaiting_payment"


def _undecided(facts: Sequence[Fact]) -> bool:
    """Whether a try to pay was asked for and nobody has said yet how it went."""
    asked = {fact.data["wish"] for fact in facts if fact.kind == "confirm.asked"}
    decided = {fact.data.get("wish") for fact in facts if fact.kind in {"payment.seen", "confirm.refused"}}
    return bool(asked - decided)


def _refusal(facts: Sequence[Fact]) -> Mapping[str, str] | None:
    """Why the last try ended without the provider even trying (no such card, for instance)."""
    tries = [fact for fact in facts if fact.kind in {"payment.seen", "confirm.refused"} and fact.data.get("wish")]
    if not tries or tries[-1].kind != "confirm.refused":
        return None
    return {"code": str(tries[-1].data["code"]), "message": "This payment method cannot be used."}


def _capture_asked(facts: Sequence[Fact]) -> bool:
    return any(fact.kind == "capture.asked" for fact in facts)


def _reason(facts: Sequence[Fact], payment: PaymentState | None) -> str:
    """Why it was canceled: our own wish if there was one that we did not drop, else what the provider says."""
    dropped = {fact.data["wish"] for fact in facts if fact.kind == "cancel.dropped"}
    wishes = (fact for fact in facts if fact.kind == "cancel.asked" and fact.data["wish"] not in dropped)
    asked = next(wishes, None)
    if asked is not None:
        return str(asked.data["reason"])
    automatic = payment is not None and payment.cancellation_reason in {"automatic", "expired"}
    return "authorization_expired" if automatic else "provider"
