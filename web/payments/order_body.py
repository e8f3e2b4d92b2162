"""An order as it is shown: its JSON, and what each caller may see of it."""

from typing import Any, Literal

from shop.payments.read import OrderView
from shop.payments.rows import Line, Payment
from shop.tax import TaxLine, rate_text
from web.call import Call
from web.models import Maybe, Out, Time

Status = Literal[
    "placing",
    "rejected",
    "awaiting_payment",
    "requires_action",
    "processing",
    "payment_failed",
    "authorized",
    "capturing",
    "paid",
    "partially_refunded",
    "refunded",
    "canceled",
    "expired",
]

PAYABLE = frozenset({"awaiting_payment", "requires_action", "payment_failed"})
"""States in which a browser needs the client secret."""

UNSPOKEN = frozenset({"lost_card", "stolen_card", "fraudulent", "pickup_card", "merchant_blacklist", "restricted_card"})
"""Reasons that a thief would like to know: Stripe asks shops to show customers no more than a plain decline."""


class LineBody(Out):
    id: str
    product_id: str
    name: str
    quantity: int
    unit_price: int
    total: int


class CardBody(Out):
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


class DeclineBody(Out):
    code: str
    message: str


class PaymentBody(Out):
    id: str
    status: str
    client_secret: Maybe[str] = None
    next_action: Maybe[dict[str, Any]] = None
    card: Maybe[CardBody] = None
    capture_before: Maybe[Time] = None
    decline: Maybe[DeclineBody] = None


class RejectionBody(Out):
    code: str
    detail: str


class DoubtBody(Out):
    """Something asked of the payment provider that got no verdict: create, confirm, capture, cancel or refund."""

    operation: str
    unknown_since: Time
    look_at: Maybe[Time] = None
    tries: int


class TaxLineBody(Out):
    """The tax of one rate (percent, as text): `gross` is `net` and `tax`, goods and shipping together."""

    rate: str
    country: str
    net: int
    tax: int
    gross: int


class OrderBody(Out):
    """Amounts are whole minor units of the order's currency. Where prices hold their tax (the default), `total` is
    `subtotal` and `shipping`, and `tax` is the part of it that is tax; where they do not, `tax` is added to them.
    `tax_lines` divide `tax` by rate. `currency` and `payment` are null until the order is placed.
    `customer_id` and `outcome_unknown` are for support; the latter says what nobody knows the outcome of, since when,
    and when somebody looks next.
    """

    id: str
    number: str
    status: Status
    status_reason: Maybe[str] = None
    disputed: bool
    currency: str | None
    lines: list[LineBody]
    subtotal: int
    shipping: int
    tax: int
    tax_lines: list[TaxLineBody]
    total: int
    amount_captured: int
    amount_refunded: int
    refundable: int
    payment: PaymentBody | None
    rejection: Maybe[RejectionBody] = None
    customer_id: Maybe[str] = None
    email: Maybe[str] = None
    shipping_address: Maybe[dict[str, Any]] = None
    outcome_unknown: Maybe[list[DoubtBody]] = None
    expires_at: Time
    created_at: Time
    updated_at: Time


def order_body(call: Call, view: OrderView) -> OrderBody:
    """An order as this caller may see it."""
    order = view.order
    rejection = None
    if order.rejection_code is not None:
        rejection = RejectionBody(code=order.rejection_code, detail=order.rejection_detail or "")
    return OrderBody.model_validate(
        {
            "id": order.id,
            "number": order.number,
            "status": order.status,
            "status_reason": order.status_reason,
            "disputed": order.disputed,
            "currency": order.currency,
            "lines": [_line(line) for line in view.lines],
            "subtotal": order.subtotal_minor,
            "shipping": order.shipping_minor,
            "tax": order.tax_minor,
            "tax_lines": [_tax(line) for line in view.taxes],
            "total": order.total_minor,
            "amount_captured": order.amount_captured,
            "amount_refunded": order.amount_refunded,
            "refundable": order.refundable,
            "payment": _payment(call, view, view.payment) if view.payment else None,
            "rejection": rejection,
            "customer_id": order.customer_id if call.has("support") else None,
            "email": order.email,
            "shipping_address": order.shipping_address,
            "outcome_unknown": _doubts(view) if call.has("support") else None,
            "expires_at": order.expires_at,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
        }
    )


def _doubts(view: OrderView) -> list[DoubtBody] | None:
    return [
        DoubtBody(
            operation=doubt.operation, unknown_since=doubt.unknown_since, look_at=doubt.look_at, tries=doubt.tries
        )
        for doubt in view.doubts
    ] or None


def _tax(line: TaxLine) -> TaxLineBody:
    part = line.part
    return TaxLineBody(
        rate=rate_text(line.rate_percent),
        country=line.country,
        net=part.net_minor,
        tax=part.tax_minor,
        gross=part.gross_minor,
    )


def _line(line: Line) -> LineBody:
    return LineBody(
        id=line.id,
        product_id=line.product_id,
        name=line.name,
        quantity=line.quantity,
        unit_price=line.unit_price_minor,
        total=line.total_minor,
    )


def _payment(call: Call, view: OrderView, payment: Payment) -> PaymentBody:
    owner = call.caller.sub == view.order.customer_id
    payable = view.order.status in PAYABLE
    card = None
    if payment.card_last4 is not None:
        card = CardBody(
            brand=payment.card_brand or "unknown",
            last4=payment.card_last4,
            exp_month=payment.card_exp_month,
            exp_year=payment.card_exp_year,
        )
    return PaymentBody(
        id=payment.id,
        status=payment.status,
        client_secret=payment.client_secret if owner and payable else None,
        next_action=dict(payment.next_action) if payment.next_action and owner and payable else None,
        card=card,
        capture_before=payment.capture_before if payment.status == "requires_capture" else None,
        decline=_decline(payment, told_all=call.has("support")) if view.order.status == "payment_failed" else None,
    )


def _decline(payment: Payment, *, told_all: bool) -> DeclineBody | None:
    if payment.decline_code is None:
        return None
    if payment.decline_code in UNSPOKEN and not told_all:
        return DeclineBody(code="generic_decline", message="Your card was declined.")
    return DeclineBody(code=payment.decline_code, message=payment.decline_message or "")
