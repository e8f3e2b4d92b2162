"""Documents as their readers ask for them: those of an order, and one paper by its number."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row, scalar_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """`kind` is `invoice` or `credit_note`; `sha256` is None until the paper is drawn."""

    id: str
    kind: str
    number: str
    order_id: str
    refund_id: str | None
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    issued_at: datetime
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class PaperRow:
    pdf: bytes
    sha256: bytes


def owner_of_order(tx: Tx, order_id: str) -> str | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute("SELECT customer_id FROM orders WHERE id = %(order_id)s", {"order_id": order_id})
        .fetchone()
    )


def documents_of_order(tx: Tx, order_id: str) -> list[IssuedDocument]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(IssuedDocument))
    return cursor.execute(
        """
        SELECT d.id, d.kind, d.number, d.order_id, d.refund_id, d.currency, d.net_minor, d.tax_minor, d.total_minor,
               d.issued_at, f.sha256
          FROM (SELECT id, 'invoice' AS kind, number, order_id, NULL AS refund_id, currency, net_minor, tax_minor,
                       total_minor, issued_at
                  FROM invoices
                 WHERE order_id = %(order_id)s
                UNION ALL
                SELECT id, 'credit_note', number, order_id, refund_id, currency, net_minor, tax_minor, total_minor,
                       issued_at
                  FROM credit_notes
                 WHERE order_id = %(order_id)s) d
          LEFT JOIN document_files f ON f.document_id = d.id
      ORDER BY d.issued_at DESC, d.id DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def invoice_owner(tx: Tx, number: str) -> str | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute("SELECT customer_id FROM invoices WHERE number = %(number)s", {"number": number})
        .fetchone()
    )


def credit_note_owner(tx: Tx, number: str) -> str | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute("SELECT customer_id FROM credit_notes WHERE number = %(number)s", {"number": number})
        .fetchone()
    )


def invoice_paper(tx: Tx, number: str) -> PaperRow | None:
    cursor = tx.cursor(row_factory=class_row(PaperRow))
    return cursor.execute(
        """
        SELECT f.pdf, f.sha256
          FROM invoices d
          JOIN document_files f ON f.document_id = d.id
         WHERE d.number = %(number)s
        """,
        {"number": number},
    ).fetchone()


def credit_note_paper(tx: Tx, number: str) -> PaperRow | None:
    cursor = tx.cursor(row_factory=class_row(PaperRow))
    return cursor.execute(
        """
        SELECT f.pdf, f.sha256
          FROM credit_notes d
          JOIN document_files f ON f.document_id = d.id
         WHERE d.number = %(number)s
        """,
        {"number": number},
    ).fetchone()


def file_bytes(tx: Tx, document_id: str) -> bytes | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute("SELECT pdf FROM document_files WHERE document_id = %(document_id)s", {"document_id": document_id})
        .fetchone()
    )
