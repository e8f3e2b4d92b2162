"""Refunds over HTTP: asking for them, and what became of them."""

from typing import Annotated, Literal

from pydantic import Field

from shop.payments import read
from shop.payments.errors import DisputeOpen, RefundableChanged, RefundTooLarge, WrongState
from shop.payments.read import RefundView
from shop.payments.refund import LineWish, RefundWish, ask_refund
from web.access import OWNER_OR_SUPPORT, only
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Minor, Out, Text, Time
from web.paging import Page, Paged, part_of
from web.routes import Group

GROUP = Group("Refunds", "Giving money back, in full or in part, once.")


class RefundLineWish(In):
    line_id: str = Field(min_length=1, max_length=40)
    quantity: int = Field(ge=1, le=1_000_000)


class NewRefund(In):
    """`expected_refundable` is the `refundable` of the order as the caller saw it; if it is another now, somebody else
    was quicker. Without `amount`, the price of `lines`; without those, all that is left.
    """

    amount: Annotated[Minor, Field(ge=1)] | None = None
    reason: Annotated[Text, Field(max_length=500)]
    expected_refundable: Minor
    lines: list[RefundLineWish] | None = Field(None, max_length=100)
    restock: bool = False


class RefundLineBody(Out):
    line_id: str
    quantity: int
    amount: int


class FailureBody(Out):
    code: str


class RefundBody(Out):
    """`pending` is decided later by the customer's bank. Amounts are whole minor units."""

    id: str
    order_id: str
    status: Literal["pending", "succeeded", "failed"]
    amount: int
    currency: str
    reason: str
    lines: list[RefundLineBody]
    restock: bool
    origin: Literal["shop", "provider"]
    failure: Maybe[FailureBody] = None
    created_at: Time
    updated_at: Time


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/refunds",
    who=only("support", "admin"),
    keyed=True,
    waits=True,
    answers={202: RefundBody, 201: RefundBody},
    errors=(RefundableChanged, RefundTooLarge, DisputeOpen, WrongState),
)
def create(call: Call, order_id: str, body: NewRefund) -> Answer:
    """Refund an order, in full or in part.

    The amount is reserved at once, so that two refunds at the same time cannot give back more than was taken.
    """
    wish = RefundWish(
        reason=body.reason,
        expected_refundable=body.expected_refundable,
        amount=body.amount,
        lines=tuple(LineWish(line.line_id, line.quantity) for line in body.lines or ()),
        restock=body.restock,
    )
    refund_id = ask_refund(call.db, order_id, wish, actor=call.customer_id).id
    location = f"/v1/refunds/{refund_id}"
    return accepted(
        _body(read.refund_view(call.db, refund_id)),
        location=location,
        settling=Settling(
            load=lambda db: read.refund_view(db, refund_id),
            settled=lambda view: view.settled,
            answer=lambda view: Answer(_body(view), 201, location=location),
        ),
    )


@GROUP.route("GET", "/v1/orders/{order_id}/refunds", who=OWNER_OR_SUPPORT, answers={200: Page[RefundBody]})
def of_order(call: Call, order_id: str, query: Paged) -> Page[RefundBody]:
    """The refunds of one order, newest first."""
    call.must_own(read.order_view(call.db, order_id).order.customer_id)
    views = read.refund_views(call.db, order_id)
    return part_of(views, query, body=_body, key=lambda view: view.refund.id)


@GROUP.route("GET", "/v1/refunds/{refund_id}", who=OWNER_OR_SUPPORT, answers={200: RefundBody}, waits=True)
def show(call: Call, refund_id: str) -> Answer:
    """One refund."""
    call.must_own(read.refund_view(call.db, refund_id).customer_id)
    return call.settled(
        Settling(
            load=lambda db: read.refund_view(db, refund_id),
            settled=lambda view: view.settled,
            answer=lambda view: Answer(_body(view)),
        )
    )


def _body(view: RefundView) -> RefundBody:
    refund = view.refund
    return RefundBody.model_validate(
        {
            "id": refund.id,
            "order_id": refund.order_id,
            "status": refund.status,
            "amount": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason,
            "lines": [
                RefundLineBody(line_id=line.line_id, quantity=line.quantity, amount=line.amount_minor)
                for line in view.lines
            ],
            "restock": refund.restock,
            "origin": refund.origin,
            "failure": FailureBody(code=refund.failure_code) if refund.failure_code else None,
            "created_at": refund.created_at,
            "updated_at": refund.updated_at,
        }
    )
