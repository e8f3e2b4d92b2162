"""Documents over HTTP: invoices and credit notes as they were issued."""

from types import MappingProxyType
from typing import Literal

from flask import Response, request

from shop.documents import issued
from shop.documents.errors import NotDrawn
from shop.documents.issued import Paper
from shop.documents.queries.reading import IssuedDocument
from web.access import OWNER_OR_SUPPORT
from web.call import Call
from web.models import Currency, Maybe, Out, Time
from web.paging import Page, Paged, part_of
from web.routes import Group

GROUP = Group("Documents", "Invoices and credit notes: numbered without gaps, and the same bytes for ever.")

PDF = "application/pdf"

PLACES = MappingProxyType({"invoice": "invoices", "credit_note": "credit-notes", "debit_note": "debit-notes"})

MAX_AGE_S = 86_400
"""A paper never changes; a day, and only in its owner's own browser, because the next user of it may be another."""


class DocumentBody(Out):
    """`total` contains `tax`. `url` answers the PDF; `sha256` is its digest, absent while it is still being drawn."""

    id: str
    kind: Literal["invoice", "credit_note", "debit_note"]
    number: str
    order_id: str
    refund_id: Maybe[str] = None
    currency: Currency
    net: int
    tax: int
    total: int
    issued_at: Time
    url: str
    sha256: Maybe[str] = None


@GROUP.route("GET", "/v1/orders/{order_id}/documents", who=OWNER_OR_SUPPORT, answers={200: Page[DocumentBody]})
def listed(call: Call, order_id: str, query: Paged) -> Page[DocumentBody]:
    """The documents of an order, newest first.

    One invoice for each capture, one credit note for each refund, and a debit note where a refund came back
    after it was credited; the list is always complete.
    """
    call.must_own(issued.owner_of_order(call.db, order_id))
    documents = issued.documents_of(call.db, order_id)
    return part_of(documents, query, body=_body, key=lambda document: document.id)


@GROUP.route("GET", "/v1/invoices/{number}.pdf", who=OWNER_OR_SUPPORT, answers={200: PDF}, errors=(NotDrawn,))
def invoice(call: Call, number: str) -> Response:
    """An invoice as PDF.

    The bytes never change: `ETag` is their SHA-256, and `If-None-Match` is answered 304.
    """
    call.must_own(issued.owner_of(call.db, "invoice", number))
    return _pdf(issued.paper_of(call.db, "invoice", number))


@GROUP.route("GET", "/v1/credit-notes/{number}.pdf", who=OWNER_OR_SUPPORT, answers={200: PDF}, errors=(NotDrawn,))
def credit_note(call: Call, number: str) -> Response:
    """A credit note as PDF.

    The bytes never change: `ETag` is their SHA-256, and `If-None-Match` is answered 304.
    """
    call.must_own(issued.owner_of(call.db, "credit_note", number))
    return _pdf(issued.paper_of(call.db, "credit_note", number))


@GROUP.route("GET", "/v1/debit-notes/{number}.pdf", who=OWNER_OR_SUPPORT, answers={200: PDF}, errors=(NotDrawn,))
def debit_note(call: Call, number: str) -> Response:
    """A debit note as PDF: it cancels the credit note of a refund that came back.

    The bytes never change: `ETag` is their SHA-256, and `If-None-Match` is answered 304.
    """
    call.must_own(issued.owner_of(call.db, "debit_note", number))
    return _pdf(issued.paper_of(call.db, "debit_note", number))


def _body(document: IssuedDocument) -> DocumentBody:
    return DocumentBody(
        id=document.id,
        kind=document.kind,
        number=document.number,
        order_id=document.order_id,
        refund_id=document.refund_id,
        currency=document.currency,
        net=document.net_minor,
        tax=document.tax_minor,
        total=document.total_minor,
        issued_at=document.issued_at,
        url=f"/v1/{PLACES[document.kind]}/{document.number}.pdf",
        sha256=None if document.sha256 is None else document.sha256.hex(),
    )


def _pdf(paper: Paper) -> Response:
    response = Response(paper.pdf, content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{paper.number}.pdf"'
    response.headers["Cache-Control"] = f"private, max-age={MAX_AGE_S}"
    response.set_etag(paper.sha256)
    response.make_conditional(request)
    return response
