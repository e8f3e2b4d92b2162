"""SQL of experiment results: visitors by variant, what they ordered before and since, by the ledger."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose orders are read, and how: the phase with its end (None while it runs) and what the plan settled."""

    experiment_id: str
    phase: int
    key: str
    start: datetime
    end: datetime | None
    as_of: datetime
    window_days: int
    settle_days: int
    cap_minor: int | None
    before_days: int
    currency: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One metric of one variant.

    `exposed` counts everybody, `mixed` those who saw another variant too, `maturing` of the others those whose time is
    not over, `n` the rest, which all other figures are over. `total` and `squares` are of the metric, `before` and
    `before_squares` of the same metric in the days before the exposure, `product` of both. Money in whole minor units
    of the shop's currency, net of tax and refunds; `net` is uncut, `capped` counts the visitors who were cut off.
    """

    variant: int
    metric: str
    exposed: int
    mixed: int
    maturing: int
    n: int
    total: float
    squares: float
    before: float
    before_squares: float
    product: float
    net: int
    capped: int
    other_currency_orders: int


SEEN = """
WITH told AS (
    SELECT visitor_id, min(props ->> 'variant') AS variant,
           count(DISTINCT props ->> 'variant') > 1 AS several
      FROM events
     WHERE name = 'experiment_seen' AND ts >= %(start)s AND ts < coalesce(%(end)s, %(as_of)s)
       AND props ->> 'experiment' = %(key)s AND props ->> 'variant' IS NOT NULL
  GROUP BY visitor_id
), seen AS (
    SELECT now.visitor_id, now.variant, now.exposed_at,
           least(coalesce(%(end)s, %(as_of)s),
                 CASE WHEN %(window_days)s > 0 THEN now.exposed_at + make_interval(days => %(window_days)s) END)
               AS until,
           %(window_days)s = 0
           OR least(%(end)s, now.exposed_at + make_interval(days => %(window_days)s))
              + make_interval(days => %(settle_days)s) <= %(as_of)s AS mature,
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
)"""
"""Visitors of the phase as `seen`, for statements to go on with: who counts how long, who is mature, who is mixed."""

OUTCOMES = """, bought AS (
    SELECT seen.visitor_id, seen.exposed_at, orders.id, orders.currency, orders.created_at < seen.exposed_at AS before
      FROM seen
      JOIN orders ON orders.visitor_id = seen.visitor_id AND orders.created_at < seen.until
       AND orders.created_at >= seen.exposed_at - make_interval(days => %(before_days)s)
     WHERE orders.paid_at < CASE WHEN orders.created_at < seen.exposed_at THEN seen.exposed_at ELSE %(as_of)s END
), worth AS (
    SELECT bought.visitor_id, bought.id, bought.before, bought.currency = %(currency)s AS counted,
           coalesce(-sum(lines.amount_minor)
               FILTER (WHERE lines.account IN ('sales', 'shipping', 'refunds')), 0) AS net,
           coalesce(sum(lines.amount_minor) FILTER (WHERE lines.account = 'refunds'), 0) AS refunded
      FROM bought
 LEFT JOIN ledger_entries AS entry ON entry.order_id = bought.id
       AND entry.booked_at < CASE WHEN bought.before THEN bought.exposed_at ELSE %(as_of)s END
 LEFT JOIN ledger_lines AS lines ON lines.entry_id = entry.id AND lines.currency = %(currency)s
  GROUP BY bought.visitor_id, bought.id, bought.before, bought.currency
), units AS (
    SELECT lines.order_id, sum(lines.quantity) AS units
      FROM order_lines AS lines JOIN bought ON bought.id = lines.order_id
  GROUP BY lines.order_id
), visitors AS (
    SELECT seen.variant, seen.mixed, seen.mature, seen.mature AND NOT seen.mixed AS counts,
           count(worth.id) FILTER (WHERE NOT before) AS orders, count(worth.id) FILTER (WHERE before) AS orders_before,
           coalesce(sum(worth.net) FILTER (WHERE NOT before), 0) AS net,
           coalesce(sum(worth.net) FILTER (WHERE before), 0) AS net_before,
           coalesce(sum(worth.refunded) FILTER (WHERE NOT before), 0) AS refunded,
           coalesce(sum(worth.refunded) FILTER (WHERE before), 0) AS refunded_before,
           coalesce(sum(units.units) FILTER (WHERE NOT before), 0) AS units,
           coalesce(sum(units.units) FILTER (WHERE before), 0) AS units_before,
           count(worth.id) FILTER (WHERE NOT before AND NOT worth.counted) AS others
      FROM seen
 LEFT JOIN worth ON worth.visitor_id = seen.visitor_id
 LEFT JOIN units ON units.order_id = worth.id
  GROUP BY seen.visitor_id, seen.variant, seen.mixed, seen.mature
)
SELECT variant::int AS variant, measured.metric, count(*)::int AS exposed, count(*) FILTER (WHERE mixed)::int AS mixed,
       count(*) FILTER (WHERE NOT mixed AND NOT mature)::int AS maturing, count(*) FILTER (WHERE counts)::int AS n,
       coalesce(sum(measured.y) FILTER (WHERE counts), 0) AS total,
       coalesce(sum(measured.y * measured.y) FILTER (WHERE counts), 0) AS squares,
       coalesce(sum(measured.x) FILTER (WHERE counts), 0) AS before,
       coalesce(sum(measured.x * measured.x) FILTER (WHERE counts), 0) AS before_squares,
       coalesce(sum(measured.x * measured.y) FILTER (WHERE counts), 0) AS product,
       coalesce(sum(net) FILTER (WHERE counts), 0)::bigint AS net,
       count(*) FILTER (WHERE counts AND net > %(cap_minor)s::bigint)::int AS capped,
       coalesce(sum(others) FILTER (WHERE counts), 0)::int AS other_currency_orders
  FROM visitors
 CROSS JOIN LATERAL (VALUES
       ('conversion', (orders > 0)::int::float8, (orders_before > 0)::int::float8),
       ('net_revenue', least(net, %(cap_minor)s::bigint)::float8, least(net_before, %(cap_minor)s::bigint)::float8),
       ('orders', orders::float8, orders_before::float8),
       ('units', units::float8, units_before::float8),
       ('refunds', refunded::float8, refunded_before::float8)
       ) AS measured (metric, y, x)
 GROUP BY variant, measured.metric
 ORDER BY variant, measured.metric
