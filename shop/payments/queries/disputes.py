"""Disputes: what their facts add up to, and reading it."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from db.ids import new_id
from shop.payments.disputes.disputing import DisputeState
from shop.payments.rows import Dispute


def save_states(tx: Tx, order_id: str, states: Sequence[DisputeState]) -> None:
    for state in states:
        _save_state(tx, order_id, state)


def dispute(tx: Tx, dispute_id: str) -> Dispute | None:
    cursor = tx.cursor(row_factory=class_row(Dispute))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency, withdrawn_minor,
               fee_minor, evidence_due_at, evidence_submitted, provider_refundable, opened_at, created_at, updated_at
          FROM disputes
         WHERE id = %(id)s
        """,
        {"id": dispute_id},
    ).fetchone()


def dispute_of(tx: Tx, provider_id: str) -> str | None:
    """Our id of it."""
    row = tx.execute(
        "SELECT id FROM disputes WHERE provider_dispute_id = %(provider_id)s", {"provider_id": provider_id}
    ).fetchone()
    return row[0] if row else None


def disputes(
    tx: Tx,
    *,
    status: str | None,
    order_id: str | None,
    due_within_days: int | None = None,
    before_id: str | None,
    limit: int,
) -> list[Dispute]:
    """Newest first; with `due_within_days` those that wait for an answer of ours until then."""
    cursor = tx.cursor(row_factory=class_row(Dispute))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency, withdrawn_minor,
               fee_minor, evidence_due_at, evidence_submitted, provider_refundable, opened_at, created_at, updated_at
          FROM disputes
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
           AND (%(days)s::integer IS NULL
                OR (status IN ('needs_response', 'warning_needs_response')
                    AND evidence_due_at < now() + make_interval(days => %(days)s)))
           AND id < coalesce(%(before_id)s, '~')
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {"status": status, "order_id": order_id, "days": due_within_days, "before_id": before_id, "limit": limit},
    ).fetchall()


def due_soon(tx: Tx, *, days: int, limit: int) -> list[tuple[str, str, str]]:
    """`(dispute:day, order, status)` of those nobody has answered although it is due, and was not mentioned yet."""
    return tx.execute(
        """
        SELECT occasion, d.order_id, d.status
          FROM disputes d
         CROSS JOIN LATERAL (SELECT d.id || ':' || to_char(d.evidence_due_at AT TIME ZONE 'UTC', 'YYYYMMDD') AS occasion
                            ) AS named
         WHERE d.status IN ('needs_response', 'warning_needs_response') AND NOT d.evidence_submitted
           AND d.evidence_due_at BETWEEN now() AND now() + make_interval(days => %(days)s)
           AND NOT EXISTS (SELECT 1 FROM effects e
                            WHERE e.order_id = d.order_id AND e.kind = 'mail_dispute_due'
                              AND e.generation = occasion)
      ORDER BY d.evidence_due_at
         LIMIT %(limit)s
        """,
        {"days": days, "limit": limit},
    ).fetchall()


def _save_state(tx: Tx, order_id: str, state: DisputeState) -> None:
    """The first time makes the row; news that change nothing leave it as it is."""
    ours = [move for move in state.movements if move.currency == state.currency]
    tx.execute(
        """
        INSERT INTO disputes (id, order_id, payment_id, provider_dispute_id, status, reason, amount_minor, currency,
                              withdrawn_minor, fee_minor, evidence_due_at, evidence_submitted, provider_refundable,
                              opened_at)
        SELECT %(id)s, order_id, id, %(provider_id)s, %(status)s, left(%(reason)s, 80), %(amount)s, %(currency)s,
               %(withdrawn)s, %(fee)s, %(due_at)s, %(submitted)s, %(refundable)s, %(opened_at)s
          FROM payments
         WHERE intent_id = %(intent_id)s AND order_id = %(order_id)s
        ON CONFLICT (provider_dispute_id) DO UPDATE
           SET status = EXCLUDED.status, reason = EXCLUDED.reason, amount_minor = EXCLUDED.amount_minor,
               withdrawn_minor = EXCLUDED.withdrawn_minor, fee_minor = EXCLUDED.fee_minor,
               evidence_due_at = EXCLUDED.evidence_due_at, evidence_submitted = EXCLUDED.evidence_submitted,
               provider_refundable = EXCLUDED.provider_refundable,
               updated_at = now()
         WHERE (disputes.status, disputes.reason, disputes.amount_minor, disputes.withdrawn_minor, disputes.fee_minor,
                disputes.evidence_due_at, disputes.evidence_submitted, disputes.provider_refundable)
               IS DISTINCT FROM (EXCLUDED.status, EXCLUDED.reason, EXCLUDED.amount_minor, EXCLUDED.withdrawn_minor,
                                 EXCLUDED.fee_minor, EXCLUDED.evidence_due_at, EXCLUDED.evidence_submitted,
                                 EXCLUDED.provider_refundable)
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
            "refundable": state.refundable,
            "opened_at": state.opened_at,
        },
    )
