"""Disputes: what their facts add up to, and reading it."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from db.ids import new_id
from shop.payments.disputing import DisputeState
from shop.payments.rows import Dispute


def save_states(tx: Tx, order_id: str, states: Sequence[DisputeState]) -> None:
    for state in states:
        _save_state(tx, order_id, state)


def dispute(tx: Tx, dispute_id: str) -> Dispute | None:
    cursor = tx.cursor(row_factory=class_row(Dispute))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency, withdrawn_minor,
               fee_minor, evidence_due_at, evidence_submitted, opened_at, created_at, updated_at
          FROM disputes
         WHERE id = %(id)s
        """,
        {"id": dispute_id},
    ).fetchone()


def disputes(tx: Tx, *, status: str | None, order_id: str | None, before_id: str | None, limit: int) -> list[Dispute]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Dispute))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency, withdrawn_minor,
               fee_minor, evidence_due_at, evidence_submitted, opened_at, created_at, updated_at
          FROM disputes
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
           AND id < coalesce(%(before_id)s, '~')
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {"status": status, "order_id": order_id, "before_id": before_id, "limit": limit},
    ).fetchall()


def _save_state(tx: Tx, order_id: str, state: DisputeState) -> None:
    """The first time makes the row; news that change nothing leave it as it is."""
    ours = [move for move in state.movements if move.currency == state.currency]
    tx.execute(
        """
        INSERT INTO disputes (id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency,
                              withdrawn_minor, fee_minor, evidence_due_at, evidence_submitted, opened_at)
        SELECT %(id)s, order_id, id, %(provider_id)s, %(status)s, left(%(reason)s, 80), %(amount)s, %(currency)s,
               %(withdrawn)s, %(fee)s, %(due_at)s, %(submitted)s, %(opened_at)s
          FROM payments
         WHERE intent_id = %(intent_id)s AND order_id = %(order_id)s
        ON CONFLICT (provider_dispute_id) DO UPDATE
           SET status = EXCLUDED.status, reason = EXCLUDED.reason, amount_minor = EXCLUDED.amount_minor,
               withdrawn_minor = EXCLUDED.withdrawn_minor, fee_minor = EXCLUDED.fee_minor,
               evidence_due_at = EXCLUDED.evidence_due_at, evidence_submitted = EXCLUDED.evidence_submitted,
               updated_at = now()
         WHERE (disputes.status, disputes.reason, disputes.amount_minor, disputes.withdrawn_minor, disputes.fee_minor,
                disputes.evidence_due_at, disputes.evidence_submitted)
               IS DISTINCT FROM (EXCLUDED.status, EXCLUDED.reason, EXCLUDED.amount_minor, EXCLUDED.withdrawn_minor,
                                 EXCLUDED.fee_minor, EXCLUDED.evidence_due_at, EXCLUDED.evidence_submitted)
        """,
        {
            "id": new_id("dsp"),
            "order_id": order_id,
            "intent_id": state.payment_id,
            "provider_id": state.id,
            "status": state.status,
            "reason": state.reason,
            "amount": state.amount,
            "currency": state.currency,
            "withdrawn": -sum(move.amount for move in ours),
            "fee": sum(move.fee for move in ours),
            "due_at": state.evidence_due_at,
            "submitted": state.evidence_submitted,
            "opened_at": state.opened_at,
        },
    )