"""
"""Goes on from SEEN."""


def outcomes(tx: Tx, asked: Asked) -> list[Outcome]:
    """Orders that were placed after the exposure, within the plan's window and before the phase's end, and are paid;
    everything booked about them before `as_of`.

    A visitor is mixed who was recorded with, or reported by a page (`experiment_seen` with `props.experiment` and
    `props.variant`), another variant in this phase, or had another one in an earlier phase. A visitor matures when the
    window and the days for refunds are over; a phase's end is the end of all its windows, the same for all variants.
    What is read of the days before the exposure is what was known by then, so that no variant can have touched it.
    """
    return (
        tx.cursor(row_factory=class_row(Outcome))
        .execute(
            SEEN + OUTCOMES,
            {
                "experiment_id": asked.experiment_id,
                "phase": asked.phase,
                "key": asked.key,
                "start": asked.start,
                "end": asked.end,
                "as_of": asked.as_of,
                "window_days": asked.window_days,
                "settle_days": asked.settle_days,
                "cap_minor": asked.cap_minor,
                "before_days": asked.before_days,
                "currency": asked.currency,
            },
        )
        .fetchall()
    )


def noted(tx: Tx, experiment_id: str, phase: int, *, limit: int) -> list[tuple[str, int]]:
    """Visitors with the variants they were noted with, in the order of their ids."""
    return tx.execute(
        """
        SELECT visitor_id, variant::int FROM exposures
         WHERE experiment_id = %(experiment_id)s AND phase = %(phase)s
      ORDER BY visitor_id
         LIMIT %(limit)s
        """,
        {"experiment_id": experiment_id, "phase": phase, "limit": limit},
    ).fetchall()
