"""Refunds over HTTP: asking for them, and what became of them."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from shop.payments import read
from shop.payments.errors import DisputeOpen, NotPayable, OwnRequest, RefundableChanged, RefundTooLarge, WrongState
from shop.payments.read import RefundView
from shop.payments.refunds.approving import approve_refund, decline_refund
from shop.payments.refunds.refunding import LineWish, RefundWish, ask_refund, preview_refund
from web.access import ADMIN, OWNER_OR_SUPPORT, SUPPORT, only
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Minor, Out, Text, Time
from web.paging import Page, Paged, page_of, part_of
from web.routes import Group

GROUP = Group("Refunds", "Giving money back, in full or in part, once.")


class RefundLineWish(In):
    line_id: str = Field(min_length=1, max_length=40)
    quantity: int = Field(ge=1, le=1_000_000)


class NewRefund(In):
    """`expected_refundable` is the `refundable` of the order as the caller saw it; if it is another now, somebody else
    was quicker. Without `amount`, the price of `lines` and of so much `shipping`; without those, all that is left. An
    empty list of lines is refused: a form in which nothing was ticked must not give everything back.
    """

    amount: Annotated[Minor, Field(ge=1)] | None = None
    reason: Annotated[Text, Field(max_length=500)]
    expected_refundable: Minor
    lines: list[RefundLineWish] | None = Field(None, min_length=1, max_length=100)
    shipping: Minor = 0
    restock: bool = False


class RefundLineBody(Out):
    line_id: str
    quantity: int
    amount: int


class PreviewBody(Out):
    """What a refund would come to: `refundable_after` is what could still be given back then."""

    amount: int
    currency: str
    lines: list[RefundLineBody]
    shipping: int
    refundable_after: int
    needs_approval: bool


class FailureBody(Out):
    code: str


class NewDecision(In):
    reason: Annotated[Text, Field(max_length=500)] | None = None


class NewRefusal(In):
    reason: Annotated[Text, Field(max_length=500)]


class DecisionBody(Out):
    """Who agreed to a refund or declined it, and why."""

    by: str
    at: Time
    reason: Maybe[str] = None


class RefundBody(Out):
    """`pending` is decided later by the customer's bank; `requested` waits for an admin other than who asked, in shops
    where large refunds need two people, and `declined` is that admin's no. Amounts are whole minor units; `shipping`
    is the part of the amount that gives back shipping. `requested_by` and `decision` are shown to staff.
    """

    id: str
    order_id: str
    status: Literal["requested", "pending", "succeeded", "failed", "declined"]
    amount: int
    currency: str
    reason: str
    lines: list[RefundLineBody]
    shipping: int
    restock: bool
    origin: Literal["shop", "provider"]
    failure: Maybe[FailureBody] = None
    requested_by: Maybe[str] = None
    decision: Maybe[DecisionBody] = None
    created_at: Time
    updated_at: Time


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/refunds",
    who=only("support", "admin"),
    keyed=True,
    waits=True,
    answers={202: RefundBody, 201: RefundBody},
    errors=(RefundableChanged, RefundTooLarge, NotPayable, DisputeOpen, WrongState),
)
def create(call: Call, order_id: str, body: NewRefund) -> Answer:
    """Refund an order, in full or in part.

    The amount is reserved at once, so that two refunds at the same time cannot give back more than was taken. Where the
    shop wants a second person for large refunds, one that support asks for stays `requested`.
    """
    refund_id = ask_refund(
        call.db, order_id, _wish(body), actor=call.customer_id, approval_from_minor=_second_person_from(call)
    ).id
    location = f"/v1/refunds/{refund_id}"
    return accepted(
        _staff_body(read.refund_view(call.db, refund_id)),
        location=location,
        settling=Settling(
            load=lambda db: read.refund_view(db, refund_id),
            settled=lambda view: view.settled,
            answer=lambda view: Answer(_staff_body(view), 201, location=location),
        ),
    )


@GROUP.route(
    "POST",
    "/v1/orders/{order_id}/refunds/preview",
    who=only("support", "admin"),
    answers={200: PreviewBody},
    errors=(RefundableChanged, RefundTooLarge, NotPayable, DisputeOpen, WrongState),
)
def preview(call: Call, order_id: str, body: NewRefund) -> PreviewBody:
    """What a refund would come to.

    Takes what asking for it takes, refuses what that would refuse, and changes nothing.
    """
    found = preview_refund(
        call.db, order_id, _wish(body), actor=call.customer_id, approval_from_minor=_second_person_from(call)
    )
    return PreviewBody(
        amount=found.priced.amount,
        currency=found.currency,
        lines=[
            RefundLineBody(line_id=line.line_id, quantity=line.quantity, amount=line.amount_minor)
            for line in found.priced.lines
        ],
        shipping=found.priced.shipping,
        refundable_after=found.left,
        needs_approval=found.needs_approval,
    )


@GROUP.route("GET", "/v1/refunds", who=SUPPORT, answers={200: Page[RefundBody]})
def requested(call: Call, query: Paged) -> Page[RefundBody]:
    """The refunds that wait for somebody to approve or decline them, newest first."""
    views = read.requested_refunds(call.db, before_id=query.after_id(), limit=query.limit + 1)
    return page_of(views, query.limit, body=_staff_body, place=lambda view: (view.refund.id,))


@GROUP.route(
    "POST",
    "/v1/refunds/{refund_id}/approve",
    who=ADMIN,
    answers={200: RefundBody},
    errors=(OwnRequest, WrongState, DisputeOpen),
)
def approve(call: Call, refund_id: str, body: NewDecision) -> RefundBody:
    """Agree to a requested refund.

    Its money goes out now. Whoever asked for it cannot be the one who agrees. A repeat changes nothing.
    """
    approve_refund(call.db, refund_id, actor=call.customer_id, reason=body.reason)
    return _staff_body(read.refund_view(call.db, refund_id))


@GROUP.route(
    "POST", "/v1/refunds/{refund_id}/decline", who=ADMIN, answers={200: RefundBody}, errors=(OwnRequest, WrongState)
)
def decline(call: Call, refund_id: str, body: NewRefusal) -> RefundBody:
    """Say no to a requested refund.

    What it reserved is free again. A repeat changes nothing.
    """
    decline_refund(call.db, refund_id, actor=call.customer_id, reason=body.reason)
    return _staff_body(read.refund_view(call.db, refund_id))


@GROUP.route("GET", "/v1/orders/{order_id}/refunds", who=OWNER_OR_SUPPORT, answers={200: Page[RefundBody]})
def of_order(call: Call, order_id: str, query: Paged) -> Page[RefundBody]:
    """The refunds of one order, newest first."""
    call.must_own(read.order_view(call.db, order_id).order.customer_id)
    views = read.refund_views(call.db, order_id)
    return part_of(views, query, body=_shown(call), key=lambda view: view.refund.id)


@GROUP.route("GET", "/v1/refunds/{refund_id}", who=OWNER_OR_SUPPORT, answers={200: RefundBody}, waits=True)
def show(call: Call, refund_id: str) -> Answer:
    """One refund."""
    call.must_own(read.refund_view(call.db, refund_id).customer_id)
    return call.settled(
        Settling(
            load=lambda db: read.refund_view(db, refund_id),
            settled=lambda view: view.settled,
            answer=lambda view: Answer(_shown(call)(view)),
        )
    )


def _wish(body: NewRefund) -> RefundWish:
    return RefundWish(
        reason=body.reason,
        expected_refundable=body.expected_refundable,
        amount=body.amount,
        lines=tuple(LineWish(line.line_id, line.quantity) for line in body.lines or ()),
        shipping=body.shipping,
        restock=body.restock,
    )


def _second_person_from(call: Call) -> int | None:
    # An admin is the second person already.
    return None if call.has("admin") else call.services.settings.refund_approval_from_minor


def _shown(call: Call) -> Callable[[RefundView], RefundBody]:
    """Customers see what becomes of their money, not who of the staff decided about it."""
    return _staff_body if call.has("support", "admin") else _body


def _staff_body(view: RefundView) -> RefundBody:
    refund = view.refund
    by = refund.approved_by or refund.declined_by
    decision = None
    if by is not None and refund.decided_at is not None:
        decision = DecisionBody(by=by, at=refund.decided_at, reason=refund.decision_reason)
    return _body(view).model_copy(update={"requested_by": refund.requested_by, "decision": decision})


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
            "shipping": refund.shipping_minor,
            "restock": refund.restock,
            "origin": refund.origin,
            "failure": FailureBody(code=refund.failure_code) if refund.failure_code else None,
            "created_at": refund.created_at,
            "updated_at": refund.updated_at,
        }
    )
