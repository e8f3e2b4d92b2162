"""Money that belongs to no order, on its way back: the row before the call, and what became of it."""

from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.news.delivery import MoneyBack


def insert(
    tx: Tx, *, return_id: str, payment: str, delivery_id: str, order_id: str | None, actor: str, reason: str
) -> bool:
    """False if money of this payment is on its way back, or is back, already."""
    inserted = tx.execute(
        """
        INSERT INTO orphan_returns (id, payment_ref, delivery_id, order_id, requested_by, reason)
        VALUES (%(id)s, %(payment)s, %(delivery_id)s, %(order_id)s, left(%(actor)s, 200), left(%(reason)s, 500))
        ON CONFLICT (payment_ref) WHERE outcome IS NULL OR outcome = 'succeeded' DO NOTHING
        """,
        {
            "id": return_id,
            "payment": payment,
            "delivery_id": delivery_id,
            "order_id": order_id,
            "actor": actor,
            "reason": reason,
        },
    )
    return inserted.rowcount == 1


def one(tx: Tx, return_id: str) -> MoneyBack | None:
    cursor = tx.cursor(row_factory=class_row(MoneyBack))
    return cursor.execute(
        """
        SELECT id, payment_ref, delivery_id, order_id, requested_by, reason, operation, amount_minor, currency,
               provider_key, deadline, tries, outcome, provider_object, provider_status, error, created_at, answered_at
          FROM orphan_returns
         WHERE id = %(id)s
        """,
        {"id": return_id},
    ).fetchone()


def of_payment(tx: Tx, payment: str) -> MoneyBack | None:
    """The newest return of a payment, however it went."""
    cursor = tx.cursor(row_factory=class_row(MoneyBack))
    return cursor.execute(
        """
        SELECT id, payment_ref, delivery_id, order_id, requested_by, reason, operation, amount_minor, currency,
               provider_key, deadline, tries, outcome, provider_object, provider_status, error, created_at, answered_at
          FROM orphan_returns
         WHERE payment_ref = %(payment)s
      ORDER BY id DESC
         LIMIT 1
        """,
        {"payment": payment},
    ).fetchone()


def plan(tx: Tx, return_id: str, *, operation: str | None, amount: int | None, currency: str | None) -> None:
    """Decide what is to be asked for; None takes the plan back. The key names the row, the plan and its generation."""
    tx.execute(
        """
        UPDATE orphan_returns
           SET operation = %(operation)s, amount_minor = %(amount)s, currency = %(currency)s,
               provider_key = %(operation)s || '-' || id || '-' || generation, deadline = NULL, tries = 0
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {"id": return_id, "operation": operation, "amount": amount, "currency": currency},
    )


def begin(tx: Tx, return_id: str, *, replay_for_s: float) -> tuple[datetime, datetime] | None:
    """Count a try; answers the moment before we ask and until when the key is remembered. None if it is decided."""
    row = tx.execute(
        """
        UPDATE orphan_returns
           SET tries = tries + 1, asked_at = clock_timestamp(),
               deadline = coalesce(deadline, clock_timestamp() + make_interval(secs => %(replay_for_s)s))
         WHERE id = %(id)s AND outcome IS NULL
     RETURNING asked_at, deadline
        """,
        {"id": return_id, "replay_for_s": replay_for_s},
    ).fetchone()
    return (row[0], row[1]) if row else None


def renew(tx: Tx, return_id: str) -> None:
    """The key cannot bring an answer any more: the payment is looked at again, and asked about under a new one."""
    tx.execute(
        """
        UPDATE orphan_returns
           SET generation = generation + 1, operation = NULL, amount_minor = NULL, currency = NULL,
               provider_key = NULL, deadline = NULL, tries = 0
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {"id": return_id},
    )


def close(
    tx: Tx,
    return_id: str,
    *,
    outcome: str,
    provider_object: str | None = None,
    provider_status: str | None = None,
    error: str | None = None,
) -> bool:
    """False if somebody else decided it before."""
    updated = tx.execute(
        """
        UPDATE orphan_returns
           SET outcome = %(outcome)s, provider_object = %(object)s, provider_status = left(%(status)s, 40),
               error = left(%(error)s, 300), answered_at = clock_timestamp()
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {
            "id": return_id,
            "outcome": outcome,
            "object": provider_object,
            "status": provider_status,
            "error": error,
        },
    )
    return updated.rowcount == 1


def note_status(tx: Tx, return_id: str, *, status: str, outcome: str, error: str | None) -> None:
    """What became of a refund after it was taken on: banks take days, and some send it back."""
    tx.execute(
        """
        UPDATE orphan_returns
           SET provider_status = left(%(status)s, 40), outcome = %(outcome)s, error = left(%(error)s, 300)
         WHERE id = %(id)s AND outcome = 'succeeded'
        """,
        {"id": return_id, "status": status, "outcome": outcome, "error": error},
    )


def undecided(tx: Tx, *, quiet_s: float, limit: int) -> list[str]:
    """Those that have stood still for so long."""
    rows = tx.execute(
        """
        SELECT id FROM orphan_returns
         WHERE outcome IS NULL AND coalesce(asked_at, created_at) < now() - make_interval(secs => %(quiet_s)s)
      ORDER BY created_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]
