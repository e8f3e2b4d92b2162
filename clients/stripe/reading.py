"""Stripe's objects, read into the shop's shapes. Unknown words pass through; the shop parks what it cannot judge."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shop.ports.gateway import (
    Card,
    Decline,
    DisputeSeen,
    MethodSeen,
    MovementSeen,
    PaymentSeen,
    RefundSeen,
    SetupSeen,
)

Json = Mapping[str, Any]


def payment(intent: Json) -> PaymentSeen:
    """A PaymentIntent; the charge within may be an id or expanded."""
    charge = _expanded(intent.get("latest_charge"))
    metadata = intent.get("metadata") or {}
    return PaymentSeen(
        id=intent["id"],
        status=intent["status"],
        amount=intent["amount"],
        currency=intent["currency"],
        capturable=intent.get("amount_capturable") or 0,
        captured=intent.get("amount_received") or 0,
        order_id=metadata.get("order_id"),
        attempt_id=metadata.get("attempt_id"),
        client_secret=intent.get("client_secret"),
        charge_id=_id(intent.get("latest_charge")),
        capture_before=_time(_card_details(charge).get("capture_before")),
        card=_card(charge, intent),
        decline=decline(intent.get("last_payment_error")),
        next_action=intent.get("next_action"),
        fee=_fee(charge),
        refunded=_given_back(charge),
        disputed=bool(charge.get("disputed")),
        cancellation_reason=intent.get("cancellation_reason"),
        created_at=_time(intent.get("created")),
        method_id=_id(intent.get("payment_method")) or _id(_tried(intent)),
    )


def refund(found: Json) -> RefundSeen:
    return RefundSeen(
        id=found["id"],
        status=found.get("status") or "pending",
        amount=found["amount"],
        currency=found["currency"],
        payment_id=_id(found.get("payment_intent")),
        refund_id=(found.get("metadata") or {}).get("refund_id"),
        failure_code=found.get("failure_reason"),
        created_at=_time(found.get("created")),
    )


def is_release(refund: Json) -> bool:
    """Whether Stripe calls a refund what was only let go: authorised, and never captured. Our balance never had it."""
    return refund.get("status") == "succeeded" and refund.get("balance_transaction") is None


def dispute(found: Json) -> DisputeSeen:
    details = found.get("evidence_details") or {}
    return DisputeSeen(
        id=found["id"],
        status=found["status"],
        reason=found["reason"],
        amount=found["amount"],
        currency=found["currency"],
        payment_id=_id(found.get("payment_intent")),
        opened_at=datetime.fromtimestamp(found["created"], UTC),
        evidence_due_at=_time(details.get("due_by")),
        evidence_submitted=(details.get("submission_count") or 0) > 0,
        refundable=found.get("is_charge_refundable"),
        evidence_id=(found.get("metadata") or {}).get("evidence_id"),
        movements=tuple(
            MovementSeen(moved["id"], moved["amount"], moved["fee"], moved["currency"])
            for moved in found.get("balance_transactions") or ()
        ),
    )


def setup(found: Json) -> SetupSeen:
    return SetupSeen(
        id=found["id"],
        status=found["status"],
        customer=_id(found.get("customer")),
        method_id=_id(found.get("payment_method")),
        client_secret=found.get("client_secret"),
    )


def method(found: Json) -> MethodSeen:
    details = _expanded(found.get("card"))
    return MethodSeen(
        id=found["id"],
        kind=found["type"],
        customer=_id(found.get("customer")),
        card=_shown(details) if details.get("last4") else None,
        fingerprint=details.get("fingerprint"),
        created_at=_time(found.get("created")),
    )


def payment_of(charge: Json) -> str | None:
    return _id(charge.get("payment_intent"))


def decline(error: Json | None) -> Decline | None:
    """The reason in `last_payment_error` or in an error answer; the finer word where there are two."""
    if not error:
        return None
    code = error.get("decline_code") or error.get("code") or "generic_decline"
    return Decline(code=code[:80], message=(error.get("message") or "The card was declined.")[:500])


def _tried(intent: Json) -> Any:
    """The way to pay that the last try failed with; Stripe takes it off the payment."""
    return (intent.get("last_payment_error") or {}).get("payment_method")


def _card(charge: Json, intent: Json) -> Card | None:
    failed = _tried(intent)
    for details in (
        _card_details(charge),
        _expanded(intent.get("payment_method")).get("card"),
        _expanded(failed).get("card"),
    ):
        if details and details.get("last4"):
            return _shown(details)
    return None


def _shown(details: Json) -> Card:
    return Card(
        brand=details.get("brand") or "unknown",
        last4=details["last4"],
        exp_month=details["exp_month"],
        exp_year=details["exp_year"],
    )


def _fee(charge: Json) -> int | None:
    """Stripe's fee, once it is known. An account that settles in another currency pays it in that one: then it is not
    part of this order's books.
    """
    settled = _expanded(charge.get("balance_transaction"))
    return settled.get("fee") if settled.get("currency") == charge.get("currency") else None


def _given_back(charge: Json) -> int:
    """What was refunded of what was taken; Stripe counts among it what was let go without being captured."""
    let_go = (charge.get("amount") or 0) - (charge.get("amount_captured") or 0)
    return max(0, (charge.get("amount_refunded") or 0) - let_go)


def _card_details(charge: Json) -> Json:
    return (charge.get("payment_method_details") or {}).get("card") or {}


def _expanded(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _id(value: Any) -> str | None:
    return value.get("id") if isinstance(value, Mapping) else value


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
