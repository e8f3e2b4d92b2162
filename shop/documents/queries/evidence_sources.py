"""What a packet of evidence is made of: rows about one disputed order, of payments, documents, mails. Read only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The packet that was asked for, its dispute, the order and the payment. Amounts in minor units of `currency`."""

    packet_id: str
    version: int
    note: str | None
    shipping: dict[str, Any] | None
    dispute_id: str
    provider_dispute_id: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    evidence_due_at: datetime | None
    opened_at: datetime
    order_id: str
    number: str
    customer_id: str
    email: str | None
    shipping_address: dict[str, Any] | None
    subtotal_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    tax_included: bool
    placed_at: datetime
    paid_at: datetime | None
    intent_id: str
    charge_id: str | None
    captured_minor: int
    card_brand: str | None
    card_last4: str | None
    card_exp_month: int | None
    card_exp_year: int | None


@dataclass(frozen=True, slots=True)
class LineRow:
    product_id: str
    name: str
    quantity: int
    unit_price_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class FactRow:
    kind: str
    actor: str | None
    amount_minor: int | None
    data: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundRow:
    id: str
    status: str
    amount_minor: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MailRow:
    subject: str
    recipient: str
    body_text: str | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class PaperRow:
    """An issued invoice or credit note; `sha256` is the digest of its PDF, None while it is being drawn."""

    kind: str
    number: str
    issued_at: datetime
    snapshot: dict[str, Any]
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class PastRow:
    """Earlier orders of the same customer that were paid and never disputed."""

    orders: int
    first_at: datetime | None


@dataclass(frozen=True, slots=True)
class Frozen:
    snapshot: dict[str, Any]
    snapshot_sha256: bytes
    frozen_at: datetime


def case(tx: Tx, packet_id: str) -> CaseRow | None:
    cursor = tx.cursor(row_factory=class_row(CaseRow))
    return cursor.execute(
        """
        SELECT p.id AS packet_id, p.version, p.note, p.shipping, d.id AS dispute_id, d.provider_dispute_id, d.status,
               d.reason, d.amount_minor, d.currency, d.evidence_due_at, d.opened_at, o.id AS order_id, o.number,
               o.customer_id, o.email, o.shipping_address, o.subtotal_minor, o.shipping_minor, o.tax_minor,
               o.total_minor, o.tax_included, o.created_at AS placed_at, o.paid_at, y.intent_id, y.charge_id,
               y.captured_minor, y.card_brand, y.card_last4, y.card_exp_month, y.card_exp_year
          FROM evidence_packets p
          JOIN disputes d ON d.id = p.dispute_id
          JOIN orders o ON o.id = d.order_id
          JOIN payments y ON y.id = d.payment_id
         WHERE p.id = %(packet_id)s
        """,
        {"packet_id": packet_id},
    ).fetchone()


def lines(tx: Tx, order_id: str) -> list[LineRow]:
    cursor = tx.cursor(row_factory=class_row(LineRow))
    return cursor.execute(
        """
        SELECT product_id, name, quantity, unit_price_minor, total_minor
          FROM order_lines
         WHERE order_id = %(order_id)s
      ORDER BY position
        """,
        {"order_id": order_id},
    ).fetchall()


def facts(tx: Tx, order_id: str) -> list[FactRow]:
    cursor = tx.cursor(row_factory=class_row(FactRow))
    return cursor.execute(
        """
        SELECT kind, actor, amount_minor, data, seen_at AS at
          FROM transactions
         WHERE order_id = %(order_id)s
      ORDER BY seen_at, seq
        """,
        {"order_id": order_id},
    ).fetchall()


def refunds(tx: Tx, order_id: str) -> list[RefundRow]:
    cursor = tx.cursor(row_factory=class_row(RefundRow))
    return cursor.execute(
        """
        SELECT id, status, amount_minor, reason, created_at
          FROM refunds
         WHERE order_id = %(order_id)s AND status IN ('pending', 'succeeded', 'failed')
      ORDER BY id
        """,
        {"order_id": order_id},
    ).fetchall()


