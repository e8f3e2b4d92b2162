"""Debit notes: the counter-documents of credit notes whose refund came back."""

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.documents.queries.issue import DocumentRow


def debit_note_of_refund(tx: Tx, refund_id: str) -> DocumentRow | None:
    cursor = tx.cursor(row_factory=class_row(DocumentRow))
    return cursor.execute(
        """
        SELECT id, number, series, year, serial, order_id, customer_id, currency, net_minor, tax_minor, total_minor,
               snapshot, snapshot_sha256, issued_at
          FROM debit_notes
         WHERE refund_id = %(refund_id)s
        """,
        {"refund_id": refund_id},
    ).fetchone()


def has_failed(tx: Tx, refund_id: str) -> bool:
    row = tx.execute(
        "SELECT 1 FROM refunds WHERE id = %(refund_id)s AND status = 'failed'", {"refund_id": refund_id}
    ).fetchone()
    return row is not None


def insert_debit_note(tx: Tx, document: DocumentRow, *, credit_note_id: str) -> None:
    """Refund and invoice are those of the credit note."""
    tx.execute(
        """
        INSERT INTO debit_notes (id, number, series, year, serial, credit_note_id, refund_id, invoice_id, order_id,
                                 customer_id, currency, net_minor, tax_minor, total_minor, snapshot, snapshot_sha256,
                                 issued_at)
        SELECT %(id)s, %(number)s, %(series)s, %(year)s, %(serial)s, c.id, c.refund_id, c.invoice_id, c.order_id,
               c.customer_id, c.currency, c.net_minor, c.tax_minor, c.total_minor, %(snapshot)s, %(sha256)s,
               %(issued_at)s
          FROM credit_notes c
         WHERE c.id = %(credit_note_id)s
        """,
        {
            "id": document.id,
            "number": document.number,
            "series": document.series,
            "year": document.year,
            "serial": document.serial,
            "credit_note_id": credit_note_id,
            "snapshot": Jsonb(document.snapshot),
            "sha256": document.snapshot_sha256,
            "issued_at": document.issued_at,
        },
    )
