"""SQL of attribution: the net of each order from the ledger, divided among visits to the last cent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from psycopg import sql

from db.database import Tx
from shop.analytics.queries.funnel import within_time

Model = Literal["first", "last", "linear"]
By = Literal["channel", "campaign"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Orders placed from `start` to `end` (excluded), with what was booked before `as_of`."""

    start: datetime
    end: datetime
    as_of: datetime
    lookback: timedelta
    model: Model
    by: By
    skip_direct: bool


@dataclass(frozen=True, slots=True)
class Credited:
    """`whole` is the sum of a currency. `visited`: of orders before which a visit is known, by its channel or campaign
    (`value`, None where a visit names none). With `linear` an order may be in several rows. `net`: whole minor units,
    without tax, after refunds."""

    whole: bool
    visited: bool
    value: str | None
    currency: str
    orders: int
    net: int


def credited(tx: Tx, asked: Asked, *, timeout_ms: int) -> list[Credited]:
    """Largest net first. Raises TooMuchWork."""
    values = {
        "start": asked.start,
        "end": asked.end,
        "as_of": asked.as_of,
        "lookback": asked.lookback,
        "model": asked.model,
        "by": asked.by,
        "skip_direct": asked.skip_direct,
    }
    return within_time(tx, CREDITED, values, Credited, timeout_ms=timeout_ms)


CREDITED = sql.SQL("""
    WITH worth AS (
        SELECT orders.id, orders.visitor_id, orders.customer_id, orders.created_at, lines.currency,
               (-sum(lines.amount_minor))::bigint AS net
          FROM orders
          JOIN ledger_entries AS entry ON entry.order_id = orders.id AND entry.booked_at < %(as_of)s
          JOIN ledger_lines AS lines ON lines.entry_id = entry.id
         WHERE orders.created_at >= %(start)s AND orders.created_at < %(end)s
           AND lines.account IN ('sales', 'shipping', 'refunds')
      GROUP BY orders.id, lines.currency
    ), browsers AS (
        SELECT id, visitor_id FROM worth WHERE visitor_id IS NOT NULL
         UNION
        SELECT worth.id, link.visitor_id
          FROM worth
          JOIN identity_links AS link ON link.user_id = worth.customer_id AND NOT link.undone
         WHERE NOT EXISTS (SELECT 1 FROM identity_links AS other
                            WHERE other.visitor_id = link.visitor_id AND other.user_id <> link.user_id
                              AND NOT other.undone)
    ), visits AS (
        SELECT worth.id, worth.currency, visit.started_at, visit.id AS visit_id,
               CASE %(by)s WHEN 'channel' THEN visit.channel ELSE visit.campaign END AS value,
               visit.channel = 'direct' AND %(skip_direct)s AS direct
          FROM worth
          JOIN browsers ON browsers.id = worth.id
          JOIN sessions AS visit ON visit.visitor_id = browsers.visitor_id AND visit.bot_score < 50
                                AND visit.started_at <= worth.created_at
                                AND visit.started_at > worth.created_at - %(lookback)s
    ), counting AS (
        SELECT id, currency, value, started_at, visit_id, direct,
               bool_and(coalesce(direct, false)) OVER (PARTITION BY id, currency) AS all_direct
          FROM visits
    ), numbered AS (
        SELECT id, currency, value,
               row_number() OVER (PARTITION BY id, currency ORDER BY started_at, visit_id) AS place,
               count(*) OVER (PARTITION BY id, currency) AS visits
          FROM counting
         WHERE all_direct OR direct IS NOT TRUE
    ), parts AS (
        SELECT worth.id, worth.currency, numbered.id IS NOT NULL AS visited, numbered.value,
               CASE WHEN numbered.id IS NULL OR %(model)s <> 'linear' THEN net
                    -- Division cuts towards zero, and what is left over has the sign of the whole.
                    ELSE net / visits
                         + CASE WHEN place <= abs(net %% visits) THEN sign(net)::bigint ELSE 0 END
                END AS net
          FROM worth
     LEFT JOIN numbered ON numbered.id = worth.id AND numbered.currency = worth.currency
         WHERE numbered.id IS NULL OR %(model)s = 'linear'
            OR (%(model)s = 'first' AND place = 1) OR (%(model)s = 'last' AND place = visits)
    )
    SELECT grouping(value) = 1 AS whole, coalesce(visited, false) AS visited, value, currency,
           count(DISTINCT id)::int AS orders, sum(net)::bigint AS net
      FROM parts
  GROUP BY GROUPING SETS ((visited, value, currency), (currency))
  ORDER BY visited DESC, currency, net DESC, value
""")
