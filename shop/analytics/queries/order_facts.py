"""SQL of order facts: what the orders say happened, against what stands among the events already."""

from collections.abc import Sequence
from datetime import datetime

from db.database import Tx

Place = tuple[datetime, str]
"""Where a reader of changed orders stands: time of the change and id of the order."""


def lock_facts(tx: Tx) -> None:
    """One reader at a time: one that looked earlier must not write what it saw after one that looked later."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('analytics.order_facts', 0))")


def changed_orders(tx: Tx, *, after: Place, limit: int) -> list[Place]:
    """In the order of their last change."""
    return tx.execute(
        """
        SELECT updated_at, id FROM orders
         WHERE updated_at >= %(at)s AND (updated_at, id) > (%(at)s, %(id)s)
      ORDER BY updated_at, id
         LIMIT %(limit)s
        """,
        {"at": after[0], "id": after[1], "limit": limit},
    ).fetchall()


def prepare_truth(tx: Tx, order_ids: Sequence[str]) -> None:
    """The facts of these orders as their tables tell them now. An order that was refused was never placed.

    Placing and paying have a time of their own; the others are as old as the change that brought them.
    """
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS true_facts (
            name text NOT NULL, subject text NOT NULL, order_id text NOT NULL, ts timestamptz NOT NULL,
            timed boolean NOT NULL, amount bigint, currency text, PRIMARY KEY (name, subject)
        ) ON COMMIT DELETE ROWS
        """
    )
    tx.execute(
        """
        WITH touched AS (
            SELECT id, status, created_at, paid_at, updated_at, total_minor, currency, declined_tries
              FROM orders WHERE id = ANY(%(order_ids)s) AND currency IS NOT NULL
        )
        INSERT INTO true_facts (name, subject, order_id, ts, timed, amount, currency)
        SELECT 'order_placed', id, id, created_at, true, total_minor, currency
          FROM touched WHERE status NOT IN ('placing', 'rejected')
     UNION ALL
        SELECT 'order_paid', id, id, paid_at, true, total_minor, currency
          FROM touched WHERE paid_at IS NOT NULL
     UNION ALL
        SELECT 'order_cancelled', id, id, updated_at, false, total_minor, currency
          FROM touched WHERE status IN ('canceled', 'expired')
     UNION ALL
        SELECT 'payment_failed', id || ' ' || try, id, updated_at, false, total_minor, currency
          FROM touched CROSS JOIN LATERAL generate_series(1, declined_tries) AS try
     UNION ALL
        SELECT 'refund_done', refunds.id, touched.id, refunds.updated_at, false, refunds.amount_minor, refunds.currency
          FROM touched JOIN refunds ON refunds.order_id = touched.id WHERE refunds.status = 'succeeded'
        """,
        {"order_ids": list(order_ids)},
    )


def withdraw(tx: Tx, order_ids: Sequence[str]) -> int:
    """Take back what is not true any more, with what it counts in the hours: a refund that bounced was not done."""
    row = tx.execute(
        """
        WITH untrue AS (
            DELETE FROM order_facts AS kept
             WHERE kept.order_id = ANY(%(order_ids)s)
               AND NOT EXISTS (SELECT 1 FROM true_facts AS truth
                                WHERE truth.name = kept.name AND truth.subject = kept.subject
                                  AND (truth.ts = kept.ts OR NOT truth.timed))
            RETURNING event_id
        ), gone AS (
            DELETE FROM events USING untrue WHERE events.event_id = untrue.event_id
            RETURNING events.ts, events.name, events.bot_score, events.visitor_id
        ), counted AS (
            SELECT date_trunc('hour', ts) AS hour, name, bot_score < 50 AS human, count(*) AS events
              FROM gone GROUP BY 1, 2, 3
        ), taken AS (
            UPDATE event_hours AS kept SET events = kept.events - counted.events
              FROM counted
             WHERE kept.hour = counted.hour AND kept.name = counted.name AND kept.human = counted.human
            RETURNING 1
        ), touched AS (
            INSERT INTO visitors_touched (visitor_id, since, until)
            SELECT visitor_id, min(ts), max(ts) FROM gone GROUP BY visitor_id
            RETURNING 1
        )
        SELECT count(*)::int FROM untrue
        """,
        {"order_ids": list(order_ids)},
    ).fetchone()
    return row[0] if row else 0


def stage_new(tx: Tx, *, oldest: datetime) -> int:
    """Claim the facts that are no events yet and stage their rows. Facts from before `oldest` are left where they are.

    The end of the id is chance: one that could be worked out could be taken by a page beforehand.
    """
    row = tx.execute(
        """
        WITH claimed AS (
            INSERT INTO order_facts (name, subject, order_id, event_id, ts)
            SELECT name, subject, order_id,
                   (lpad(to_hex(floor(extract(epoch FROM ts) * 1000)::bigint), 12, '0')
                    || '7' || substr(chance, 1, 3) || '8' || substr(chance, 4, 15))::uuid, ts
              FROM (SELECT name, subject, order_id, ts,
                           md5(gen_random_uuid()::text) AS chance
                      FROM true_facts WHERE ts >= %(oldest)s) AS facts
          ORDER BY name, subject
                ON CONFLICT (name, subject) DO NOTHING
            RETURNING name, subject, order_id, event_id, ts
        ), staged AS (
            INSERT INTO staged_events (
                seq, via, event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id, order_id,
                search_id, price_minor, currency, props, fingerprint)
            SELECT row_number() OVER (ORDER BY claimed.ts, claimed.event_id), 'orders', claimed.event_id, claimed.name,
                   'order', claimed.ts, claimed.ts, now(), 'as_sent',
                   CASE WHEN forgotten.order_id IS NULL THEN coalesce(orders.visitor_id, orders.id) ELSE orders.id END,
                   CASE WHEN forgotten.order_id IS NULL THEN orders.customer_id END, orders.id,
                   orders.search_id, truth.amount, truth.currency,
                   CASE WHEN claimed.name = 'refund_done' THEN jsonb_build_object('refund', claimed.subject) END,
                   hashtextextended(claimed.name || ' ' || claimed.subject, 0)
              FROM claimed
              JOIN true_facts AS truth USING (name, subject)
              JOIN orders ON orders.id = claimed.order_id
         LEFT JOIN forgotten_orders AS forgotten ON forgotten.order_id = orders.id
            RETURNING 1
        )
        SELECT count(*)::int FROM staged
        """,
        {"oldest": oldest},
    ).fetchone()
    return row[0] if row else 0
