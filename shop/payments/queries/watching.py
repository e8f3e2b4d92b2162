"""What the watch looks for: time limits that run out, and outcomes that nobody knows."""

from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.rows import Doubt


def waiting_at_bank(tx: Tx, *, longer_than_s: float, limit: int) -> list[tuple[str, str, str | None]]:
    """`(order, payment, way to pay)`: a bank's page is open and its customer has not come back."""
    return tx.execute(
        """
        SELECT payments.order_id, intent_id, method_id
          FROM payments
          JOIN orders ON orders.id = payments.order_id
         WHERE action_since < now() - make_interval(secs => %(longer_than_s)s)
           AND orders.status = 'requires_action'
      ORDER BY action_since
         LIMIT %(limit)s
        """,
        {"longer_than_s": longer_than_s, "limit": limit},
    ).fetchall()


def running_out(tx: Tx, *, within_s: float, limit: int) -> list[tuple[str, str]]:
    """`(order, how it is captured)`: authorised, and the card's deadline is near; the nearest first.

    What waits for staff who have been told is left out, so that no number of them keeps others from being told.
    """
    return tx.execute(
        """
        SELECT payments.order_id, orders.capture_method
          FROM payments
          JOIN orders ON orders.id = payments.order_id
         WHERE payments.status = 'requires_capture'
           AND capture_before BETWEEN now() AND now() + make_interval(secs => %(within_s)s)
           AND orders.status IN ('authorized', 'capturing')
           AND (orders.capture_method = 'automatic'
                OR NOT EXISTS (SELECT FROM effects
                                WHERE effects.order_id = orders.id AND effects.kind = 'mail_capture_due'))
      ORDER BY capture_before
         LIMIT %(limit)s
        """,
        {"within_s": within_s, "limit": limit},
    ).fetchall()


