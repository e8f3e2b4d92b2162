"""SQL of what alerts look at: counts of single hours, shares by hour, and what should not be there at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Hour:
    """What there was in one span of an hour. `squares`: the sum of the squares of what was added up."""

    place: int
    subject: str
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class Split:
    """How many visitors of a running experiment saw each variant."""

    key: str
    weights: list[float]
    exposed: list[int]


def orders(tx: Tx, starts: Sequence[datetime]) -> list[Hour]:
    """Orders placed in the hours from these moments; hours before the first order of the shop have no row."""
    return (
        tx.cursor(row_factory=class_row(Hour))
        .execute(
            """
            SELECT hours.place::int, '' AS subject, count(orders.id)::float8 AS total,
                   count(orders.id)::float8 AS squares
              FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS hours (start, place)
         LEFT JOIN orders ON orders.created_at >= hours.start AND orders.created_at < hours.start + interval '1 hour'
                         AND orders.status NOT IN ('placing', 'rejected')
             WHERE hours.start >= (SELECT min(created_at) FROM orders)
          GROUP BY hours.place
          ORDER BY hours.place
            """,
            {"starts": list(starts)},
        )
        .fetchall()
    )


def sales(tx: Tx, starts: Sequence[datetime]) -> list[Hour]:
    """Sales booked in those hours by currency, tax included, in whole minor units."""
    return (
        tx.cursor(row_factory=class_row(Hour))
        .execute(
            """
            WITH hours AS (
                SELECT place, start
                  FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS hour (start, place)
                 WHERE start >= (SELECT min(booked_at) FROM ledger_entries)
            ), sold AS (
                SELECT hours.place, lines.currency, -sum(lines.amount_minor)::float8 AS amount
                  FROM hours
                  JOIN ledger_entries AS entry ON entry.booked_at >= hours.start
                                              AND entry.booked_at < hours.start + interval '1 hour'
                                              AND entry.kind = 'sale'
                  JOIN ledger_lines AS lines ON lines.entry_id = entry.id
                 WHERE lines.account IN ('sales', 'shipping', 'tax')
              GROUP BY hours.place, lines.currency, entry.id
            ), sums AS (
                SELECT place, currency, sum(amount) AS total, sum(amount * amount) AS squares
                  FROM sold GROUP BY place, currency
            )
            SELECT hours.place::int, traded.currency AS subject, coalesce(sums.total, 0) AS total,
                   coalesce(sums.squares, 0) AS squares
              FROM hours
        CROSS JOIN (SELECT DISTINCT currency FROM sums) AS traded
         LEFT JOIN sums ON sums.place = hours.place AND sums.currency = traded.currency
          ORDER BY traded.currency, hours.place
            """,
            {"starts": list(starts)},
        )
        .fetchall()
    )


def events(tx: Tx, starts: Sequence[datetime]) -> list[Hour]:
    """Events received and stored in those hours, machines and people alike."""
    return (
        tx.cursor(row_factory=class_row(Hour))
        .execute(
            """
            SELECT hours.place::int, '' AS subject, coalesce(sum(kept.stored), 0)::float8 AS total,
                   coalesce(sum(kept.stored), 0)::float8 AS squares
              FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS hours (start, place)
         LEFT JOIN ingest_ledger AS kept ON kept.minute >= hours.start
                                        AND kept.minute < hours.start + interval '1 hour'
             WHERE hours.start >= (SELECT min(minute) FROM ingest_ledger)
          GROUP BY hours.place
          ORDER BY hours.place
            """,
            {"starts": list(starts)},
        )
        .fetchall()
    )


def count_refused_payments(tx: Tx, *, since: datetime) -> None:
    """By hour: tries to pay that were refused, of all tries."""
    tx.execute(
        """
        INSERT INTO alert_hours (kind, hour, hits, tries)
        SELECT 'payment_failures', hour, coalesce(sum(events) FILTER (WHERE name = 'payment_failed'), 0), sum(events)
          FROM event_hours
         WHERE hour >= date_trunc('hour', %(since)s) AND name IN ('payment_failed', 'order_paid')
      GROUP BY hour
        HAVING sum(events) > 0
            ON CONFLICT (kind, hour) DO UPDATE SET hits = EXCLUDED.hits, tries = EXCLUDED.tries
        """,
        {"since": since},
    )


def count_empty_searches(tx: Tx, *, since: datetime) -> None:
    """By hour: searches that found nothing, of all searches."""
    tx.execute(
        """
        INSERT INTO alert_hours (kind, hour, hits, tries)
        SELECT 'empty_searches', date_trunc('hour', searched_at), count(*) FILTER (WHERE total = 0), count(*)
          FROM search_queries
         WHERE searched_at >= date_trunc('hour', %(since)s)
      GROUP BY 2
            ON CONFLICT (kind, hour) DO UPDATE SET hits = EXCLUDED.hits, tries = EXCLUDED.tries
        """,
        {"since": since},
    )


def count_untracked_orders(tx: Tx, *, since: datetime) -> None:
    """By hour of the order: paid orders whose pages sent no event in the day before, of all paid orders."""
    tx.execute(
        """
        INSERT INTO alert_hours (kind, hour, hits, tries)
        SELECT 'tracking_loss', date_trunc('hour', orders.created_at),
               count(*) FILTER (WHERE NOT EXISTS (
                   SELECT 1 FROM events
                    WHERE events.visitor_id = orders.visitor_id AND events.source IN ('web', 'app')
                      AND events.ts >= orders.created_at - interval '1 day'
                      AND events.ts < orders.created_at + interval '1 hour')), count(*)
          FROM orders
         WHERE orders.created_at >= date_trunc('hour', %(since)s) AND orders.paid_at IS NOT NULL
      GROUP BY 2
            ON CONFLICT (kind, hour) DO UPDATE SET hits = EXCLUDED.hits, tries = EXCLUDED.tries
        """,
        {"since": since},
    )


def lag_s(tx: Tx, *, since: datetime) -> float | None:
    """How long nine of ten events that were stored since then had waited, in seconds; None if there were none."""
    row = tx.execute(
        """
        SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM loaded_at - received_at))::float8
          FROM events
         WHERE loaded_at >= %(since)s AND source <> 'order'
        """,
        {"since": since},
    ).fetchone()
    return row[0] if row else None


def last_stored(tx: Tx) -> datetime | None:
    row = tx.execute("SELECT max(loaded_at) FROM event_batches").fetchone()
    return row[0] if row else None


def dead_jobs(tx: Tx) -> list[tuple[str, int]]:
    """Names of jobs that gave up and wait for a person, most first."""
    return tx.execute(
        """
        SELECT name, count(*)::int FROM jobs
         WHERE state = 'dead'
      GROUP BY name ORDER BY 2 DESC, 1
        """
    ).fetchall()


def different_sums(tx: Tx) -> list[tuple[str, int, int]]:
    """Of each sum that a nightly check found different and nobody has put right: days, and by how much in all."""
    return tx.execute(
        """
        SELECT rollup, count(*)::int, sum(off_by)::bigint FROM rollup_differences
         WHERE settled_at IS NULL
      GROUP BY rollup ORDER BY rollup
        """
    ).fetchall()


def splits(tx: Tx) -> list[Split]:
    """Of every running experiment's current phase."""
    return (
        tx.cursor(row_factory=class_row(Split))
        .execute(
            """
            SELECT experiment.key, phase.weights,
                   ARRAY(SELECT count(seen.visitor_id)::int
                           FROM generate_series(0, cardinality(phase.weights) - 1) AS place
                      LEFT JOIN exposures AS seen ON seen.experiment_id = experiment.id
                                                 AND seen.phase = phase.phase AND seen.variant = place
                       GROUP BY place ORDER BY place) AS exposed
              FROM experiments AS experiment
              JOIN experiment_phases AS phase ON phase.experiment_id = experiment.id
                                             AND phase.phase = experiment.phase
             WHERE experiment.status = 'running'
          ORDER BY experiment.key
            """
        )
        .fetchall()
    )


def guarded(tx: Tx) -> list[str]:
    """Keys of running experiments that have guardrails."""
    rows = tx.execute(
        "SELECT key FROM experiments WHERE status = 'running' AND cardinality(guardrails) > 0 ORDER BY key"
    ).fetchall()
    return [key for (key,) in rows]
