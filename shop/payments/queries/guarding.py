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
    """Tries of the customer that were refused within the hour, over all orders: each once, when it was first seen.

    What counts as one try is said in `tries.declined`. An order that nothing happened to in that hour has none, so
    only the facts of few are read.
    """
    row = tx.execute(
        """
        SELECT count(*)
          FROM (SELECT transactions.order_id,
                       CASE WHEN kind = 'confirm.refused' THEN 'wish ' || (data ->> 'wish')
                            WHEN data ->> 'charge_id' IS NOT NULL THEN 'charge ' || (data ->> 'charge_id')
                            ELSE 'method ' || subject || ' ' || coalesce(data ->> 'method', '') END AS try
                  FROM orders
                  JOIN transactions ON transactions.order_id = orders.id
                 WHERE customer_id = %(customer_id)s AND declined_tries > 0
                   AND orders.updated_at > now() - interval '1 hour'
                   AND (kind = 'confirm.refused'
                        OR (kind = 'payment.seen' AND data ->> 'decline' IS NOT NULL
                            AND data ->> 'status' IN ('requires_payment_method', 'requires_confirmation')))
              GROUP BY 1, 2
                HAVING min(seen_at) > now() - interval '1 hour') AS found
        """,
        {"customer_id": customer_id},
    ).fetchone()
    assert row is not None
    return row[0]
