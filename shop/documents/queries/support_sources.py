"""What letters to support are about: disputes, refunds that failed, incidents. Reading only."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """Amounts in minor units of `currency`; `number` is the order's."""

    id: str
    provider_dispute_id: str
    number: str
    status: str
    reason: str
    amount_minor: int
    currency: str
    withdrawn_minor: int
    fee_minor: int
    evidence_due_at: datetime | None
    evidence_submitted: bool
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class RefundRow:
    """`restocked`: its goods were put back into stock."""

    id: str
    number: str
    status: str
    amount_minor: int
    currency: str
    reason: str
    failure_code: str | None
    restocked: bool


@dataclass(frozen=True, slots=True)
class AuthorizedRow:
    """An order whose money is set aside on a card until `capture_before`."""

    number: str
    currency: str
    capturable_minor: int
    capture_before: datetime


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """Something that was out of the ordinary; `words` as it began, `last_words` at the last look."""

    id: str
    subject: str
    title: str
    advice: str
    words: str
    last_words: str
    opened_at: datetime
    last_bad_at: datetime
    resolved_at: datetime | None


def incident(tx: Tx, incident_id: str) -> IncidentRow | None:
    cursor = tx.cursor(row_factory=class_row(IncidentRow))
    return cursor.execute(
        """
        SELECT id, subject, title, advice, words, last_words, opened_at, last_bad_at, resolved_at
          FROM incidents
         WHERE id = %(id)s
        """,
        {"id": incident_id},
    ).fetchone()


def authorized(tx: Tx, order_id: str) -> AuthorizedRow | None:
    cursor = tx.cursor(row_factory=class_row(AuthorizedRow))
    return cursor.execute(
        """
        SELECT o.number, p.currency, p.capturable_minor, p.capture_before
          FROM orders o
          JOIN payments p ON p.order_id = o.id
         WHERE o.id = %(id)s AND o.status = 'authorized' AND p.status = 'requires_capture'
           AND p.capture_before IS NOT NULL
      ORDER BY p.capture_before
         LIMIT 1
        """,
        {"id": order_id},
    ).fetchone()


def dispute(tx: Tx, subject_id: str) -> DisputeRow | None:
    """`subject_id` is the dispute's, or its and the day that a reminder mentions: `dsp_…:20261231`."""
    cursor = tx.cursor(row_factory=class_row(DisputeRow))
    return cursor.execute(
        """
        SELECT d.id, d.provider_dispute_id, o.number, d.status, d.reason, d.amount_minor, d.currency,
               d.withdrawn_minor, d.fee_minor, d.evidence_due_at, d.evidence_submitted, d.opened_at
          FROM disputes d
          JOIN orders o ON o.id = d.order_id
         WHERE d.id = split_part(%(id)s, ':', 1)
        """,
        {"id": subject_id},
    ).fetchone()


def refund(tx: Tx, refund_id: str) -> RefundRow | None:
    cursor = tx.cursor(row_factory=class_row(RefundRow))
    return cursor.execute(
        """
        SELECT r.id, o.number, r.status, r.amount_minor, r.currency, r.reason, r.failure_code,
               EXISTS (SELECT 1 FROM effects e
                        WHERE e.order_id = r.order_id AND e.kind = 'restock' AND e.generation = r.id) AS restocked
          FROM refunds r
          JOIN orders o ON o.id = r.order_id
         WHERE r.id = %(id)s
        """,
        {"id": refund_id},
    ).fetchone()
