"""Issues the credit note of a refund: it refers to the invoice, which itself is never touched."""

from db.database import Database, Tx
from shop.documents.errors import NothingToDocument, RefundNotDone
from shop.documents.invoice import issue_invoices
from shop.documents.numbers import lock_and_time, take
from shop.documents.paper import store_paper
from shop.documents.queries import issue, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import RefundRow
from shop.documents.seller import Seller
from shop.documents.snapshot import as_document, credit_snapshot
from shop.documents.tax import to_credit


def credit(db: Database, seller: Seller, refund_id: str) -> str:
    """Issue, draw and have mailed; answers the number. Run again, it finds what is there and does what is missing.

    An invoice that is still waiting for its own job is issued first: a credit note without one would credit nothing.
    Raises NothingToDocument for an unknown refund, RefundNotDone before the money went back.
    """
    refund = _done_refund(db, refund_id)
    invoices = issue_invoices(db, seller, refund.order_id)
    document = _issue_once(db, seller, refund, invoices)
    store_paper(db, document, mail="refund_done", subject_id=refund_id)
    return document.number


def _done_refund(db: Database, refund_id: str) -> RefundRow:
    with db.transaction() as tx:
        refund = sources.refund(tx, refund_id)
        issued = issue.credit_note_of_refund(tx, refund_id)
    if refund is None:
        raise NothingToDocument(f"there is no refund {refund_id}")
    if refund.status != "succeeded" and issued is None:
        raise RefundNotDone(f"refund {refund_id} is {refund.status}")
    return refund


def _check_again(tx: Tx, refund_id: str) -> None:
    """Under the lock of the series: a refund that came back meanwhile gets no note, for nobody would cancel it."""
    refund = sources.refund(tx, refund_id)
    if refund is None or refund.status != "succeeded":
        raise RefundNotDone(f"refund {refund_id} came back")


def _issue_once(db: Database, seller: Seller, refund: RefundRow, invoices: list[DocumentRow]) -> DocumentRow:
    with db.transaction() as tx:
        existing = issue.credit_note_of_refund(tx, refund.id)
        if existing is not None:
            return existing
        lines = sources.refund_lines(tx, refund.id)
        # The series is locked, so no other note can come between what is left and what is taken of it.
        moment = lock_and_time(tx, seller.credit_series)
        existing = issue.credit_note_of_refund(tx, refund.id)
        if existing is not None:
            return existing
        _check_again(tx, refund.id)
        parts = to_credit(tx, refund, lines, invoices)
        number = take(tx, seller.credit_series, moment, seller.zone)
        snapshot = credit_snapshot(number, seller, refund, lines, invoices, parts)
        document = as_document("crn", number, snapshot)
        issue.insert_credit_note(tx, document, refund_id=refund.id, invoice_id=invoices[-1].id)
    return document
