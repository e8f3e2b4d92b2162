"""SQL of experiment results: visitors by variant, and what they ordered since, by the ledger."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Outcome:
    """One variant. `exposed` counts everybody, `mixed` those who saw another variant too; the sums and sums of squares
    are over the rest. Money in whole minor units of the shop's currency, net of tax and refunds."""

    variant: int
    exposed: int
    mixed: int
    n: int
    buyers: int
    orders: int
    orders_squares: int
    net: int
    net_squares: float
    refunded: int
    refunded_squares: float
    other_currency_orders: int


OUTCOMES = """
WITH told AS (
    SELECT visitor_id, min(props ->> 'variant') AS variant,
           count(DISTINCT props ->> 'variant') > 1 AS several
      FROM events
     WHERE name = 'experiment_seen' AND ts >= %(start)s AND ts < %(end)s
       AND props ->> 'experiment' = %(key)s AND props ->> 'variant' IS NOT NULL
  GROUP BY visitor_id
), seen AS (
    SELECT now.visitor_id, now.variant, now.exposed_at,
           now.mixed
           OR coalesce(told.several OR told.variant <> experiments.variants[now.variant + 1], false)
           OR EXISTS (SELECT 1 FROM exposures AS earlier
                       WHERE earlier.experiment_id = now.experiment_id AND earlier.phase < now.phase
                         AND earlier.visitor_id = now.visitor_id
                         AND earlier.variant <> now.variant) AS mixed
      FROM exposures AS now
      JOIN experiments ON experiments.id = now.experiment_id
 LEFT JOIN told ON told.visitor_id = now.visitor_id
     WHERE now.experiment_id = %(experiment_id)s AND now.phase = %(phase)s
), bought AS (
    SELECT seen.visitor_id, orders.id, orders.currency
      FROM seen
      JOIN orders ON orders.visitor_id = seen.visitor_id AND orders.created_at >= seen.exposed_at
     WHERE orders.created_at >= %(start)s AND orders.created_at < %(end)s AND orders.paid_at IS NOT NULL
), worth AS (
    SELECT bought.visitor_id, bought.id, bought.currency = %(currency)s AS counted,
           coalesce(-sum(lines.amount_minor)
               FILTER (WHERE lines.account IN ('sales', 'shipping', 'refunds')), 0) AS net,
           coalesce(sum(lines.amount_minor) FILTER (WHERE lines.account = 'refunds'), 0) AS refunded
      FROM bought
 LEFT JOIN ledger_entries AS entry ON entry.order_id = bought.id
 LEFT JOIN ledger_lines AS lines ON lines.entry_id = entry.id AND lines.currency = %(currency)s
  GROUP BY bought.visitor_id, bought.id, bought.currency
), visitors AS (
    SELECT seen.variant, seen.mixed, count(worth.id) AS orders, coalesce(sum(worth.net), 0) AS net,
           coalesce(sum(worth.refunded), 0) AS refunded,
           count(worth.id) FILTER (WHERE NOT worth.counted) AS others
      FROM seen
 LEFT JOIN worth ON worth.visitor_id = seen.visitor_id
  GROUP BY seen.visitor_id, seen.variant, seen.mixed
)
SELECT variant::int AS variant, count(*)::int AS exposed, count(*) FILTER (WHERE mixed)::int AS mixed,
       count(*) FILTER (WHERE NOT mixed)::int AS n,
       count(*) FILTER (WHERE NOT mixed AND orders > 0)::int AS buyers,
       coalesce(sum(orders) FILTER (WHERE NOT mixed), 0)::bigint AS orders,
       coalesce(sum(orders * orders) FILTER (WHERE NOT mixed), 0)::bigint AS orders_squares,
       coalesce(sum(net) FILTER (WHERE NOT mixed), 0)::bigint AS net,
       coalesce(sum(net * net) FILTER (WHERE NOT mixed), 0)::float8 AS net_squares,
       coalesce(sum(refunded) FILTER (WHERE NOT mixed), 0)::bigint AS refunded,
       coalesce(sum(refunded * refunded) FILTER (WHERE NOT mixed), 0)::float8 AS refunded_squares,
       coalesce(sum(others) FILTER (WHERE NOT mixed), 0)::int AS other_currency_orders
  FROM visitors GROUP BY variant ORDER BY variant
"""


def outcomes(
    tx: Tx, experiment_id: str, phase: int, key: str, *, start: datetime, end: datetime, currency: str
) -> list[Outcome]:
    """Orders that were placed after the exposure and before `end`, and are paid; everything booked about them by now.

    A visitor is mixed who was recorded with, or reported by a page (`experiment_seen` with `props.experiment` and
    `props.variant`), another variant in this phase, or had another one in an earlier phase.
    """
    return (
        tx.cursor(row_factory=class_row(Outcome))
        .execute(
            OUTCOMES,
            {
                "experiment_id": experiment_id,
                "phase": phase,
                "key": key,
                "start": start,
                "end": end,
                "currency": currency,
            },
        )
        .fetchall()
    )
