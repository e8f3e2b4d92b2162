"""SQL of what is trending: candidates by heat, what speaks for them, and the lists as last computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product by its heat alone. `heat` is the sum of weights, each halved per half-life since."""

    product_id: str
    category: str
    heat: float


@dataclass(frozen=True, slots=True)
class Interest:
    """What happened within the window, each visitor once per kind and hour, and how much is usual in a window."""

    product_id: str
    visitors: int
    views: int
    carts: int
    orders: int
    usual: float


@dataclass(frozen=True, slots=True)
class Listed:
    rank: int
    product_id: str
    score: float
    visitors: int
    views: int
    carts: int
    orders: int
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A listed product that can be bought right now, as the catalogue knows it."""

    id: str
    name: str
    category: str
    brand: str
    price: int | None
    currency: str | None
    image_url: str | None
    score: float
    visitors: int
    reasons: list[dict[str, Any]]
    computed_at: datetime


def candidates(
    tx: Tx, *, span: str, window: timedelta, half_life_s: float, now: datetime, each: int
) -> list[Candidate]:
    """The hottest products of each category, as many as asked for, hottest first; what cannot be bought is left out."""
    return (
        tx.cursor(row_factory=class_row(Candidate))
        .execute(
            """
            SELECT product_id, category, heat
              FROM (SELECT product_heat.product_id, lower(products.category) AS category,
                           power(2.0::float8, greatest(-200, product_heat.log_heat
                               - extract(epoch FROM %(now)s - timestamptz '2026-01-01 00:00Z')::float8
                               / %(half_life_s)s)) AS heat,
                           row_number() OVER (PARTITION BY lower(products.category)
                                                  ORDER BY product_heat.log_heat DESC, product_heat.product_id) AS place
                      FROM product_heat
                      JOIN products ON products.id = product_heat.product_id
                     WHERE product_heat.span = %(span)s
                       AND product_heat.last_at > %(now)s - %(window)s
                       AND products.active AND products.available) AS ranked
             WHERE place <= %(each)s
          ORDER BY heat DESC, product_id
            """,
            {"span": span, "window": window, "half_life_s": half_life_s, "now": now, "each": each},
        )
        .fetchall()
    )


def interest(tx: Tx, product_ids: Sequence[str], *, window: timedelta, now: datetime) -> list[Interest]:
    """Read by key, for these products only. `usual` is the weighted sum of an average window of the 28 days before."""
    return (
        tx.cursor(row_factory=class_row(Interest))
        .execute(
            """
            SELECT asked.product_id, seen.visitors, seen.views, seen.carts, seen.orders, past.usual
              FROM unnest(%(product_ids)s::text[]) AS asked (product_id)
        CROSS JOIN LATERAL (
                    SELECT count(DISTINCT visitor)::int AS visitors,
                           count(*) FILTER (WHERE kind = 'view')::int AS views,
                           count(*) FILTER (WHERE kind = 'cart')::int AS carts,
                           count(*) FILTER (WHERE kind = 'order')::int AS orders
                      FROM product_interest
                     WHERE product_interest.product_id = asked.product_id
                       AND hour >= date_trunc('hour', %(now)s - %(window)s)
                       AND at > %(now)s - %(window)s AND at <= %(now)s + interval '5 minutes') AS seen
        CROSS JOIN LATERAL (
                    SELECT coalesce(sum(views + 3 * carts + 8 * orders), 0)::float8
                           * extract(epoch FROM %(window)s)::float8 / (28 * 86400) AS usual
                      FROM product_hours
                     WHERE product_hours.product_id = asked.product_id
                       AND hour >= %(now)s - %(window)s - interval '28 days'
                       AND hour < date_trunc('hour', %(now)s - %(window)s)) AS past
            """,
            {"product_ids": list(product_ids), "window": window, "now": now},
        )
        .fetchall()
    )


def clear(tx: Tx, span: str) -> None:
    tx.execute("DELETE FROM trending WHERE span = %(span)s", {"span": span})


def save(tx: Tx, span: str, category: str, listed: Sequence[Listed]) -> None:
    tx.cursor().executemany(
        """
        INSERT INTO trending (span, category, rank, product_id, score, visitors, views, carts, orders, reasons)
        VALUES (%(span)s, %(category)s, %(rank)s, %(product_id)s, %(score)s, %(visitors)s, %(views)s, %(carts)s,
                %(orders)s, %(reasons)s)
        """,
        [
            {
                "span": span,
                "category": category,
                "rank": one.rank,
                "product_id": one.product_id,
                "score": one.score,
                "visitors": one.visitors,
                "views": one.views,
                "carts": one.carts,
                "orders": one.orders,
                "reasons": Jsonb(one.reasons),
            }
            for one in listed
        ],
    )


def lock_lists(tx: Tx) -> None:
    """One refresh at a time: the second one waits for the first to commit."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('analytics.trending', 0))")


def shown(tx: Tx, *, span: str, category: str, limit: int) -> list[Shown]:
    """Best first. Asked of the catalogue at this moment, so that what sold out a minute ago is gone."""
    return (
        tx.cursor(row_factory=class_row(Shown))
        .execute(
            """
            SELECT trending.product_id AS id, products.name, products.category, products.brand, products.price,
                   products.currency, products.image_url, trending.score, trending.visitors, trending.reasons,
                   trending.computed_at
              FROM trending
              JOIN products ON products.id = trending.product_id
             WHERE trending.span = %(span)s AND trending.category = lower(%(category)s)
               AND products.active AND products.available
          ORDER BY trending.rank
             LIMIT %(limit)s
            """,
            {"span": span, "category": category, "limit": limit},
        )
        .fetchall()
    )


def cursor_position(tx: Tx, name: str) -> datetime | None:
    row = tx.execute(
        "SELECT seen_until FROM analytics_cursors WHERE name = %(name)s FOR UPDATE", {"name": name}
    ).fetchone()
    return row[0] if row else None


def move_cursor(tx: Tx, name: str, seen_until: datetime) -> None:
    tx.execute(
        """
        INSERT INTO analytics_cursors (name, seen_until) VALUES (%(name)s, %(seen_until)s)
            ON CONFLICT (name) DO UPDATE SET seen_until = greatest(analytics_cursors.seen_until, EXCLUDED.seen_until)
        """,
        {"name": name, "seen_until": seen_until},
    )
