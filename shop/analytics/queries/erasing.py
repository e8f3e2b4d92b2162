"""SQL of forgetting one person, store by store; rollups give back what the rows counted in them."""

import json
from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from db.database import Tx
from shop.analytics.queries.privacy import Browsers


def erase_events(tx: Tx, customer: str | None, found: Browsers) -> int:
    """With what they count in the hours, so that rollups and rows stay equal.

    In two statements, so that minutes and days of visitors, which follow by triggers, are locked before the hours: a
    drain does it in this order too.
    """
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS gone_events (
            ts timestamptz NOT NULL, name text NOT NULL, bot_score smallint NOT NULL
        ) ON COMMIT DELETE ROWS
        """
    )
    gone = tx.execute(
        """
        WITH gone AS (
            DELETE FROM events
             WHERE (visitor_id = ANY(%(own)s)
                    AND (%(customer)s::text IS NULL OR user_id IS NULL OR user_id = %(customer)s))
                OR (visitor_id = ANY(%(shared)s) AND user_id = %(customer)s)
            RETURNING ts, name, bot_score
        )
        INSERT INTO gone_events (ts, name, bot_score) SELECT ts, name, bot_score FROM gone
        """,
        {"customer": customer, "own": found.own, "shared": found.shared},
    ).rowcount
    _give_back_hours(tx)
    return gone


def _give_back_hours(tx: Tx) -> None:
    tx.execute(
        """
        WITH counted AS (
            SELECT date_trunc('hour', ts) AS hour, name, bot_score < 50 AS human, count(*) AS events
              FROM gone_events GROUP BY 1, 2, 3
        ), locked AS (
            SELECT kept.hour, kept.name, kept.human, counted.events
              FROM event_hours AS kept
              JOIN counted ON kept.hour = counted.hour AND kept.name = counted.name AND kept.human = counted.human
          ORDER BY kept.hour, kept.name, kept.human
               FOR UPDATE OF kept
        )
        UPDATE event_hours AS kept SET events = kept.events - locked.events
          FROM locked
         WHERE kept.hour = locked.hour AND kept.name = locked.name AND kept.human = locked.human
        """
    )


def erase_interest(tx: Tx, customer: str | None, visitors: Sequence[str]) -> int:
    """Of the trend's notes, whose visitor is a hash; with what they count in the hours."""
    row = tx.execute(
        """
        WITH gone AS (
            DELETE FROM product_interest
             WHERE visitor IN (SELECT hashtextextended(one, 0) FROM unnest(%(persons)s::text[]) AS one)
            RETURNING product_id, hour, kind
        ), counted AS (
            SELECT product_id, hour, count(*) FILTER (WHERE kind = 'view') AS views,
                   count(*) FILTER (WHERE kind = 'cart') AS carts, count(*) FILTER (WHERE kind = 'order') AS orders
              FROM gone GROUP BY product_id, hour
        ), taken AS (
            UPDATE product_hours AS kept
               SET views = kept.views - counted.views, carts = kept.carts - counted.carts,
                   orders = kept.orders - counted.orders
              FROM counted WHERE kept.product_id = counted.product_id AND kept.hour = counted.hour
            RETURNING 1
        )
        SELECT count(*)::int FROM gone
        """,
        {"persons": [*visitors, *([customer] if customer else [])]},
    ).fetchone()
    return row[0] if row else 0


def erase_sessions(tx: Tx, customer: str | None, found: Browsers) -> int:
    """Visits of their own browsers go; those of shared ones lose the name, and are derived again from what stays."""
    tx.execute(
        """
        INSERT INTO visitors_touched (visitor_id, since, until)
        SELECT visitor_id, min(started_at), max(ended_at) FROM sessions
         WHERE visitor_id = ANY(%(shared)s) GROUP BY visitor_id
        """,
        {"shared": found.shared},
    )
    tx.execute(
        "UPDATE sessions SET user_id = NULL WHERE visitor_id = ANY(%(shared)s) AND user_id = %(customer)s",
        {"shared": found.shared, "customer": customer},
    )
    tx.execute("DELETE FROM visitors_touched WHERE visitor_id = ANY(%(own)s)", {"own": found.own})
    return tx.execute("DELETE FROM sessions WHERE visitor_id = ANY(%(own)s)", {"own": found.own}).rowcount


