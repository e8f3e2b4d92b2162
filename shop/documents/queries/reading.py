"""Documents as their readers ask for them: those of an order, and one paper by its number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import class_row, scalar_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """`kind` is `invoice`, `credit_note` or `debit_note`; `sha256` is None until the paper is drawn."""

    id: str
    kind: Literal["invoice", "credit_note", "debit_note"]
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


@dataclass(frozen=True, slots=True)
class ContentsRow:
    """A document with its frozen contents; what concerns the paper is None until it is drawn."""

    kind: str
    number: str
    snapshot: dict[str, Any]
    snapshot_sha256: bytes
    issued_at: datetime
    pdf: bytes | None
    sha256: bytes | None
    drawn_at: datetime | None
    drawn_with: str | None


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
          FROM issued_documents d
          LEFT JOIN document_files f ON f.document_id = d.id
         WHERE d.order_id = %(order_id)s
      ORDER BY d.issued_at DESC, d.id DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def newest(tx: Tx, *, series: str | None, before: datetime | None, limit: int) -> list[IssuedDocument]:
    """Newest first, of one series or of all."""
    cursor = tx.cursor(row_factory=class_row(IssuedDocument))
    return cursor.execute(
        """
        SELECT d.id, d.kind, d.number, d.order_id, d.refund_id, d.currency, d.net_minor, d.tax_minor, d.total_minor,
               d.issued_at, f.sha256
          FROM issued_documents d
          LEFT JOIN document_files f ON f.document_id = d.id
         WHERE (%(series)s::text IS NULL OR d.series = %(series)s)
           AND (%(before)s::timestamptz IS NULL OR d.issued_at < %(before)s)
      ORDER BY d.issued_at DESC, d.id DESC
         LIMIT %(limit)s
        """,
        {"series": series, "before": before, "limit": limit},
    ).fetchall()


def owner(tx: Tx, kind: str, number: str) -> str | None:
    return (
        tx.cursor(row_factory=scalar_row)
        .execute(
            "SELECT customer_id FROM issued_documents WHERE number = %(number)s AND kind = %(kind)s",
            {"number": number, "kind": kind},
        )
        .fetchone()
    )


def paper(tx: Tx, kind: str, number: str) -> PaperRow | None:
    cursor = tx.cursor(row_factory=class_row(PaperRow))
    return cursor.execute(
        """
        SELECT f.pdf, f.sha256
          FROM issued_documents d
          JOIN document_files f ON f.document_id = d.id
         WHERE d.number = %(number)s AND d.kind = %(kind)s
        """,
        {"number": number, "kind": kind},
    ).fetchone()


def contents(tx: Tx, number: str) -> ContentsRow | None:
    cursor = tx.cursor(row_factory=class_row(ContentsRow))
    return cursor.execute(
        """
        SELECT d.kind, d.number, d.snapshot, d.snapshot_sha256, d.issued_at, f.pdf, f.sha256, f.drawn_at, f.drawn_with
          FROM issued_documents d
          LEFT JOIN document_files f ON f.document_id = d.id
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
