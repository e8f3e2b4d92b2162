"""The inbox as people look at it, and what they decide about it."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.news.delivery import Act, KeptDelivery


def page(
    tx: Tx,
    *,
    state: str | None,
    payment: str | None,
    order_id: str | None,
    before_id: str | None,
    limit: int,
) -> list[KeptDelivery]:
    """Newest first, without bodies."""
    cursor = tx.cursor(row_factory=class_row(KeptDelivery))
    return cursor.execute(
        """
        SELECT id, event_id, source, type, object_id, object_kind, payment_ref, api_version, secret_label,
               remote_address, state, reason, order_id, adopt_into, seen, attempts, repeats, event_at, received_at,
               settled_at, retry_at, blanked_at
          FROM webhook_deliveries
         WHERE (%(state)s::text IS NULL OR state = %(state)s)
           AND (%(payment)s::text IS NULL OR payment_ref = %(payment)s)
           AND (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
           AND (%(before_id)s::text IS NULL OR id < %(before_id)s)
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {
            "state": state,
            "payment": payment,
            "order_id": order_id,
            "before_id": before_id,
            "limit": limit,
        },
    ).fetchall()


def one(tx: Tx, delivery_id: str) -> KeptDelivery | None:
    cursor = tx.cursor(row_factory=class_row(KeptDelivery))
    return cursor.execute(
        """
        SELECT id, event_id, source, type, object_id, object_kind, payment_ref, api_version, secret_label,
               remote_address, state, reason, order_id, adopt_into, seen, attempts, repeats, event_at, received_at,
               settled_at, retry_at, blanked_at
          FROM webhook_deliveries
         WHERE id = %(id)s
        """,
        {"id": delivery_id},
    ).fetchone()


def contents(tx: Tx, delivery_id: str) -> tuple[str, dict[str, str]]:
    """Body and headers as they came."""
    row = tx.execute("SELECT body, headers FROM webhook_deliveries WHERE id = %(id)s", {"id": delivery_id}).fetchone()
    assert row is not None, "deliveries that were read are never deleted"
    return row[0], row[1]


def acts_of(tx: Tx, delivery_id: str) -> list[Act]:
    """Oldest first."""
    cursor = tx.cursor(row_factory=class_row(Act))
    return cursor.execute(
        """
        SELECT id, delivery_id, act, actor, reason, order_id, done_at
          FROM delivery_acts
         WHERE delivery_id = %(id)s
      ORDER BY id
        """,
        {"id": delivery_id},
    ).fetchall()


def lock(tx: Tx, delivery_id: str, payment: str | None) -> list[str]:
    """Hold the delivery and all others of its payment; answers the others that nobody has settled yet.

    Taken in one order by everybody, after the order's own lock.
    """
    rows = tx.execute(
        """
        SELECT id, state FROM webhook_deliveries
         WHERE id = %(id)s OR payment_ref = %(payment)s
      ORDER BY id
           FOR UPDATE
        """,
        {"id": delivery_id, "payment": payment},
    ).fetchall()
    return [row[0] for row in rows if row[0] != delivery_id and row[1] in {"parked", "orphan"}]


def being_adopted(tx: Tx, payment: str) -> str | None:
    """The order that somebody has just given this payment to."""
    row = tx.execute(
        """
        SELECT adopt_into FROM webhook_deliveries
         WHERE payment_ref = %(payment)s AND adopt_into IS NOT NULL
         LIMIT 1
        """,
        {"payment": payment},
    ).fetchone()
    return row[0] if row else None


def insert_acts(
    tx: Tx,
    acts: Sequence[tuple[str, str]],
    *,
    act: str,
    actor: str,
    reason: str | None,
    order_id: str | None,
) -> None:
    """One row for each `(id, delivery)`."""
    tx.execute(
        """
        INSERT INTO delivery_acts (id, delivery_id, act, actor, reason, order_id)
        SELECT act_id, delivery_id, %(act)s, left(%(actor)s, 200), left(%(reason)s, 500), %(order_id)s
          FROM unnest(%(ids)s::text[], %(deliveries)s::text[]) AS told (act_id, delivery_id)
        """,
        {
            "ids": [act_id for act_id, _ in acts],
            "deliveries": [delivery_id for _, delivery_id in acts],
            "act": act,
            "actor": actor,
            "reason": reason,
            "order_id": order_id,
        },
    )


def reopen(tx: Tx, delivery_ids: Sequence[str], *, attempts: int, adopt_into: str | None = None) -> None:
    """Have them read once more, as after so many tries."""
    tx.execute(
        """
        UPDATE webhook_deliveries
           SET state = 'received', attempts = %(attempts)s, adopt_into = %(adopt_into)s, retry_at = NULL,
               settled_at = NULL
         WHERE id = ANY(%(ids)s) AND state IN ('parked', 'orphan', 'ignored')
        """,
        {"ids": list(delivery_ids), "attempts": attempts, "adopt_into": adopt_into},
    )


def close(tx: Tx, delivery_ids: Sequence[str], *, state: str, reason: str) -> int:
    """End the waiting of these; answers how many that were."""
    return tx.execute(
        """
        UPDATE webhook_deliveries
           SET state = %(state)s, reason = left(%(reason)s, 300), retry_at = NULL, adopt_into = NULL,
               settled_at = CASE WHEN %(state)s IN ('dismissed', 'returned') THEN clock_timestamp() END
         WHERE id = ANY(%(ids)s) AND state IN ('parked', 'orphan', 'returning')
        """,
        {"ids": list(delivery_ids), "state": state, "reason": reason},
    ).rowcount


def returning(tx: Tx, payment: str) -> list[str]:
    """The deliveries that wait for their payment's money to be back."""
    rows = tx.execute(
        """
        SELECT id FROM webhook_deliveries WHERE payment_ref = %(payment)s AND state = 'returning' ORDER BY id FOR UPDATE
        """,
        {"payment": payment},
    ).fetchall()
    return [row[0] for row in rows]


def blank(tx: Tx, *, days: int, refused_days: int, limit: int) -> int:
    """Forget body, headers and address of deliveries that were settled so long ago; answers how many."""
    return tx.execute(
        """
        UPDATE webhook_deliveries
           SET body = '', headers = '{}', remote_address = NULL, blanked_at = clock_timestamp()
         WHERE id = ANY (ARRAY(
               SELECT id FROM ((SELECT id FROM webhook_deliveries
                                 WHERE blanked_at IS NULL AND settled_at < now() - make_interval(days => %(days)s)
                              ORDER BY settled_at LIMIT %(limit)s)
                               UNION
                               (SELECT id FROM webhook_deliveries
                                 WHERE state = 'refused' AND blanked_at IS NULL
                                   AND settled_at < now() - make_interval(days => %(refused_days)s)
                              ORDER BY settled_at LIMIT %(limit)s)) AS old
                LIMIT %(limit)s))
           AND blanked_at IS NULL
        """,
        {"days": days, "refused_days": refused_days, "limit": limit},
    ).rowcount


def delete_refused(tx: Tx, *, days: int, limit: int) -> int:
    """Delete what was never genuine; answers how many rows went."""
    return tx.execute(
        """
        DELETE FROM webhook_deliveries
         WHERE id = ANY (ARRAY(
               SELECT id FROM webhook_deliveries
                WHERE state = 'refused' AND received_at < now() - make_interval(days => %(days)s)
                LIMIT %(limit)s
                  FOR UPDATE SKIP LOCKED))
        """,
        {"days": days, "limit": limit},
    ).rowcount