def erase_links(tx: Tx, customer: str | None, found: Browsers) -> int:
    """Sign-ins and decisions about them. On a shared browser somebody without a name stays in the customer's place:
    else what was done there anonymously would from now on be taken for the other one's."""
    gone = tx.execute(
        """
        DELETE FROM identity_links
         WHERE visitor_id = ANY(%(own)s) OR (user_id = %(customer)s AND (undone OR visitor_id <> ALL(%(shared)s)))
        """,
        {"own": found.own, "shared": found.shared, "customer": customer},
    ).rowcount
    blurred = tx.execute(
        "UPDATE identity_links SET user_id = 'erased ' || gen_random_uuid() WHERE user_id = %(customer)s",
        {"customer": customer},
    ).rowcount
    decided = tx.execute(
        "DELETE FROM identity_decisions WHERE user_id = %(customer)s OR visitor_id = ANY(%(own)s)",
        {"customer": customer, "own": found.own},
    ).rowcount
    return gone + blurred + decided


def forget_orders(tx: Tx, customer: str | None, found: Browsers) -> None:
    """What happens to these orders from now on, a refund perhaps, is counted without saying whose they are."""
    tx.execute(
        """
        INSERT INTO forgotten_orders (order_id)
        SELECT id FROM orders WHERE customer_id = %(customer)s OR visitor_id = ANY(%(own)s)
            ON CONFLICT (order_id) DO NOTHING
        """,
        {"customer": customer, "own": found.own},
    )


def erase_exposures(tx: Tx, visitors: Sequence[str]) -> int:
    return tx.execute(
        "DELETE FROM exposures WHERE visitor_id = ANY(%(visitors)s)", {"visitors": list(visitors)}
    ).rowcount


def erase_quarantined(tx: Tx, persons: Sequence[str]) -> int:
    """Raw events that name one of them as a JSON string: rows are kept in ASCII, batches as they came in UTF-8."""
    return tx.execute(
        """
        DELETE FROM quarantined_events
         WHERE EXISTS (SELECT 1 FROM unnest(%(spelled)s::text[]) AS one
                        WHERE strpos(raw, one) > 0 OR position(convert_to(one, 'UTF8') IN body) > 0)
        """,
        {"spelled": [json.dumps(one, ensure_ascii=ascii_only) for one in persons for ascii_only in (True, False)]},
    ).rowcount


def erase_searches(tx: Tx, customer: str | None, visitors: Sequence[str]) -> tuple[int, int]:
    """Searches, and what search derived from them and from interests."""
    row = tx.execute(
        """
        SELECT forget_searches(%(customer)s, %(visitors)s::text[]), forget_interests(%(customer)s, %(visitors)s::text[])
        """,
        {"customer": customer, "visitors": list(visitors)},
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def erase_exports(tx: Tx, customer: str | None, visitor: str | None) -> int:
    return tx.execute(
        """
        DELETE FROM privacy_requests
         WHERE kind = 'export' AND (customer_id = %(customer)s OR visitor_id = %(visitor)s)
        """,
        {"customer": customer, "visitor": visitor},
    ).rowcount


def finish_erasure(tx: Tx, request_id: str, *, receipt: dict[str, Any]) -> None:
    """The receipt stays, the names go."""
    tx.execute(
        """
        UPDATE privacy_requests
           SET receipt = %(receipt)s, done_at = now(), customer_id = NULL, visitor_id = NULL, visitor_ids = NULL,
               asked_by = CASE WHEN asked_by = customer_id THEN 'the person' ELSE asked_by END
         WHERE id = %(id)s AND done_at IS NULL
        """,
        {"id": request_id, "receipt": Jsonb(receipt)},
    )
