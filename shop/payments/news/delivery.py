"""The rows of the inbox as they are read: deliveries, what people did about them, and money on its way back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop.ports.gateway import PaymentSeen


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """`body` and `headers` as they came, empty once they were forgotten (`blanked_at`).

    `seen` is what `summary` made of the payment when it was last looked at, None where nobody has.
    """

    id: str
    event_id: str | None
    source: str
    type: str | None
    object_id: str | None
    object_kind: str | None
    payment_ref: str | None
    api_version: str | None
    secret_label: str | None
    remote_address: str | None
    state: str
    reason: str | None
    order_id: str | None
    adopt_into: str | None
    seen: Mapping[str, Any] | None
    attempts: int
    repeats: int
    event_at: datetime | None
    received_at: datetime
    settled_at: datetime | None
    retry_at: datetime | None
    blanked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did about a delivery. `act` is retry, adopt, dismiss or refund."""

    id: str
    delivery_id: str
    act: str
    actor: str
    reason: str | None
    order_id: str | None
    done_at: datetime


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """Money of no order on its way back. `operation` is refund or void, None until the payment was looked at.

    `outcome` is None while undecided, then succeeded, refused, or failed for a refund that bounced later.
    """

    id: str
    payment_ref: str
    delivery_id: str
    order_id: str | None
    requested_by: str
    reason: str
    operation: str | None
    amount_minor: int | None
    currency: str | None
    provider_key: str | None
    deadline: datetime | None
    tries: int
    outcome: str | None
    provider_object: str | None
    provider_status: str | None
    error: str | None
    created_at: datetime
    answered_at: datetime | None


def summary(seen: PaymentSeen, at: datetime) -> dict[str, Any]:
    """What a person needs to know of a payment to decide about it; nothing personal. Amounts in minor units."""
    return {
        "amount": seen.amount,
        "currency": seen.currency,
        "status": seen.status,
        "capturable": seen.capturable,
        "captured": seen.captured,
        "refunded": seen.refunded,
        "disputed": seen.disputed,
        "names_order": seen.order_id[:60] if seen.order_id else None,
        "seen_at": at.isoformat(),
    }
