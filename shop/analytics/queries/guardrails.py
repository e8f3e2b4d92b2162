"""SQL of guardrails that are shares: time of searches, declined tries to pay, money that went back, by variant."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.queries.readout import SEEN, Asked


@dataclass(frozen=True, slots=True)
class Shares:
    """One guardrail of one variant, over its `n` visitors: what is counted (`total`), what it is a share of (`base`),
    the squares of both and the sum of their products. Milliseconds of searches, tries of tries, money of money in whole
    minor units."""

    variant: int
    metric: str
    n: int
    total: float
    squares: float
    base: float
    base_squares: float
    product: float


SHARES = """, ordered AS (
    SELECT seen.visitor_id, orders.id
      FROM seen
      JOIN orders ON orders.visitor_id = seen.visitor_id AND orders.created_at < seen.until
       AND orders.created_at >= seen.exposed_at
), searched AS (
    SELECT seen.visitor_id, sum(searches.took_ms)::float8 AS y, count(*)::float8 AS x
      FROM seen
      JOIN search_queries AS searches ON searches.visitor_id = seen.visitor_id
       AND searches.searched_at >= seen.exposed_at AND searches.searched_at < seen.until
     -- Known without the visitor, so that older searches are not read.
     WHERE searches.searched_at >= %(start)s
  GROUP BY seen.visitor_id
), tried AS (
    SELECT ordered.visitor_id, (count(*) FILTER (WHERE facts.name = 'payment_failed'))::float8 AS y,
           count(*)::float8 AS x
      FROM ordered
      JOIN order_facts AS facts ON facts.order_id = ordered.id AND facts.name IN ('payment_failed', 'order_paid')
       AND facts.ts < %(as_of)s
  GROUP BY ordered.visitor_id
), returned AS (
    SELECT ordered.visitor_id,
           coalesce(sum(lines.amount_minor) FILTER (WHERE lines.account = 'refunds'), 0)::float8 AS y,
           coalesce(-sum(lines.amount_minor) FILTER (WHERE lines.account IN ('sales', 'shipping')), 0)::float8 AS x
      FROM ordered
      JOIN ledger_entries AS entry ON entry.order_id = ordered.id AND entry.booked_at < %(as_of)s
      JOIN ledger_lines AS lines ON lines.entry_id = entry.id AND lines.currency = %(currency)s
  GROUP BY ordered.visitor_id
)
SELECT seen.variant::int AS variant, measured.metric, count(*)::int AS n, sum(measured.y) AS total,
       sum(measured.y * measured.y) AS squares, sum(measured.x) AS base, sum(measured.x * measured.x) AS base_squares,
       sum(measured.x * measured.y) AS product
  FROM seen
LEFT JOIN searched ON searched.visitor_id = seen.visitor_id
LEFT JOIN tried ON tried.visitor_id = seen.visitor_id
LEFT JOIN returned ON returned.visitor_id = seen.visitor_id
 CROSS JOIN LATERAL (VALUES
       ('search_ms', true, coalesce(searched.y, 0), coalesce(searched.x, 0)),
       ('payment_failures', true, coalesce(tried.y, 0), coalesce(tried.x, 0)),
       ('refund_share', seen.mature, coalesce(returned.y, 0), coalesce(returned.x, 0))
       ) AS measured (metric, counts, y, x)
 WHERE measured.counts AND NOT seen.mixed
 GROUP BY seen.variant, measured.metric
 ORDER BY seen.variant, measured.metric
"""
"""Goes on from SEEN."""


def shares(tx: Tx, asked: Asked) -> list[Shares]:
    """What visitors did after their exposure, within the plan's window and before the phase's end.

    Whoever saw several variants is left out. Searches and tries to pay count as soon as they are made, because waiting
    for the window's end would let harm go on; money that went back counts of mature visitors only. Tries are known to
    `order_facts`, within a minute.
    """
    return (
        tx.cursor(row_factory=class_row(Shares))
        .execute(
            SEEN + SHARES,
            {
                "experiment_id": asked.experiment_id,
                "phase": asked.phase,
                "key": asked.key,
                "start": asked.start,
                "end": asked.end,
                "as_of": asked.as_of,
                "window_days": asked.window_days,
                "settle_days": asked.settle_days,
                "currency": asked.currency,
            },
        )
        .fetchall()
    )
