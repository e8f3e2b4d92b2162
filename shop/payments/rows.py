"""The rows of this area as they are read; amounts are whole minor units of the row's currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from shop.payments.story import sentence


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    number: str
    customer_id: str
    email: str | None
    cart_id: str
    status: str
    status_reason: str | None
    disputed: bool
    currency: str | None
    subtotal_minor: int
    shipping_minor: int
    tax_minor: int
    tax_rate_percent: Decimal
    total_minor: int
    amount_captured: int
    amount_refunded: int
    amount_reserved_for_refund: int
    shipping_address: Mapping[str, Any] | None
    payment_method: str | None
    save_payment_method: bool
    capture_method: str
    rejection_code: str | None
    rejection_detail: str | None
    reservation_id: str | None
    stock: str
    visitor_id: str | None
    search_id: str | None
    expires_at: datetime
    paid_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def refundable(self) -> int:
        return self.amount_captured - self.amount_refunded - self.amount_reserved_for_refund


@dataclass(frozen=True, slots=True)
class NewOrder:
    id: str
    customer_id: str
    email: str | None
    cart_id: str
    shipping_address: Mapping[str, Any] | None
    payment_method: str | None
    save_payment_method: bool
    capture_method: str
    visitor_id: str | None
    search_id: str | None
    expires_s: float
    locale: str | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    order_id: str
    position: int
    product_id: str
    name: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    category: str | None = None
    tax_rate_percent: Decimal | None = None
    tax_minor: int | None = None


@dataclass(frozen=True, slots=True)
class RateWish:
    """How much of a refund is for goods of one rate."""

    rate_percent: Decimal
    gross_minor: int


@dataclass(frozen=True, slots=True)
class Payment:
    id: str
    order_id: str
    intent_id: str
    charge_id: str | None
    client_secret: str | None
    status: str
    currency: str
    amount_minor: int
    capturable_minor: int
    captured_minor: int
    fee_minor: int | None
    decline_code: str | None
    decline_message: str | None
    next_action: Mapping[str, Any] | None
    capture_before: datetime | None
    card_brand: str | None
    card_last4: str | None
    card_exp_month: int | None
    card_exp_year: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """`status` is requested (it waits for `approved_by` or `declined_by`), pending, succeeded, failed or declined;
    `origin` is shop, or provider for one made in Stripe's dashboard. `shipping_minor` is a part of the amount.
    """

    id: str
    order_id: str
    payment_id: str
    provider_refund_id: str | None
    status: str
    amount_minor: int
    shipping_minor: int
    currency: str
    reason: str
    restock: bool
    origin: str
    requested_by: str | None
    approved_by: str | None
    declined_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    failure_code: str | None
    failure_message: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    """`withdrawn_minor` is what the bank holds now, `fee_minor` what the dispute costs beside it."""

    id: str
    order_id: str
    payment_id: str
    provider_dispute_id: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    withdrawn_minor: int
    fee_minor: int
    evidence_due_at: datetime | None
    evidence_submitted: bool
    provider_refundable: bool | None
    opened_at: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Packet:
    """An answer to a dispute. `drawn`: its PDF is there; `outcome` is submitted or refused where it was to be sent."""

    id: str
    dispute_id: str
    order_id: str
    provider_dispute_id: str
    version: int
    requested_by: str
    note: str | None
    submit: bool
    drawn: bool
    tries: int
    generation: int
    provider_file_id: str | None
    outcome: str | None
    error_code: str | None
    answered_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundLine:
    refund_id: str
    line_id: str
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class LineLeft:
    """A line and how much of it is refunded or about to be; `gross_minor` is what all its pieces cost with tax."""

    id: str
    quantity: int
    gross_minor: int
    refunded_pieces: int
    refunded_minor: int

    @property
    def pieces_left(self) -> int:
        return self.quantity - self.refunded_pieces

    def price_of(self, pieces: int) -> int:
        """The next pieces of the line: rounded on the running sum, so that the last one brings exactly what is left."""
        upto = self.refunded_pieces + pieces
        return max((2 * self.gross_minor * upto + self.quantity) // (2 * self.quantity) - self.refunded_minor, 0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wish towards the provider. `tries` counts how often it was asked under `provider_key`."""

    id: str
    order_id: str
    refund_id: str | None
    operation: str
    generation: int
    body: Mapping[str, Any]
    provider_key: str
    deadline: datetime
    tries: int
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something asked of the provider whose outcome nobody knows; `look_at` is when somebody looks next."""

    order_id: str
    operation: str
    unknown_since: datetime
    look_at: datetime | None
    tries: int


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    event_id: str | None
    source: str
    type: str | None
    object_id: str | None
    object_kind: str | None
    payment_ref: str | None
    state: str
    attempts: int
    adopt_into: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an order's history."""

    at: datetime
    kind: str
    what: str
    detail: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """What happened, for a person."""
        return sentence(self.kind, self.what, self.detail)
