"""What a proof over all issued documents reads. Invoices and credit notes are checked alike."""

from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, scalar_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class BrokenSeries:
    """A series whose numbers are not 1, 2, 3 … up to its counter."""

    series: str
    year: int
    documents: int
    first: int
    last: int
    counter: int | None


@dataclass(frozen=True, slots=True)
class IssuedRow:
    id: str
    number: str
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    snapshot: dict[str, Any]
    snapshot_sha256: bytes


def broken_series(tx: Tx) -> list[BrokenSeries]:
    """(series, year, serial) is unique, so as many documents as the highest number means that none is missing."""
    cursor = tx.cursor(row_factory=class_row(BrokenSeries))
    return cursor.execute(
        """
        WITH issued AS (
            SELECT series, year, serial FROM invoices
            UNION ALL
            SELECT series, year, serial FROM credit_notes
        ), counted AS (
            SELECT series, year, count(*) AS documents, min(serial) AS first, max(serial) AS last
              FROM issued
          GROUP BY series, year
        )
        SELECT coalesce(n.series, c.series) AS series, coalesce(n.year, c.year) AS year,
               coalesce(n.documents, 0) AS documents, coalesce(n.first, 0) AS first, coalesce(n.last, 0) AS last,
               c.last_serial AS counter
          FROM counted n
          FULL JOIN document_counters c ON c.series = n.series AND c.year = n.year
         WHERE (n.first, n.last, n.documents) IS DISTINCT FROM (1, c.last_serial, c.last_serial::bigint)
      ORDER BY 1, 2
        """
    ).fetchall()


def out_of_order(tx: Tx) -> list[str]:
    """Numbers whose document is older than that of the number before."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        WITH issued AS (
            SELECT series, year, serial, number, issued_at FROM invoices
            UNION ALL
            SELECT series, year, serial, number, issued_at FROM credit_notes
        ), timed AS (
            SELECT number, issued_at, lag(issued_at) OVER (PARTITION BY series ORDER BY year, serial) AS before
              FROM issued
        )
        SELECT number FROM timed WHERE issued_at < before ORDER BY number
        """
    ).fetchall()


def never_drawn(tx: Tx) -> list[str]:
    """An hour is more than all tries of the drawing job that still have hope."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        SELECT d.number
          FROM (SELECT id, number, issued_at FROM invoices
                UNION ALL
                SELECT id, number, issued_at FROM credit_notes) d
          LEFT JOIN document_files f ON f.document_id = d.id
         WHERE f.document_id IS NULL
           AND d.issued_at < now() - interval '1 hour'
      ORDER BY d.number
        """
    ).fetchall()


def changed_files(tx: Tx) -> list[str]:
    """Files whose bytes do not have the digest noted when they were drawn, by the id of their document."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        "SELECT document_id FROM document_files WHERE sha256(pdf) <> sha256 ORDER BY document_id"
    ).fetchall()


def credits_of_failed_refunds(tx: Tx) -> list[str]:
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        SELECT c.number
          FROM credit_notes c
          JOIN refunds r ON r.id = c.refund_id
         WHERE r.status = 'failed'
      ORDER BY c.number
        """
    ).fetchall()


def other_than_captured(tx: Tx) -> list[str]:
    """Invoices of orders for which another amount was captured than the invoice says."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        SELECT i.number
          FROM invoices i
          JOIN orders o ON o.id = i.order_id
         WHERE o.amount_captured <> i.total_minor
      ORDER BY i.number
        """
    ).fetchall()


def issued_after(tx: Tx, *, after: str, limit: int) -> list[IssuedRow]:
    """The next documents by id, invoices and credit notes together."""
    cursor = tx.cursor(row_factory=class_row(IssuedRow))
    return cursor.execute(
        """
        (SELECT id, number, currency, net_minor, tax_minor, total_minor, snapshot, snapshot_sha256
           FROM invoices
          WHERE id > %(after)s
       ORDER BY id
          LIMIT %(limit)s)
        UNION ALL
        (SELECT id, number, currency, net_minor, tax_minor, total_minor, snapshot, snapshot_sha256
           FROM credit_notes
          WHERE id > %(after)s
       ORDER BY id
          LIMIT %(limit)s)
        ORDER BY id
          LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    ).fetchall()