def run_out(tx: Tx, *, for_s: float, again_s: float, limit: int) -> list[str]:
    """Orders whose authorisation is over by the clock although no news has said so; noted as looked at."""
    rows = tx.execute(
        """
        UPDATE payments SET looked_at = now()
         WHERE id IN (SELECT id FROM payments
                       WHERE status = 'requires_capture' AND capture_before < now() - make_interval(secs => %(for_s)s)
                         AND coalesce(looked_at, '-infinity') < now() - make_interval(secs => %(again_s)s)
                    ORDER BY capture_before
                       LIMIT %(limit)s)
     RETURNING order_id
        """,
        {"for_s": for_s, "again_s": again_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def being_decided(tx: Tx, *, limit: int) -> list[str]:
    """Orders whose payment a bank is deciding about: looked at after 5 minutes, then hourly, after a day daily."""
    rows = tx.execute(
        """
        UPDATE payments SET looked_at = now()
         WHERE id IN (SELECT id FROM payments
                       WHERE status = 'processing'
                         AND coalesce(looked_at, updated_at) <
                             now() - CASE WHEN updated_at > now() - interval '1 hour' THEN interval '5 minutes'
                                          WHEN updated_at > now() - interval '1 day' THEN interval '1 hour'
                                          ELSE interval '1 day' END
                    ORDER BY updated_at
                       LIMIT %(limit)s)
     RETURNING order_id
        """,
        {"limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def note_doubt(tx: Tx, attempt_id: str) -> None:
    """Nobody knows what became of it, since its first try without a verdict; when it is looked at next depends on for
    how long: each 5 minutes within the hour, each hour within the day, then daily.
    """
    tx.execute(
        """
        UPDATE provider_attempts
           SET unknown_since = coalesce(unknown_since, asked_at, now()),
               look_at = now() + CASE WHEN coalesce(unknown_since, asked_at, now()) > now() - interval '1 hour'
                                      THEN interval '5 minutes'
                                      WHEN coalesce(unknown_since, asked_at, now()) > now() - interval '1 day'
                                      THEN interval '1 hour'
                                      ELSE interval '1 day' END
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {"id": attempt_id},
    )


def given_up_by_workers(tx: Tx, *, quiet_s: float, limit: int) -> int:
    """Attempts that were sent and whose worker never came back: as unknown as a lost answer. Answers how many."""
    return tx.execute(
        """
        UPDATE provider_attempts SET unknown_since = asked_at, look_at = now()
         WHERE id IN (SELECT id FROM provider_attempts
                       WHERE outcome IS NULL AND unknown_since IS NULL
                         AND asked_at < now() - make_interval(secs => %(quiet_s)s)
                       LIMIT %(limit)s)
        """,
        {"quiet_s": quiet_s, "limit": limit},
    ).rowcount


def doubts_of(tx: Tx, order_ids: list[str]) -> list[Doubt]:
    """What was asked of the provider for these orders and nobody knows the outcome of."""
    cursor = tx.cursor(row_factory=class_row(Doubt))
    return cursor.execute(
        """
        SELECT order_id, operation, unknown_since, look_at, tries
          FROM provider_attempts
         WHERE order_id = ANY(%(order_ids)s) AND outcome IS NULL AND unknown_since IS NOT NULL
      ORDER BY order_id, unknown_since
        """,
        {"order_ids": order_ids},
    ).fetchall()


def take_look(tx: Tx, order_id: str, *, every_s: float) -> list[str]:
    """The operations of the order whose outcome is unknown, if nobody has looked lately; noted as looked at."""
    rows = tx.execute(
        """
        UPDATE provider_attempts SET look_at = now() + make_interval(secs => %(every_s)s)
         WHERE order_id = %(order_id)s AND outcome IS NULL AND refund_id IS NULL
           AND unknown_since < now() - make_interval(secs => %(every_s)s)
           AND coalesce(asked_at, '-infinity') < now() - make_interval(secs => %(every_s)s)
           AND (look_at IS NULL OR look_at NOT BETWEEN now() AND now() + make_interval(secs => %(every_s)s))
     RETURNING operation
        """,
        {"order_id": order_id, "every_s": every_s},
    ).fetchall()
    return [row[0] for row in rows]


def take_payment_look(tx: Tx, order_id: str, *, every_s: float) -> bool:
    """Whether an open payment of the order was last written to and looked at long enough ago; noted as looked at."""
    return (
        tx.execute(
            """
            UPDATE payments SET looked_at = now()
             WHERE order_id = %(order_id)s AND status NOT IN ('succeeded', 'canceled')
               AND greatest(coalesce(looked_at, '-infinity'), updated_at) < now() - make_interval(secs => %(every_s)s)
            """,
            {"order_id": order_id, "every_s": every_s},
        ).rowcount
        > 0
    )


def card_testers(tx: Tx, *, declines: int, limit: int) -> list[str]:
    """Open orders for which more cards were refused than anybody owns."""
    rows = tx.execute(
        """
        SELECT id FROM orders
         WHERE status IN ('awaiting_payment', 'requires_action', 'payment_failed') AND declined_tries >= %(declines)s
           AND NOT EXISTS (SELECT 1 FROM provider_attempts
                            WHERE order_id = orders.id AND operation = 'cancel' AND outcome IS NULL)
      ORDER BY updated_at
         LIMIT %(limit)s
        """,
        {"declines": declines, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def delete_dead_setups(tx: Tx, *, older_than_s: float, limit: int) -> int:
    """Wishes to save a card that came to an end, or to nothing: the card itself has a row of its own."""
    return tx.execute(
        """
        DELETE FROM payment_method_setups
         WHERE id IN (SELECT id FROM payment_method_setups
                       WHERE created_at < now() - make_interval(secs => %(older_than_s)s)
                    ORDER BY created_at
                       LIMIT %(limit)s)
        """,
        {"older_than_s": older_than_s, "limit": limit},
    ).rowcount


def figures(tx: Tx, *, within_s: float) -> tuple[int, datetime | None, int]:
    """How many outcomes are unknown and since when the oldest; how many authorisations run out soon."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM provider_attempts WHERE outcome IS NULL AND unknown_since IS NOT NULL),
               (SELECT min(unknown_since) FROM provider_attempts WHERE outcome IS NULL AND unknown_since IS NOT NULL),
               (SELECT count(*) FROM payments
                 WHERE status = 'requires_capture' AND capture_before < now() + make_interval(secs => %(within_s)s))
        """,
        {"within_s": within_s},
    ).fetchone()
    assert row is not None
    return row
