"""What an auditor, a customer or an operator could see of documents and mails."""

import io
from typing import Any

from psycopg.rows import dict_row
from pypdf import PdfReader

from db.database import Database


def text(pdf: bytes) -> str:
    """The words of a PDF, page by page, with single spaces."""
    return " ".join(" ".join((page.extract_text() or "").split()) for page in PdfReader(io.BytesIO(pdf)).pages)


def pages(pdf: bytes) -> list[str]:
    return [" ".join((page.extract_text() or "").split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def invoices(db: Database) -> list[dict[str, Any]]:
    return _rows(db, "SELECT id, number, order_id, net_minor, tax_minor, total_minor FROM invoices ORDER BY number")


def credit_notes(db: Database) -> list[dict[str, Any]]:
    return _rows(
        db, "SELECT id, number, refund_id, net_minor, tax_minor, total_minor FROM credit_notes ORDER BY number"
    )


def mails(db: Database) -> list[dict[str, Any]]:
    return _rows(db, "SELECT id, kind, subject_id, state, attempts, last_error, recipient FROM mails ORDER BY id")


def staged(db: Database) -> list[dict[str, Any]]:
    return _rows(db, "SELECT name, args FROM jobs ORDER BY id")


def file_of(db: Database, document_id: str) -> bytes:
    with db.transaction() as tx:
        row = tx.execute("SELECT pdf FROM document_files WHERE document_id = %s", (document_id,)).fetchone()
    assert row is not None
    return row[0]


def _rows(db: Database, statement: Any) -> list[dict[str, Any]]:
    with db.transaction() as tx:
        return tx.cursor(row_factory=dict_row).execute(statement).fetchall()
