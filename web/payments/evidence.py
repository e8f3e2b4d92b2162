"""Answers to disputes over HTTP: asked for, read as a PDF, sent to the bank."""

from datetime import date
from typing import Annotated, Literal

from flask import Response, request
from pydantic import Field

from shop.documents.errors import NotDrawn
from shop.documents.evidence import evidence_paper
from shop.operations import jobs
from shop.payments.disputes.answering import EvidenceWish, ask_evidence, packets
from shop.payments.errors import DisputeClosed, EvidenceOnItsWay, EvidenceTooLate
from shop.payments.rows import Packet
from web.access import SUPPORT
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Out, Text, Time
from web.operations.jobs import JobBody, job_body
from web.paging import Page, Paged, part_of
from web.routes import Group

GROUP = Group("Evidence", "What the shop answers a bank that takes a payment back, or asks about it.")

PDF = "application/pdf"


class Parcel(In):
    """What is known of the way the goods went; a bank asks for it first."""

    carrier: Annotated[Text, Field(max_length=200)] | None = None
    tracking_number: Annotated[Text, Field(max_length=200)] | None = None
    shipped_on: date | None = None


class NewEvidence(In):
    """`note` is the shop's own statement. What is left out stays as the packet before said it. With `submit` the packet
    is sent to the bank once it is drawn: there is one answer for each dispute, and it cannot be taken back.
    """

    note: Annotated[Text, Field(max_length=5000)] | None = None
    shipping: Parcel | None = None
    submit: bool = False


class PacketBody(Out):
    """`state`: `drawing`, `drawn`, and if it is to be sent `sending`, `submitted` or `refused` (with `error`)."""

    id: str
    dispute_id: str
    version: int
    state: Literal["drawing", "drawn", "sending", "submitted", "refused"]
    submit: bool
    requested_by: str
    note: Maybe[str] = None
    error: Maybe[str] = None
    created_at: Time
    answered_at: Maybe[Time] = None


@GROUP.route(
    "POST",
    "/v1/disputes/{dispute_id}/evidence",
    who=SUPPORT,
    answers={202: JobBody, 200: JobBody},
    waits=True,
    errors=(DisputeClosed, EvidenceTooLate, EvidenceOnItsWay),
)
def ask(call: Call, dispute_id: str, body: NewEvidence) -> Answer:
    """Draw a packet of evidence.

    One PDF with the case, the order, the customer, the payment, what happened, the invoices, the mails and the terms,
    frozen as they are now. Each wish makes a new version. With `submit` it is sent to the bank afterwards.
    """
    shipping = body.shipping.model_dump(mode="json", exclude_none=True) if body.shipping else None
    wish = EvidenceWish(note=body.note, shipping=shipping or None, submit=body.submit)
    job_id = ask_evidence(call.db, dispute_id, wish, actor=call.customer_id).job_id
    location = f"/v1/jobs/{job_id}"
    return accepted(
        job_body(jobs.read(call.db, job_id)),
        location=location,
        settling=Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job), 200, location=location),
        ),
    )


@GROUP.route("GET", "/v1/disputes/{dispute_id}/evidence", who=SUPPORT, answers={200: Page[PacketBody]})
def listed(call: Call, dispute_id: str, query: Paged) -> Page[PacketBody]:
    """The packets of a dispute, newest first, and what became of the one that was sent."""
    return part_of(packets(call.db, dispute_id), query, body=_body, key=lambda packet: packet.id)


@GROUP.route("GET", "/v1/disputes/{dispute_id}/evidence.pdf", who=SUPPORT, answers={200: PDF}, errors=(NotDrawn,))
def paper(call: Call, dispute_id: str) -> Response:
    """The newest packet as PDF.

    A packet never changes: `ETag` is the SHA-256 of its bytes. A later wish makes a newer one under the same address.
    """
    found = evidence_paper(call.db, dispute_id)
    response = Response(found.pdf, content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{found.number}.pdf"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(found.sha256)
    response.make_conditional(request)
    return response


def _body(packet: Packet) -> PacketBody:
    return PacketBody(
        id=packet.id,
        dispute_id=packet.dispute_id,
        version=packet.version,
        state=_state(packet),
        submit=packet.submit,
        requested_by=packet.requested_by,
        note=packet.note,
        error=packet.error_code,
        created_at=packet.created_at,
        answered_at=packet.answered_at,
    )


def _state(packet: Packet) -> Literal["drawing", "drawn", "sending", "submitted", "refused"]:
    if packet.outcome is not None:
        return "submitted" if packet.outcome == "submitted" else "refused"
    if not packet.drawn:
        return "drawing"
    return "sending" if packet.submit else "drawn"
