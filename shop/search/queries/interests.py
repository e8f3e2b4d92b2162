"""Who was interested in what: taken from events and paid orders as they come, read by person and as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx

RECOMMEND_LOCK = 7_305_005
"""The advisory lock of whoever writes interests and neighbours; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Interest:
    """kind: 1 looked at, 2 put into the cart, 3 bought."""

    product_id: str
    kind: int
    last_at: datetime


def lock(tx: Tx) -> None:
    """One writer at a time, until the transaction ends; a first run reads months of events."""
    tx.execute("SELECT set_config('statement_timeout', '900s', true), set_config('lock_timeout', '60s', true)")
    tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", {"key": RECOMMEND_LOCK})


def note_events(tx: Tx, *, since: datetime | None, days: int) -> int:
    """Of people, from what was stored since then; who said no to personalisation (bit 4, or once and for all) is left
    out.
    """
    noted = tx.execute(
        """
        INSERT INTO user_interests AS kept (person, product_id, kind, last_at)
        SELECT coalesce('c:' || user_id, 'v:' || visitor_id), product_id,
               max(CASE name WHEN 'cart_add' THEN 2 ELSE 1 END), max(ts)
          FROM events
         WHERE loaded_at >= greatest(%(since)s, now() - make_interval(days => %(days)s))
           AND name IN ('product_view', 'cart_add') AND product_id IS NOT NULL AND bot_score < 50
           AND (consent IS NULL OR consent & 4 = 4)
           AND NOT EXISTS (SELECT 1 FROM search_objections no
                            WHERE no.person IN (hashtextextended('v:' || visitor_id, 0),
                                                hashtextextended('c:' || user_id, 0)))
      GROUP BY 1, 2
      ORDER BY 1, 2
            ON CONFLICT (person, product_id) DO UPDATE
           SET kind = greatest(kept.kind, EXCLUDED.kind), last_at = greatest(kept.last_at, EXCLUDED.last_at)
         WHERE kept.kind < EXCLUDED.kind OR kept.last_at < EXCLUDED.last_at
        """,
        {"since": since, "days": days},
    )
    return noted.rowcount


def note_orders(tx: Tx, *, since: datetime | None, days: int) -> int:
    noted = tx.execute(
        """
        INSERT INTO user_interests AS kept (person, product_id, kind, last_at)
        SELECT 'c:' || orders.customer_id, order_lines.product_id, 3, max(orders.paid_at)
          FROM orders
          JOIN order_lines ON order_lines.order_id = orders.id
         WHERE orders.paid_at >= greatest(%(since)s, now() - make_interval(days => %(days)s))
           AND NOT EXISTS (SELECT 1 FROM search_objections no
                            WHERE no.person = hashtextextended('c:' || orders.customer_id, 0))
      GROUP BY 1, 2
      ORDER BY 1, 2
            ON CONFLICT (person, product_id) DO UPDATE
           SET kind = 3, last_at = greatest(kept.last_at, EXCLUDED.last_at)
         WHERE kept.kind < 3 OR kept.last_at < EXCLUDED.last_at
        """,
        {"since": since, "days": days},
    )
    return noted.rowcount


def forget(tx: Tx, *, days: int, limit: int) -> int:
    gone = tx.execute(
        """
        DELETE FROM user_interests
         WHERE (person, product_id) IN (
               SELECT person, product_id FROM user_interests
                WHERE last_at < now() - make_interval(days => %(days)s) ORDER BY last_at LIMIT %(limit)s)
        """,
        {"days": days, "limit": limit},
    )
    return gone.rowcount


def sequences(tx: Tx, *, itersize: int) -> Iterator[tuple[str, str, int, float]]:
    """All interests, person by person, each in the order of time: person, product, kind, age in days."""
    with tx.cursor(name="interests") as cursor:
        cursor.itersize = itersize
        cursor.execute(
            """
            SELECT person, product_id, kind, (extract(epoch FROM now() - last_at) / 86400)::float8
              FROM user_interests ORDER BY person, last_at, product_id
            """
        )
        yield from cursor


def baskets(tx: Tx, *, days: int, itersize: int) -> Iterator[tuple[str, str]]:
    """Orders and their products, order by order."""
    with tx.cursor(name="baskets") as cursor:
        cursor.itersize = itersize
        cursor.execute(
            """
            SELECT orders.id, order_lines.product_id
              FROM orders
              JOIN order_lines ON order_lines.order_id = orders.id
             WHERE orders.paid_at > now() - make_interval(days => %(days)s)
          ORDER BY orders.id, order_lines.position
            """,
            {"days": days},
        )
        yield from cursor


def history(tx: Tx, persons: Sequence[str], *, visitor_id: str | None, limit: int) -> list[Interest]:
    """Newest first: what is kept, and what this visitor did in the last half hour that is not taken over yet. Nothing
    where one of the persons said no to personalisation.
    """
    cur = tx.cursor(row_factory=class_row(Interest))
    return cur.execute(
        """
        SELECT product_id, max(kind)::integer AS kind, max(last_at) AS last_at
          FROM (SELECT product_id, kind, last_at FROM user_interests WHERE person = ANY(%(persons)s)
                 UNION ALL
                SELECT product_id, CASE name WHEN 'cart_add' THEN 2 ELSE 1 END, ts FROM events
                 WHERE visitor_id = %(visitor_id)s AND ts > now() - interval '30 minutes'
                   AND name IN ('product_view', 'cart_add') AND product_id IS NOT NULL
                   AND (consent IS NULL OR consent & 4 = 4)) one
         WHERE NOT EXISTS (SELECT 1 FROM search_objections
                            WHERE person IN (SELECT hashtextextended(name, 0) FROM unnest(%(persons)s::text[]) AS name))
      GROUP BY product_id
      ORDER BY max(last_at) DESC, product_id
         LIMIT %(limit)s
        """,
        {"persons": list(persons), "visitor_id": visitor_id, "limit": limit},
    ).fetchall()


def bought(tx: Tx, persons: Sequence[str]) -> set[str]:
    rows = tx.execute(
        """
        SELECT product_id FROM user_interests
         WHERE person = ANY(%(persons)s) AND kind = 3
           AND NOT EXISTS (SELECT 1 FROM search_objections
                            WHERE person IN (SELECT hashtextextended(name, 0) FROM unnest(%(persons)s::text[]) AS name))
        """,
        {"persons": list(persons)},
    ).fetchall()
    return {row[0] for row in rows}


def active(tx: Tx, *, hours: int, limit: int) -> list[str]:
    """People who did something lately and for whom nothing newer is worked out, the latest first."""
    rows = tx.execute(
        """
        SELECT i.person
          FROM user_interests i
          LEFT JOIN user_recommendations r ON r.person = i.person
         WHERE i.last_at > now() - make_interval(hours => %(hours)s)
      GROUP BY i.person
        HAVING max(r.made_at) IS NULL OR max(r.made_at) < max(i.last_at)
      ORDER BY max(i.last_at) DESC
         LIMIT %(limit)s
        """,
        {"hours": hours, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]
