"""Disputes over HTTP: what a bank took back or asks about, and until when it can be answered."""

from typing import Literal

from pydantic import Field

from shop.payments.disputes import disputed
from shop.payments.disputes.disputing import blocks
from shop.payments.rows import Dispute
from web.access import SUPPORT
from web.call import Call
from web.models import Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Disputes", "Payments that a customer's bank takes back, or asks about.")

Status = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
    "appeal_needs_response",
    "appeal_under_review",
]


class DisputeBody(Out):
    """`warning_…` are inquiries: the bank only asks, and the order can still be refunded (`blocks_refunds`).

    `withdrawn` is what the bank holds now and `fee` what the dispute costs beside it, in whole minor units; both are
    back at 0 when it is won.
    """

    id: str
    order_id: str
    provider_id: str
    status: Status
    reason: str
    amount: int
    currency: str
    withdrawn: int
    fee: int
    blocks_refunds: bool
    evidence_due_at: Time | None
    evidence_submitted: bool
    opened_at: Time
    updated_at: Time


class DisputeFilter(Paged):
    status: Status | None = None
    order: str | None = Field(None, max_length=40)
    due_within_days: int | None = Field(None, ge=0, le=365)


@GROUP.route("GET", "/v1/disputes", who=SUPPORT, answers={200: Page[DisputeBody]})
def listed(call: Call, query: DisputeFilter) -> Page[DisputeBody]:
    """Disputes, newest first.

    With `due_within_days`, those that wait for an answer of the shop and can have one no longer than that.
    """
    found = disputed.listed(
        call.db,
        status=query.status,
        order_id=query.order,
        due_within_days=query.due_within_days,
        before_id=query.after_id(),
        limit=query.limit + 1,
    )
    return page_of(found, query.limit, body=_body, place=lambda dispute: (dispute.id,))


@GROUP.route("GET", "/v1/disputes/{dispute_id}", who=SUPPORT, answers={200: DisputeBody})
def show(call: Call, dispute_id: str) -> DisputeBody:
    """One dispute."""
    return _body(disputed.dispute(call.db, dispute_id))


def _body(dispute: Dispute) -> DisputeBody:
    return DisputeBody.model_validate(
        {
            "id": dispute.id,
            "order_id": dispute.order_id,
            "provider_id": dispute.provider_dispute_id,
            "status": dispute.status,
            "reason": dispute.reason,
            "amount": dispute.amount_minor,
            "currency": dispute.currency,
            "withdrawn": dispute.withdrawn_minor,
            "fee": dispute.fee_minor,
            "blocks_refunds": blocks(dispute.status, dispute.provider_refundable),
            "evidence_due_at": dispute.evidence_due_at,
            "evidence_submitted": dispute.evidence_submitted,
            "opened_at": dispute.opened_at,
            "updated_at": dispute.updated_at,
        }
    )
