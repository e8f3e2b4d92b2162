"""How search did in a range of days: what is counted is taken as counted, the rest is read from its searches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import class_row

from db.database import Tx
from shop.search.queries.days import Span


@dataclass(frozen=True, slots=True)
class Range:
    """Days from `first` to `last`; those in one of `live` are not taken as counted. `live`: their times, in one piece
    where they follow each other.
    """

    first: date
    last: date
    live_days: Sequence[date]
    live: Sequence[Span]

    def parameters(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "live_days": list(self.live_days),
            "days": [span.day for span in self.live],
            "starts": [span.start for span in self.live],
            "ends": [span.end for span in self.live],
        }


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
    """For a range of millions of searches, all of it as of one moment. The first statement of its transaction."""
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    tx.execute(
        """
        SELECT set_config('statement_timeout', %(limit)s, true), set_config('work_mem', '64MB', true),
               set_config('jit', 'off', true)
        """,
        {"limit": f"{seconds}s"},
    )


def totals(tx: Tx, within: Range, *, currency: str) -> Totals:
    found = (
        tx.cursor(row_factory=class_row(Totals))
        .execute(
            """
            WITH parts AS (
                SELECT searches, without_result, unclicked, clicked, carted, bought, placed, reciprocal_e9, corrected,
                       cached, degraded
                  FROM search_days
                 WHERE day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s)
                 UNION ALL
                SELECT searches, without_result, unclicked, clicked, carted, bought, placed, reciprocal_e9, corrected,
                       cached, degraded
                  FROM search_counts(%(days)s, %(starts)s, %(ends)s)
            ), sales AS (
                SELECT sold FROM search_day_sales
                 WHERE day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s) AND currency = %(currency)s
                 UNION ALL
                SELECT sold FROM search_sales(%(days)s, %(starts)s, %(ends)s) WHERE currency = %(currency)s
            )
            SELECT coalesce(sum(searches), 0)::int AS searches,
                   coalesce(sum(without_result), 0)::int AS without_result,
                   coalesce(sum(unclicked), 0)::int AS unclicked,
                   coalesce(sum(clicked), 0)::int AS clicked,
                   coalesce(sum(carted), 0)::int AS carted,
                   coalesce(sum(bought), 0)::int AS bought,
                   (sum(reciprocal_e9) / 1e9 / nullif(sum(placed), 0))::float8 AS reciprocal,
                   coalesce(sum(corrected), 0)::int AS corrected,
                   coalesce(sum(cached), 0)::int AS cached,
                   coalesce(sum(degraded), 0)::int AS degraded,
                   (SELECT round(coalesce(sum(sold), 0))::bigint FROM sales) AS sold
              FROM parts
            """,
            {**within.parameters(), "currency": currency},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def times(tx: Tx, within: Range) -> list[tuple[int, int]]:
    """Buckets of milliseconds and how many searches are in each, the quickest first."""
    return tx.execute(
        """
        SELECT bucket::integer, sum(searches)::integer
          FROM (SELECT bucket, searches FROM search_day_times
                 WHERE day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s)
                 UNION ALL
                SELECT bucket, searches FROM search_times(%(days)s, %(starts)s, %(ends)s)) parts
      GROUP BY bucket
      ORDER BY bucket
        """,
        within.parameters(),
    ).fetchall()


def queries_of(tx: Tx, within: Range, *, currency: str, a_search: float, least: int, limit: int) -> list[QueryRow]:
    """Those that are in one of the four lists. `a_search`: what a search brings on average, in minor units; nothing is
    said to be lost by queries made less than `least` times.
    """
    leading = _leading(tx, within, currency=currency, a_search=a_search, least=least, limit=limit)
    became = {row[0]: row for row in _became(tx, within, [row[0] for row in leading])}
    rows: list[QueryRow] = []
    for query, searches, without_result, unclicked, sold, lost, *places in leading:
        _, clicked, carted, bought, reciprocal = became[query]
        rows.append(
            QueryRow(
                query,
                searches,
                without_result,
                unclicked,
                clicked,
                carted,
                bought,
                reciprocal,
                sold,
                lost,
                by_searches=places[0],
                by_without_result=places[1],
                by_unclicked=places[2],
                by_lost=places[3],
            )
        )
    return rows


def _leading(
    tx: Tx, within: Range, *, currency: str, a_search: float, least: int, limit: int
) -> list[tuple[str, int, int, int, int, int, int, int, int, int]]:
    """Words are looked up for those alone that may be in a list: `nth` has what the last of each has at least."""
    return tx.execute(
        """
        WITH live AS MATERIALIZED (
            SELECT id, query, searches, without_result, unclicked FROM search_live(%(days)s, %(starts)s, %(ends)s)
        ), asked AS MATERIALIZED (
            SELECT id, sum(searches) AS searches, sum(without_result) AS without_result, sum(unclicked) AS unclicked
              FROM (SELECT text_id AS id, searches, without_result, unclicked FROM search_day_queries
                     WHERE day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s)
                     UNION ALL
                    SELECT id, searches, without_result, unclicked FROM live WHERE query <> '') parts
             WHERE id <> coalesce((SELECT id FROM search_texts WHERE text = ''), 0)
          GROUP BY id
        ), sales AS (
            SELECT id, sum(sold) AS sold
              FROM (SELECT text_id AS id, sold FROM search_day_sales
                     WHERE day BETWEEN %(first)s AND %(last)s AND NOT day = ANY(%(live_days)s)
                       AND currency = %(currency)s
                     UNION ALL
                    SELECT live.id, s.sold FROM search_sales(%(days)s, %(starts)s, %(ends)s) s
                      JOIN live ON live.query = s.query WHERE s.currency = %(currency)s) parts
          GROUP BY id
        ), valued AS MATERIALIZED (
            SELECT asked.*, coalesce(sold, 0) AS sold, CASE WHEN searches >= %(least)s
                   THEN greatest(0, round(searches * %(a_search)s::numeric - coalesce(sold, 0)))::bigint ELSE 0 END
                   AS lost
              FROM asked LEFT JOIN sales ON sales.id = asked.id
        ), nth AS (
            SELECT (SELECT searches FROM valued ORDER BY 1 DESC OFFSET %(limit)s - 1 LIMIT 1) AS searches,
                   (SELECT without_result FROM valued ORDER BY 1 DESC OFFSET %(limit)s - 1 LIMIT 1) AS without_result,
                   (SELECT unclicked FROM valued ORDER BY 1 DESC OFFSET %(limit)s - 1 LIMIT 1) AS unclicked,
                   (SELECT lost FROM valued ORDER BY 1 DESC OFFSET %(limit)s - 1 LIMIT 1) AS lost
        ), named AS (
            SELECT v.*, coalesce((SELECT text FROM search_texts WHERE id = v.id),
                                 (SELECT query FROM live WHERE live.id = v.id)) COLLATE "C" AS text
              FROM valued v CROSS JOIN nth
             WHERE v.searches >= coalesce(nth.searches, 0) OR v.without_result >= greatest(nth.without_result, 1)
                OR v.unclicked >= greatest(nth.unclicked, 1) OR v.lost >= greatest(nth.lost, 1)
        )
        SELECT text, searches::int, without_result::int, unclicked::int, round(sold)::bigint, lost, p1, p2, p3, p4
          FROM (SELECT named.*, row_number() OVER (ORDER BY searches DESC, text) AS p1,
                       row_number() OVER (ORDER BY without_result DESC, text) AS p2,
                       row_number() OVER (ORDER BY unclicked DESC, text) AS p3,
                       row_number() OVER (ORDER BY lost DESC, text) AS p4 FROM named) placed
         WHERE least(p1, p2, p3, p4) <= %(limit)s
        """,
        {**within.parameters(), "currency": currency, "a_search": a_search, "least": least, "limit": limit},
    ).fetchall()


def _became(tx: Tx, within: Range, asked: Sequence[str]) -> list[tuple[str, int, int, int, float | None]]:
    """Of these queries: how many searches were clicked, put into the cart and bought from, and 1/place of the click."""
    return tx.execute(
        """
        SELECT text, sum(clicked)::int, sum(carted)::int, sum(bought)::int,
               (sum(reciprocal_e9) / 1e9 / nullif(sum(placed), 0))::float8
          FROM (SELECT t.text, q.clicked, q.carted, q.bought, q.placed, q.reciprocal_e9
                  FROM search_texts t
                  JOIN search_day_queries q ON q.text_id = t.id
                 WHERE t.text = ANY(%(asked)s) AND q.day BETWEEN %(first)s AND %(last)s
                   AND NOT q.day = ANY(%(live_days)s)
                 UNION ALL
                SELECT query, clicked, carted, bought, placed, reciprocal_e9
                  FROM search_counts(%(days)s, %(starts)s, %(ends)s) WHERE query = ANY(%(asked)s)) parts
      GROUP BY text
        """,
        {**within.parameters(), "asked": list(asked)},
    ).fetchall()
