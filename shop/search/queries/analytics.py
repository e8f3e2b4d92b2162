"""How search did in a range of time: its searches, and what became of them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row, class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Totals:
    """Of searches. `unclicked` found something; `reciprocal` is the mean of 1/place of the first click, over `clicked`
    where the place is known. `sold` in whole minor units, what was given back taken off.
    """

    searches: int
    without_result: int
    unclicked: int
    clicked: int
    carted: int
    bought: int
    reciprocal: float | None
    corrected: int
    cached: int
    degraded: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    sold: int


@dataclass(frozen=True, slots=True)
class QueryRow:
    """The places in the four lists count from 1: most asked, most often without result, most often without a click,
    largest loss. `lost` is what its searches would have brought at the average of all, less what they did.
    """

    query: str
    searches: int
    without_result: int
    unclicked: int
    clicked: int
    carted: int
    bought: int
    reciprocal: float | None
    sold: int
    lost: int
    by_searches: int
    by_without_result: int
    by_unclicked: int
    by_lost: int


def take_time(tx: Tx, *, seconds: int) -> None:
    """For a range of millions of searches."""
    tx.execute(
        """
        SELECT set_config('statement_timeout', %(limit)s, true), set_config('work_mem', '64MB', true),
               set_config('jit', 'off', true)
        """,
        {"limit": f"{seconds}s"},
    )


def totals(tx: Tx, *, start: datetime, end: datetime, currency: str) -> Totals:
    found = (
        tx.cursor(row_factory=class_row(Totals))
        .execute(
            """
            WITH became AS (
                SELECT o.search_id, min(o.position) FILTER (WHERE o.clicked_at IS NOT NULL) AS place,
                       bool_or(o.clicked_at IS NOT NULL) AS clicked, bool_or(o.carted_at IS NOT NULL) AS carted,
                       bool_or(o.order_id IS NOT NULL) AS bought,
                       sum(lines.total_minor * (orders.amount_captured - orders.amount_refunded)::numeric
                           / nullif(orders.amount_captured, 0)) FILTER (WHERE orders.currency = %(currency)s) AS sold
                  FROM search_outcomes o
                  LEFT JOIN orders ON orders.id = o.order_id
                  LEFT JOIN order_lines lines ON lines.order_id = o.order_id AND lines.product_id = o.product_id
                 WHERE o.searched_at >= %(start)s AND o.searched_at < %(end)s
              GROUP BY o.search_id
            )
            SELECT count(*)::int AS searches,
                   count(*) FILTER (WHERE s.total = 0)::int AS without_result,
                   count(*) FILTER (WHERE s.total > 0 AND became.clicked IS NOT TRUE)::int AS unclicked,
                   count(*) FILTER (WHERE became.clicked)::int AS clicked,
                   count(*) FILTER (WHERE became.carted)::int AS carted,
                   count(*) FILTER (WHERE became.bought)::int AS bought,
                   avg(1.0 / became.place)::float8 AS reciprocal,
                   count(s.corrected)::int AS corrected,
                   count(*) FILTER (WHERE s.cached)::int AS cached,
                   count(*) FILTER (WHERE s.degraded)::int AS degraded,
                   percentile_cont(.5) WITHIN GROUP (ORDER BY s.took_ms) AS p50_ms,
                   percentile_cont(.95) WITHIN GROUP (ORDER BY s.took_ms) AS p95_ms,
                   percentile_cont(.99) WITHIN GROUP (ORDER BY s.took_ms) AS p99_ms,
                   round(coalesce(sum(became.sold), 0))::bigint AS sold
              FROM search_queries s
              LEFT JOIN became ON became.search_id = s.id
             WHERE s.searched_at >= %(start)s AND s.searched_at < %(end)s
            """,
            {"start": start, "end": end, "currency": currency},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def queries_of(
    tx: Tx, *, start: datetime, end: datetime, currency: str, a_search: float, least: int, limit: int
) -> list[QueryRow]:
    """Those that are in one of the four lists. `a_search`: what a search brings on average, in minor units; nothing is
    said to be lost by queries made less than `least` times.
    """
    return (
        tx.cursor(row_factory=args_row(QueryRow))
        .execute(
            """
            WITH became AS (
                SELECT o.search_id, min(o.position) FILTER (WHERE o.clicked_at IS NOT NULL) AS place,
                       bool_or(o.clicked_at IS NOT NULL) AS clicked, bool_or(o.carted_at IS NOT NULL) AS carted,
                       bool_or(o.order_id IS NOT NULL) AS bought,
                       sum(lines.total_minor * (orders.amount_captured - orders.amount_refunded)::numeric
                           / nullif(orders.amount_captured, 0)) FILTER (WHERE orders.currency = %(currency)s) AS sold
                  FROM search_outcomes o
                  LEFT JOIN orders ON orders.id = o.order_id
                  LEFT JOIN order_lines lines ON lines.order_id = o.order_id AND lines.product_id = o.product_id
                 WHERE o.searched_at >= %(start)s AND o.searched_at < %(end)s
              GROUP BY o.search_id
            ), asked AS (
                SELECT s.normalised, count(*)::int AS searches, count(*) FILTER (WHERE s.total = 0)::int AS nothing,
                       count(*) FILTER (WHERE s.total > 0 AND became.clicked IS NOT TRUE)::int AS unclicked,
                       count(*) FILTER (WHERE became.clicked)::int AS clicked,
                       count(*) FILTER (WHERE became.carted)::int AS carted,
                       count(*) FILTER (WHERE became.bought)::int AS bought,
                       avg(1.0 / became.place)::float8 AS reciprocal,
                       round(coalesce(sum(became.sold), 0))::bigint AS sold
                  FROM search_queries s
                  LEFT JOIN became ON became.search_id = s.id
                 WHERE s.searched_at >= %(start)s AND s.searched_at < %(end)s AND s.normalised <> ''
              GROUP BY s.normalised
            ), valued AS (
                SELECT asked.*, CASE WHEN searches >= %(least)s
                       THEN greatest(0, round(searches * %(a_search)s::numeric - sold)) ELSE 0 END::bigint AS lost
                  FROM asked
            ), placed AS (
                SELECT valued.*,
                       row_number() OVER (ORDER BY searches DESC, normalised COLLATE "C") AS by_searches,
                       row_number() OVER (ORDER BY nothing DESC, normalised COLLATE "C") AS by_nothing,
                       row_number() OVER (ORDER BY unclicked DESC, normalised COLLATE "C") AS by_unclicked,
                       row_number() OVER (ORDER BY lost DESC, normalised COLLATE "C") AS by_lost
                  FROM valued
            )
            SELECT normalised, searches, nothing, unclicked, clicked, carted, bought, reciprocal, sold, lost,
                   by_searches, by_nothing, by_unclicked, by_lost
              FROM placed
             WHERE by_searches <= %(limit)s OR by_nothing <= %(limit)s OR by_unclicked <= %(limit)s
                OR by_lost <= %(limit)s
            """,
            {
                "start": start,
                "end": end,
                "currency": currency,
                "a_search": a_search,
                "least": least,
                "limit": limit,
            },
        )
        .fetchall()
    )
