"""Issues the counter-document of a credit note whose refund came back: it refers to the note, which is never touched.

A credit note is issued only for a refund that succeeded, but banks may return money weeks later. Then the customer was
credited for nothing, and a debit note over the same rows says so, in a series of its own without gaps.
"""

import hashlib

from db.database import Database, Tx
from shop.documents.numbers import Number, lock_and_time, take
from shop.documents.paper import drawn_with, logo_of, paper
from shop.documents.queries import debits, issue
from shop.documents.queries.issue import DocumentRow
from shop.documents.seller import Seller
from shop.documents.snapshot import Snapshot, as_document

DEBIT_SERIES = "DBN"
"""Counts by itself, as credit notes do, or an auditor would see gaps among the others."""


def debit(db: Database, seller: Seller, refund_id: str) -> str | None:
    """Issue and draw; answers the number, or None where no credit note was issued or the refund has not failed.

    Run again, it finds what is there and does what is missing. The customer finds it among the order's documents; the
    shop's support, which has to find another way to pay, is told by a letter of its own.
    """
    document = _issue_once(db, seller, refund_id)
    if document is None:
        return None
    _store_paper(db, document)
    return document.number


def debit_snapshot(number: Number, seller: Seller, note: DocumentRow) -> Snapshot:
    """All of the credit note but its number and day: who, what and how much stay as they were credited."""
    said = note.snapshot
    return {
        **said,
        "kind": "debit_note",
        "number": number.text,
        "issued_at": number.issued_at.isoformat(),
        "issued_on": number.issued_at.astimezone(seller.zone).date().isoformat(),
        "credit_note": {"number": note.number, "issued_on": said["issued_on"]},
    }


def _issue_once(db: Database, seller: Seller, refund_id: str) -> DocumentRow | None:
    with db.transaction() as tx:
        if (existing := debits.debit_note_of_refund(tx, refund_id)) is not None:
            return existing
        # Whoever issues credit notes holds this lock: what is not issued by now sees the failed refund and stays away.
        lock_and_time(tx, seller.credit_series)
        note = issue.credit_note_of_refund(tx, refund_id)
        if note is None or not debits.has_failed(tx, refund_id):
            return None
        moment = lock_and_time(tx, DEBIT_SERIES)
        existing = debits.debit_note_of_refund(tx, refund_id)
        return (
            existing if existing is not None else _issue(tx, seller, note, take(tx, DEBIT_SERIES, moment, seller.zone))
        )


def _issue(tx: Tx, seller: Seller, note: DocumentRow, number: Number) -> DocumentRow:
    document = as_document("dbn", number, debit_snapshot(number, seller, note))
    debits.insert_debit_note(tx, document, credit_note_id=note.id)
    return document


def _store_paper(db: Database, document: DocumentRow) -> None:
    with db.transaction() as tx:
        if issue.has_file(tx, document.id):
            return
        logo = logo_of(tx, document.snapshot)
    pdf = paper(document.snapshot, document.snapshot_sha256, logo)
    with db.transaction() as tx:
        issue.insert_file(tx, document.id, pdf=pdf, sha256=hashlib.sha256(pdf).digest(), drawn_with=drawn_with())
