"""SQL of retention: who came or bought first in which week, and in which weeks again. Each person once a week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import psycopg
from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.queries.funnel import TooMuchWork


@dataclass(frozen=True, slots=True)
class Returned:
    """`cohort`: the moment its week begins. `week`: whole weeks later."""

    cohort: datetime
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
        SELECT cohort, round(extract(epoch FROM weeks.week - cohort) / 604800)::int AS week, count(*)::int AS people
          FROM firsts JOIN weeks USING (visitor_id)
      GROUP BY 1, 2
      ORDER BY 1, 2
        """,
        zone,
        (first, end, until),
    )


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
        SELECT cohort, round(extract(epoch FROM weeks.week - cohort) / 604800)::int AS week, count(*)::int AS people
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
