"""SQL of retention: who came or bought first in which week, and in which weeks again. Each person once a week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import psycopg
from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.queries.funnel import TooMuchWork

MONDAY = date(1970, 1, 5)
"""Day 0 of the database's function `visit_day`."""


@dataclass(frozen=True, slots=True)
class Returned:
    """`cohort`: the Monday its week begins with. `week`: whole weeks later."""

    cohort: date
    week: int
    people: int


def visitors(tx: Tx, zone: str, *, first: datetime, end: datetime, until: datetime) -> list[Returned]:
    """Cohorts by the week of a visitor's first event of all, from `first` to before `end`; returns before `until`.

    Raises TooMuchWork.
    """
    return _within_time(
        tx,
        """
        WITH weeks AS (
            SELECT visitor_id, date_trunc('week', ts, %(zone)s) AS week
              FROM events
             WHERE ts < %(until)s AND bot_score < 50 AND source <> 'order'
          GROUP BY 1, 2
        ), firsts AS (
            SELECT visitor_id, min(week) AS cohort
              FROM weeks
          GROUP BY visitor_id
            HAVING min(week) >= %(first)s AND min(week) < %(end)s
        )
        SELECT (cohort AT TIME ZONE %(zone)s)::date AS cohort,
               round(extract(epoch FROM weeks.week - cohort) / 604800)::int AS week, count(*)::int AS people
          FROM firsts JOIN weeks USING (visitor_id)
      GROUP BY 1, 2
      ORDER BY 1, 2
        """,
        zone,
        (first, end, until),
    )


def visitors_by_days(tx: Tx, *, first: date, end: date, until: date) -> list[Returned]:
    """The same from the days of visitors, for weeks (Mondays) from `first` to before `end`, and days before `until`.

    Many visitors came in the same weeks: they are counted together before anything is told apart.
    """
    return (
        tx.cursor(row_factory=class_row(Returned))
        .execute(
            """
            WITH kept AS (
                SELECT visitor, era, CASE WHEN era < %(until)s / 63 THEN days
                                          ELSE days & ((1::bigint << (%(until)s %% 63)) - 1) END AS days
                  FROM visitor_days
                 WHERE era <= %(until)s / 63
            ), weekly AS (
                SELECT visitor, era, (days & 127 > 0)::int + (days >> 7 & 127 > 0)::int * 2
                       + (days >> 14 & 127 > 0)::int * 4 + (days >> 21 & 127 > 0)::int * 8
                       + (days >> 28 & 127 > 0)::int * 16 + (days >> 35 & 127 > 0)::int * 32
                       + (days >> 42 & 127 > 0)::int * 64 + (days >> 49 & 127 > 0)::int * 128
                       + (days >> 56 & 127 > 0)::int * 256 AS weeks
                  FROM kept WHERE days > 0
            ), histories AS (
                SELECT history, count(*) AS people
                  FROM (SELECT array_agg(era::int << 9 | weeks ORDER BY era) AS history
                          FROM weekly GROUP BY visitor) AS one
              GROUP BY history
            ), came AS (
                SELECT history, people, (entry >> 9) * 9 + n AS week,
                       min((entry >> 9) * 9 + n) OVER (PARTITION BY history) AS cohort
                  FROM histories CROSS JOIN LATERAL unnest(history) AS entry
            CROSS JOIN LATERAL generate_series(0, 8) AS n
                 WHERE entry >> n & 1 = 1
            )
            SELECT DATE '1970-01-05' + cohort * 7 AS cohort, week - cohort AS week, sum(people)::int AS people
              FROM came
             WHERE cohort >= %(first)s / 7 AND cohort < %(end)s / 7
          GROUP BY 1, 2
          ORDER BY 1, 2
            """,
            {"first": _day(first), "end": _day(end), "until": _day(until)},
        )
        .fetchall()
    )


def _day(at: date) -> int:
    return (at - MONDAY).days


def customers(tx: Tx, zone: str, *, first: datetime, end: datetime, until: datetime) -> list[Returned]:
    """Cohorts by the week of a customer's first order that was paid. Raises TooMuchWork."""
    return _within_time(
        tx,
        """
        WITH weeks AS (
            SELECT customer_id, date_trunc('week', created_at, %(zone)s) AS week
              FROM orders
             WHERE created_at < %(until)s AND paid_at IS NOT NULL
          GROUP BY 1, 2
        ), firsts AS (
            SELECT customer_id, min(week) AS cohort
              FROM weeks
          GROUP BY customer_id
            HAVING min(week) >= %(first)s AND min(week) < %(end)s
        )
        SELECT (cohort AT TIME ZONE %(zone)s)::date AS cohort,
               round(extract(epoch FROM weeks.week - cohort) / 604800)::int AS week, count(*)::int AS people
          FROM firsts JOIN weeks USING (customer_id)
      GROUP BY 1, 2
      ORDER BY 1, 2
        """,
        zone,
        (first, end, until),
    )


def _within_time(tx: Tx, statement: LiteralString, zone: str, bounds: Sequence[datetime]) -> list[Returned]:
    first, end, until = bounds
    values = {"zone": zone, "first": first, "end": end, "until": until}
    try:
        with tx.transaction():
            return tx.cursor(row_factory=class_row(Returned)).execute(statement, values).fetchall()
    except psycopg.errors.QueryCanceled as error:
        raise TooMuchWork("there is too much history for one question; ask by customer, or at another time") from error
