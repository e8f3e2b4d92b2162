"""What the sweep looks for: everything that stands still without a reason."""

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.rows import Attempt


def stuck_placing(tx: Tx, *, quiet_s: float, limit: int) -> list[str]:
    rows = tx.execute(
        """
        SELECT id FROM orders
         WHERE status = 'placing' AND updated_at < now() - make_interval(secs => %(quiet_s)s)
      ORDER BY updated_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def stuck_capturing(tx: Tx, *, quiet_s: float, limit: int) -> list[str]:
    """Authorised orders whose goods or money nobody takes, and captures without an end."""
    rows = tx.execute(
        """
        SELECT id FROM orders
         WHERE (status = 'capturing' OR (status = 'authorized' AND stock <> 'lost'
                                         AND (capture_method = 'automatic' OR stock = 'reserved')))
           AND updated_at < now() - make_interval(secs => %(quiet_s)s)
      ORDER BY updated_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def undecided(tx: Tx, *, quiet_s: float, limit: int) -> list[Attempt]:
    """Attempts that nobody has asked or heard of for a while. One whose outcome is unknown has a time of its own: soon,
    then hourly, then daily.
    """
    cursor = tx.cursor(row_factory=class_row(Attempt))
    return cursor.execute(
        """
        SELECT id, order_id, refund_id, operation, generation, body, provider_key, deadline, tries, outcome
          FROM provider_attempts
         WHERE outcome IS NULL
           AND coalesce(look_at, coalesce(asked_at, created_at) + make_interval(secs => %(quiet_s)s)) < now()
      ORDER BY created_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()


def overdue(tx: Tx, *, limit: int) -> list[str]:
    """Orders that were not paid in time and that nobody has called off yet."""
    rows = tx.execute(
        """
        SELECT id FROM orders
         WHERE status IN ('awaiting_payment', 'requires_action', 'payment_failed') AND expires_at < now()
           AND NOT EXISTS (SELECT 1 FROM provider_attempts
                            WHERE order_id = orders.id AND operation = 'cancel' AND outcome IS NULL)
      ORDER BY expires_at
         LIMIT %(limit)s
        """,
        {"limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def unreleased(tx: Tx, *, quiet_s: float, limit: int) -> list[str]:
    """Called-off orders whose goods are still set aside or gone."""
    rows = tx.execute(
        """
        SELECT id FROM orders
         WHERE status IN ('rejected', 'canceled', 'expired') AND stock IN ('reserved', 'committed')
           AND updated_at BETWEEN now() - interval '7 days' AND now() - make_interval(secs => %(quiet_s)s)
      ORDER BY updated_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def pending_refunds(tx: Tx, *, quiet_s: float, limit: int) -> list[str]:
    """Refunds the provider has taken on and not finished, noted as looked at: the next sweep takes others."""
    rows = tx.execute(
        """
        UPDATE refunds SET looked_at = now()
         WHERE id IN (SELECT id FROM refunds
                       WHERE status = 'pending' AND provider_refund_id IS NOT NULL
                         AND coalesce(looked_at, updated_at) < now() - make_interval(secs => %(quiet_s)s)
                    ORDER BY coalesce(looked_at, updated_at)
                       LIMIT %(limit)s)
     RETURNING id
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def strays(tx: Tx, *, quiet_s: float, limit: int) -> list[tuple[str, str]]:
    """`(order, payment)`: payments still open although their order is decided; another one of it was paid."""
    return tx.execute(
        """
        SELECT payments.order_id, payments.intent_id
          FROM payments
          JOIN orders ON orders.id = payments.order_id
         WHERE payments.status IN ('requires_payment_method', 'requires_confirmation', 'requires_action',
                                   'requires_capture')
           AND payments.updated_at < now() - make_interval(secs => %(quiet_s)s)
           AND orders.status IN ('paid', 'partially_refunded', 'refunded', 'rejected', 'canceled', 'expired')
           AND NOT EXISTS (SELECT 1 FROM provider_attempts
                            WHERE order_id = orders.id AND operation = 'cancel' AND outcome IS NULL)
      ORDER BY payments.updated_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).fetchall()


def without_fee(tx: Tx, *, quiet_s: float, again_s: float, limit: int) -> list[tuple[str, str]]:
    """`(order, payment)` captured a while ago whose fee is not known yet and was not asked for lately."""
    return tx.execute(
        """
        SELECT order_id, intent_id FROM payments
         WHERE status = 'succeeded' AND fee_minor IS NULL
           AND updated_at BETWEEN now() - interval '7 days' AND now() - make_interval(secs => %(quiet_s)s)
           AND (fee_looked_at IS NULL OR fee_looked_at < now() - make_interval(secs => %(again_s)s))
      ORDER BY fee_looked_at NULLS FIRST, updated_at
         LIMIT %(limit)s
        """,
        {"quiet_s": quiet_s, "again_s": again_s, "limit": limit},
    ).fetchall()


def note_fee_look(tx: Tx, intent_id: str) -> None:
    tx.execute("UPDATE payments SET fee_looked_at = now() WHERE intent_id = %(id)s", {"id": intent_id})
