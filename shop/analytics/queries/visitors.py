"""SQL of how many visitors came, each once: from the masks of days, or from the events where these are not complete."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import day_in
from shop.analytics.queries.retention import MONDAY


@dataclass(frozen=True, slots=True)
class DayVisitors:
    """Machines are left out. `day` None: the whole range, in which a visitor counts once, too."""

    day: date | None
    visitors: int


def by_days(tx: Tx, *, first: date, last: date) -> list[DayVisitors]:
    """The range, then its days on which anybody came. Visitors with the same days are counted together."""
    return (
        tx.cursor(row_factory=class_row(DayVisitors))
        .execute(
            """
            WITH here AS (
                SELECT visitor, era,
                       days & CASE WHEN era = %(first)s / 63 THEN -1::bigint << (%(first)s %% 63) ELSE -1 END
                       & CASE WHEN era = %(last)s / 63 THEN ~(-1::bigint << (%(last)s %% 63 + 1)) ELSE -1 END AS days
                  FROM visitor_days
                 WHERE era BETWEEN %(first)s / 63 AND %(last)s / 63
            ), alike AS (
                SELECT era, days, count(*) AS visitors FROM here WHERE days <> 0 GROUP BY era, days
            )
            SELECT NULL::date AS day, count(DISTINCT visitor)::int AS visitors FROM here WHERE days <> 0
         UNION ALL
            SELECT DATE '1970-01-05' + era * 63 + bit, sum(visitors)::int
              FROM alike CROSS JOIN generate_series(0, 62) AS bit
             WHERE days >> bit & 1 = 1
          GROUP BY 1
          ORDER BY day NULLS FIRST
            """,
            {"first": (first - MONDAY).days, "last": (last - MONDAY).days},
        )
        .fetchall()
    )


def by_events(tx: Tx, zone: ZoneInfo, *, first: date, last: date) -> list[DayVisitors]:
    """The same, counted anew."""
    start: datetime = day_in(zone, first).start
    return (
        tx.cursor(row_factory=class_row(DayVisitors))
        .execute(
            """
            SELECT day, count(DISTINCT visitor)::int AS visitors
              FROM (SELECT hashtextextended(visitor_id, 0) AS visitor, (ts AT TIME ZONE %(zone)s)::date AS day
                      FROM events
                     WHERE ts >= %(start)s AND ts < %(end)s AND bot_score < 50 AND source <> 'order') AS came
          GROUP BY GROUPING SETS ((), (day))
          ORDER BY day NULLS FIRST
            """,
            {"zone": zone.key, "start": start, "end": day_in(zone, last).end},
        )
        .fetchall()
    )
