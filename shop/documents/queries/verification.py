"""What a proof over all issued documents reads. Invoices, credit notes and debit notes are checked alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, scalar_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Counter:
    series: str
    year: int
    last_serial: int


@dataclass(frozen=True, slots=True)
class IssuedRow:
    """`sha256` is the digest noted when the paper was drawn, `sha256_now` that of the bytes there are; None: no paper.

    `late`: it was issued more than an hour ago, which is more than all tries of the drawing job that still have hope.
    """

    kind: str
    id: str
    number: str
    series: str
    year: int
    serial: int
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    snapshot: dict[str, Any]
    snapshot_sha256: bytes
    issued_at: datetime
    late: bool
    sha256: bytes | None
    sha256_now: bytes | None
    drawn_with: str | None


def counters(tx: Tx) -> list[Counter]:
    cursor = tx.cursor(row_factory=class_row(Counter))
    return cursor.execute("SELECT series, year, last_serial FROM document_counters ORDER BY series, year").fetchall()


def how_many(tx: Tx) -> int:
    row = tx.execute("SELECT coalesce(sum(last_serial), 0)::bigint FROM document_counters").fetchone()
    assert row is not None
    return row[0]


def issued_after(tx: Tx, *, series: str, year: int, serial: int, limit: int) -> list[IssuedRow]:
    """The next documents in the order of their numbers. The digests of the papers are computed where they lie."""
    cursor = tx.cursor(row_factory=class_row(IssuedRow))
    return cursor.execute(
        """
        WITH page AS (
            SELECT kind, id, number, series, year, serial, currency, net_minor, tax_minor, total_minor, snapshot,
                   snapshot_sha256, issued_at
              FROM issued_documents
             WHERE (series, year, serial) > (%(series)s, %(year)s, %(serial)s)
          ORDER BY series, year, serial
             LIMIT %(limit)s
        )
        SELECT page.kind, page.id, page.number, page.series, page.year, page.serial, page.currency, page.net_minor,
               page.tax_minor, page.total_minor, page.snapshot, page.snapshot_sha256, page.issued_at,
               page.issued_at < now() - interval '1 hour' AS late, f.sha256, sha256(f.pdf) AS sha256_now, f.drawn_with
          FROM page
          LEFT JOIN document_files f ON f.document_id = page.id
      ORDER BY page.series, page.year, page.serial
        """,
        {"series": series, "year": year, "serial": serial, "limit": limit},
    ).fetchall()


def failed_after_credit(tx: Tx) -> list[str]:
    """Credit notes whose refund came back more than an hour ago and that no debit note takes back."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        SELECT c.number
          FROM credit_notes c
          JOIN refunds r ON r.id = c.refund_id
          LEFT JOIN debit_notes d ON d.credit_note_id = c.id
         WHERE r.status = 'failed' AND d.id IS NULL
           AND r.updated_at < now() - interval '1 hour'
      ORDER BY c.number
         LIMIT 100
        """
    ).fetchall()


def other_than_captured(tx: Tx) -> list[str]:
    """Newest invoices of orders whose invoices come to something else than was captured; what was captured within the
    last hour may still wait for its invoice.
    """
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        SELECT max(i.number)
          FROM invoices i
          JOIN orders o ON o.id = i.order_id
      GROUP BY o.id, o.amount_captured, o.updated_at
        HAVING sum(i.total_minor) > o.amount_captured
            OR (sum(i.total_minor) < o.amount_captured AND o.updated_at < now() - interval '1 hour')
      ORDER BY 1
         LIMIT 100
        """
    ).fetchall()


def other_tax_than_booked(tx: Tx) -> list[str]:
    """Orders whose documents say another tax than the ledger booked for what was sold and given back."""
    cursor = tx.cursor(row_factory=scalar_row)
    return cursor.execute(
        """
        WITH said AS (
            SELECT order_id, sum(CASE kind WHEN 'credit_note' THEN -tax_minor ELSE tax_minor END) AS tax
              FROM issued_documents
          GROUP BY order_id
        ), booked AS (
            SELECT order_id, sum(tax_minor) AS tax, max(e.booked_at) AS last
              FROM booked_taxes b
              JOIN ledger_entries e USING (cause, order_id)
          GROUP BY order_id
        )
        SELECT o.number
          FROM said
          JOIN booked USING (order_id)
          JOIN orders o ON o.id = order_id
         WHERE said.tax <> booked.tax AND booked.last < now() - interval '1 hour'
      ORDER BY o.number
         LIMIT 100
        """
    ).fetchall()