def mails(tx: Tx, order_id: str, recipient: str) -> list[MailRow]:
    """What the customer was sent about the order, oldest first; the shop's own letters to itself are not among them."""
    cursor = tx.cursor(row_factory=class_row(MailRow))
    return cursor.execute(
        """
        SELECT subject, recipient, body_text, sent_at
          FROM mails
         WHERE state = 'sent' AND recipient = %(recipient)s
           AND (subject_id = %(order_id)s OR subject_id IN (SELECT id FROM refunds WHERE order_id = %(order_id)s))
      ORDER BY sent_at
        """,
        {"order_id": order_id, "recipient": recipient},
    ).fetchall()


def papers(tx: Tx, order_id: str) -> list[PaperRow]:
    """Oldest first."""
    cursor = tx.cursor(row_factory=class_row(PaperRow))
    return cursor.execute(
        """
        SELECT d.kind, d.number, d.issued_at, d.snapshot, f.sha256
          FROM (SELECT id, 'invoice' AS kind, number, issued_at, snapshot FROM invoices WHERE order_id = %(order_id)s
                UNION ALL
                SELECT id, 'credit_note', number, issued_at, snapshot FROM credit_notes
                 WHERE order_id = %(order_id)s) d
          LEFT JOIN document_files f ON f.document_id = d.id
      ORDER BY d.issued_at, d.number
        """,
        {"order_id": order_id},
    ).fetchall()


def past(tx: Tx, customer_id: str, order_id: str) -> PastRow:
    cursor = tx.cursor(row_factory=class_row(PastRow))
    row = cursor.execute(
        """
        SELECT count(*) AS orders, min(o.paid_at) AS first_at
          FROM orders o
         WHERE o.customer_id = %(customer_id)s AND o.id < %(order_id)s AND o.paid_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM disputes WHERE disputes.order_id = o.id)
        """,
        {"customer_id": customer_id, "order_id": order_id},
    ).fetchone()
    assert row is not None, "a count always has a row"
    return row


def frozen(tx: Tx, packet_id: str) -> Frozen | None:
    cursor = tx.cursor(row_factory=class_row(Frozen))
    return cursor.execute(
        "SELECT snapshot, snapshot_sha256, frozen_at FROM evidence_snapshots WHERE packet_id = %(id)s",
        {"id": packet_id},
    ).fetchone()


def freeze(tx: Tx, packet_id: str, *, snapshot: dict[str, Any], sha256: bytes, at: datetime) -> None:
    """The first run to get here decides what the packet says."""
    tx.execute(
        """
        INSERT INTO evidence_snapshots (packet_id, snapshot, snapshot_sha256, frozen_at)
        VALUES (%(id)s, %(snapshot)s, %(sha256)s, %(at)s)
        ON CONFLICT (packet_id) DO NOTHING
        """,
        {"id": packet_id, "snapshot": Jsonb(snapshot), "sha256": sha256, "at": at},
    )


def wants_submission(tx: Tx, packet_id: str) -> bool:
    row = tx.execute("SELECT submit FROM evidence_packets WHERE id = %(id)s", {"id": packet_id}).fetchone()
    return bool(row and row[0])


def clock(tx: Tx) -> datetime:
    row = tx.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def newest_file(tx: Tx, dispute_id: str) -> tuple[str, bytes, bytes] | None:
    """`(packet, pdf, sha256)` of the newest packet that is drawn."""
    return tx.execute(
        """
        SELECT p.id, f.pdf, f.sha256
          FROM evidence_packets p
          JOIN document_files f ON f.document_id = p.id
         WHERE p.dispute_id = %(dispute_id)s
      ORDER BY p.version DESC
         LIMIT 1
        """,
        {"dispute_id": dispute_id},
    ).fetchone()


def any_packet(tx: Tx, dispute_id: str) -> bool:
    row = tx.execute(
        "SELECT 1 FROM evidence_packets WHERE dispute_id = %(dispute_id)s LIMIT 1", {"dispute_id": dispute_id}
    ).fetchone()
    return row is not None
