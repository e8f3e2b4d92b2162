"""Writing what is issued: the counter, the documents, the drawn files. Nothing here is ever updated but the counter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.tax import Part


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """An invoice or a credit note. Amounts in minor units; `snapshot` is everything the paper shows."""

    id: str
    number: str
    series: str
    year: int
    serial: int
    order_id: str
    customer_id: str
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    snapshot: dict[str, Any]
    snapshot_sha256: bytes
    issued_at: datetime
    part: int = 1


@dataclass(frozen=True, slots=True)
class LogoRow:
    media_type: str
    content: bytes


def lock_series(tx: Tx, series: str) -> datetime:
    """Wait until no other transaction issues in this series; the answer is the time after the waiting.

    Numbers and times then rise together, which `now()`, the time at which the transaction began, does not promise.
    """
    tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('document series ' || %(series)s, 0))", {"series": series}
    )
    moment = tx.cursor(row_factory=scalar_row).execute("SELECT clock_timestamp()").fetchone()
    assert isinstance(moment, datetime)
    return moment


def next_serial(tx: Tx, series: str, year: int) -> int:
    serial = (
        tx.cursor(row_factory=scalar_row)
        .execute(
            """
            INSERT INTO document_counters AS c (series, year, last_serial)
            VALUES (%(series)s, %(year)s, 1)
            ON CONFLICT (series, year) DO UPDATE SET last_serial = c.last_serial + 1
            RETURNING last_serial
            """,
            {"series": series, "year": year},
        )
        .fetchone()
    )
    assert isinstance(serial, int)
    return serial


def invoices_of_order(tx: Tx, order_id: str) -> list[DocumentRow]:
    """The first one first; there are several only where money was captured several times."""
    cursor = tx.cursor(row_factory=class_row(DocumentRow))
    return cursor.execute(
        """
        SELECT id, number, series, year, serial, order_id, customer_id, currency, net_minor, tax_minor, total_minor,
               snapshot, snapshot_sha256, issued_at, part
          FROM invoices
         WHERE order_id = %(order_id)s
      ORDER BY part
        """,
        {"order_id": order_id},
    ).fetchall()


def invoice(tx: Tx, invoice_id: str) -> DocumentRow | None:
    cursor = tx.cursor(row_factory=class_row(DocumentRow))
    return cursor.execute(
        """
        SELECT id, number, series, year, serial, order_id, customer_id, currency, net_minor, tax_minor, total_minor,
               snapshot, snapshot_sha256, issued_at, part
          FROM invoices
         WHERE id = %(invoice_id)s
        """,
        {"invoice_id": invoice_id},
    ).fetchone()


def credit_note_of_refund(tx: Tx, refund_id: str) -> DocumentRow | None:
    cursor = tx.cursor(row_factory=class_row(DocumentRow))
    return cursor.execute(
        """
        SELECT id, number, series, year, serial, order_id, customer_id, currency, net_minor, tax_minor, total_minor,
               snapshot, snapshot_sha256, issued_at
          FROM credit_notes
         WHERE refund_id = %(refund_id)s
        """,
        {"refund_id": refund_id},
    ).fetchone()


def credited_so_far(tx: Tx, order_id: str) -> list[Part]:
    """What earlier credit notes of the order come to, by rate. Those whose refund failed later gave nothing back."""
    cursor = tx.cursor(row_factory=class_row(Part))
    return cursor.execute(
        """
        SELECT (tax ->> 'rate')::numeric AS rate_percent, min(tax ->> 'country') AS country,
               sum((tax ->> 'gross_minor')::bigint)::bigint AS gross_minor,
               sum((tax ->> 'tax_minor')::bigint)::bigint AS tax_minor
          FROM credit_notes c
          JOIN refunds r ON r.id = c.refund_id
    CROSS JOIN LATERAL jsonb_array_elements(c.snapshot -> 'taxes') AS tax
         WHERE c.order_id = %(order_id)s
           AND r.status <> 'failed'
      GROUP BY 1
      ORDER BY 1 DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def insert_invoice(tx: Tx, document: DocumentRow) -> None:
    tx.execute(
        """
        INSERT INTO invoices (id, number, series, year, serial, order_id, part, customer_id, currency, net_minor,
                              tax_minor, total_minor, snapshot, snapshot_sha256, issued_at)
        VALUES (%(id)s, %(number)s, %(series)s, %(year)s, %(serial)s, %(order_id)s, %(part)s, %(customer_id)s,
                %(currency)s, %(net_minor)s, %(tax_minor)s, %(total_minor)s, %(snapshot)s, %(snapshot_sha256)s,
                %(issued_at)s)
        """,
        {**_values(document), "part": document.part},
    )


def insert_credit_note(tx: Tx, document: DocumentRow, *, refund_id: str, invoice_id: str) -> None:
    tx.execute(
        """
        INSERT INTO credit_notes (id, number, series, year, serial, refund_id, invoice_id, order_id, customer_id,
                                  currency, net_minor, tax_minor, total_minor, snapshot, snapshot_sha256, issued_at)
        VALUES (%(id)s, %(number)s, %(series)s, %(year)s, %(serial)s, %(refund_id)s, %(invoice_id)s, %(order_id)s,
                %(customer_id)s, %(currency)s, %(net_minor)s, %(tax_minor)s, %(total_minor)s, %(snapshot)s,
                %(snapshot_sha256)s, %(issued_at)s)
        """,
        {**_values(document), "refund_id": refund_id, "invoice_id": invoice_id},
    )


def has_file(tx: Tx, document_id: str) -> bool:
    row = tx.execute(
        "SELECT 1 FROM document_files WHERE document_id = %(document_id)s", {"document_id": document_id}
    ).fetchone()
    return row is not None


def insert_file(tx: Tx, document_id: str, *, pdf: bytes, sha256: bytes, drawn_with: str = "") -> bool:
    """False if another run stored the file first; its bytes are the document then."""
    cursor = tx.execute(
        """
        INSERT INTO document_files (document_id, pdf, sha256, drawn_with)
        VALUES (%(document_id)s, %(pdf)s, %(sha256)s, %(drawn_with)s)
        ON CONFLICT (document_id) DO NOTHING
        """,
        {"document_id": document_id, "pdf": pdf, "sha256": sha256, "drawn_with": drawn_with},
    )
    return cursor.rowcount == 1


def keep_logo(tx: Tx, *, sha256: bytes, media_type: str, content: bytes) -> None:
    tx.execute(
        """
        INSERT INTO document_logos (sha256, media_type, content)
        VALUES (%(sha256)s, %(media_type)s, %(content)s)
        ON CONFLICT (sha256) DO NOTHING
        """,
        {"sha256": sha256, "media_type": media_type, "content": content},
    )


def logo(tx: Tx, sha256: bytes) -> LogoRow | None:
    cursor = tx.cursor(row_factory=class_row(LogoRow))
    return cursor.execute(
        "SELECT media_type, content FROM document_logos WHERE sha256 = %(sha256)s", {"sha256": sha256}
    ).fetchone()


def _values(document: DocumentRow) -> dict[str, Any]:
    return {
        "id": document.id,
        "number": document.number,
        "series": document.series,
        "year": document.year,
        "serial": document.serial,
        "order_id": document.order_id,
        "customer_id": document.customer_id,
        "currency": document.currency,
        "net_minor": document.net_minor,
        "tax_minor": document.tax_minor,
        "total_minor": document.total_minor,
        "snapshot": Jsonb(document.snapshot),
        "snapshot_sha256": document.snapshot_sha256,
        "issued_at": document.issued_at,
    }
