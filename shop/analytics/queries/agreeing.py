"""SQL of how the ledger agrees: with the orders, with the provider, with its own seals."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period


@dataclass(frozen=True, slots=True)
class Held:
    """What orders say was captured and refunded against what the ledger says, for orders that moved in a period."""

    currency: str
    orders: int
    captured_by_orders: int
    captured_by_ledger: int
    refunded_by_orders: int
    refunded_by_ledger: int


@dataclass(frozen=True, slots=True)
class Unexplained:
    number: str
    currency: str
    captured_by_orders: int
    captured_by_ledger: int
    refunded_by_orders: int
    refunded_by_ledger: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The newest finished comparison with the payment provider."""

    id: str
    finished_at: datetime
    from_at: datetime
    to_at: datetime
    orders: int
    payments: int
    differences: int
    unexplained: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The newest daily seal of books and log. `follows`: it follows from the seal of the day before.

    `faults` is what the newest check of everything found, `checked_at` when; both None before the first one.
    """

    day: date
    facts: int
    entries: int
    digest: str
    follows: bool
    checked_at: datetime | None
    faults: int | None


BOOKED = """
            WITH touched AS (
                SELECT order_id FROM ledger_entries
                 WHERE booked_at >= %(start)s AND booked_at < %(end)s AND order_id IS NOT NULL
                 UNION
                SELECT id FROM orders WHERE paid_at >= %(start)s AND paid_at < %(end)s
            ), booked AS (
                SELECT touched.order_id,
                       coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0) AS captured,
                       coalesce(-sum(amount_minor) FILTER (WHERE kind IN ('refund', 'reversal')), 0) AS refunded
                  FROM touched
             LEFT JOIN ledger_entries AS entry ON entry.order_id = touched.order_id
             LEFT JOIN ledger_lines AS lines ON lines.entry_id = entry.id AND lines.account = 'stripe'
              GROUP BY touched.order_id
            )
"""
"""Both sides of every order that was paid in the period or had anything booked in it."""


def held(tx: Tx, period: Period) -> list[Held]:
    """Both sides for every order that was paid in the period or had anything booked in it."""
    return (
        tx.cursor(row_factory=class_row(Held))
        .execute(
            BOOKED  # noqa: S608 - both parts are literals
            + """
            SELECT orders.currency, count(*)::int AS orders,
                   sum(orders.amount_captured)::bigint AS captured_by_orders,
                   sum(booked.captured)::bigint AS captured_by_ledger,
                   sum(orders.amount_refunded)::bigint AS refunded_by_orders,
                   sum(booked.refunded)::bigint AS refunded_by_ledger
              FROM booked
              JOIN orders ON orders.id = booked.order_id
             WHERE orders.currency IS NOT NULL
          GROUP BY orders.currency
          ORDER BY orders.currency
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchall()
    )


def unexplained(tx: Tx, period: Period, *, limit: int) -> list[Unexplained]:
    """The orders among them whose two sides differ."""
    return (
        tx.cursor(row_factory=class_row(Unexplained))
        .execute(
            BOOKED  # noqa: S608 - both parts are literals
            + """
            SELECT orders.number, coalesce(orders.currency, '') AS currency,
                   orders.amount_captured AS captured_by_orders, booked.captured::bigint AS captured_by_ledger,
                   orders.amount_refunded AS refunded_by_orders, booked.refunded::bigint AS refunded_by_ledger
              FROM booked
              JOIN orders ON orders.id = booked.order_id
             WHERE orders.amount_captured <> booked.captured OR orders.amount_refunded <> booked.refunded
          ORDER BY orders.number
             LIMIT %(limit)s
            """,
            {"start": period.start, "end": period.end, "limit": limit},
        )
        .fetchall()
    )


def newest_comparison(tx: Tx, *, before: datetime) -> Compared | None:
    return (
        tx.cursor(row_factory=class_row(Compared))
        .execute(
            """
            SELECT done.id, done.finished_at, done.from_at, done.to_at, done.orders_checked AS orders,
                   done.payments_checked AS payments, count(found.position)::int AS differences,
                   count(found.position) FILTER (WHERE found.explanation IS NULL)::int AS unexplained
              FROM (SELECT id, finished_at, from_at, to_at, orders_checked, payments_checked
                      FROM reconciliations
                     WHERE state = 'done' AND finished_at < %(before)s
                  ORDER BY finished_at DESC LIMIT 1) AS done
         LEFT JOIN reconciliation_differences AS found ON found.reconciliation_id = done.id
          GROUP BY done.id, done.finished_at, done.from_at, done.to_at, done.orders_checked, done.payments_checked
            """,
            {"before": before},
        )
        .fetchone()
    )


def newest_seal(tx: Tx, *, before: datetime) -> Seal | None:
    return (
        tx.cursor(row_factory=class_row(Seal))
        .execute(
            """
            SELECT seal.day, seal.facts, seal.entries, encode(seal.digest, 'hex') AS digest,
                   seal.digest = ledger_digest_hash(seal)
                   AND seal.prev_digest = coalesce((SELECT digest FROM ledger_digests WHERE day < seal.day
                                                  ORDER BY day DESC LIMIT 1), sha256('backroom')) AS follows,
                   checked.finished_at AS checked_at, jsonb_array_length(checked.faults) AS faults
              FROM (SELECT day FROM ledger_digests WHERE sealed_at < %(before)s ORDER BY day DESC LIMIT 1) AS latest
              JOIN ledger_digests AS seal ON seal.day = latest.day
              LEFT JOIN LATERAL (SELECT finished_at, faults FROM ledger_proofs
                                  WHERE state = 'done' AND finished_at < %(before)s
                               ORDER BY created_at DESC LIMIT 1) AS checked ON true
            """,
            {"before": before},
        )
        .fetchone()
    )
