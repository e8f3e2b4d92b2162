"""What is counted before a customer may try more."""

from db.database import Tx


def lock_customer(tx: Tx, customer_id: str) -> None:
    """One after the other, until the transaction ends; other customers do not wait."""
    tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('open orders of ' || %(customer_id)s, 0))",
        {"customer_id": customer_id},
    )


def open_orders(tx: Tx, customer_id: str, *, limit: int) -> int:
    """How many unpaid orders the customer has, counted no further than `limit`."""
    row = tx.execute(
        """
        SELECT count(*)
          FROM (SELECT 1 FROM orders
                 WHERE customer_id = %(customer_id)s
                   AND status IN ('placing', 'awaiting_payment', 'requires_action', 'processing', 'payment_failed')
                 LIMIT %(limit)s) AS found
        """,
        {"customer_id": customer_id, "limit": limit},
    ).fetchone()
    assert row is not None
    return row[0]


def declines(tx: Tx, customer_id: str) -> int:
    """Refused tries on orders of the customer that something happened to within the hour."""
    row = tx.execute(
        """
        SELECT coalesce(sum(declined_tries), 0)::int FROM orders
         WHERE customer_id = %(customer_id)s AND declined_tries > 0 AND updated_at > now() - interval '1 hour'
        """,
        {"customer_id": customer_id},
    ).fetchone()
    assert row is not None
    return row[0]
