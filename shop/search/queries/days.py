"""Searches counted by day: which days are, what is to be counted anew, and counting one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from db.database import Tx

DAYS_LOCK = 7_305_007
"""The advisory lock of whoever counts days; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A day that is counted, for the time zone it is a day of."""

    day: date
    zone: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A day, or several that follow each other: from `start` to before `end`. `day`: the first."""

    day: date
    start: datetime
    end: datetime


def lock(tx: Tx) -> None:
    """One counter at a time, until the transaction ends."""
    tx.execute("SELECT set_config('statement_timeout', '300s', true), set_config('lock_timeout', '60s', true)")
    tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", {"key": DAYS_LOCK})


def counted(tx: Tx) -> list[Counted]:
    return (
        tx.cursor(row_factory=class_row(Counted))
        .execute("SELECT day, zone, closed_at IS NOT NULL AS closed FROM search_days ORDER BY day")
        .fetchall()
    )


def touched(tx: Tx, *, orders_since: datetime | None) -> list[datetime]:
    """Quarters of hours whose days are no longer true: noted ones, and those of searches whose orders changed."""
    rows = tx.execute(
        """
        SELECT at FROM search_touched
         UNION
        SELECT date_bin('15 minutes', o.searched_at, 'epoch'::timestamptz)
          FROM orders
          JOIN search_outcomes o ON o.order_id = orders.id
         WHERE orders.updated_at >= coalesce(%(since)s::timestamptz, 'infinity')
        """,
        {"since": orders_since},
    ).fetchall()
    return [row[0] for row in rows]


def first_search(tx: Tx) -> datetime | None:
    row = tx.execute("SELECT min(searched_at) FROM search_queries").fetchone()
    return row[0] if row else None


def touch(tx: Tx, moment: datetime) -> None:
    tx.execute("INSERT INTO search_touched (at) VALUES (%(moment)s)", {"moment": moment})


def touch_orders(tx: Tx, *, since: datetime) -> None:
    """The searches whose orders changed since then."""
    tx.execute(
        """
        INSERT INTO search_touched (at)
        SELECT DISTINCT date_bin('15 minutes', o.searched_at, 'epoch'::timestamptz)
          FROM orders
          JOIN search_outcomes o ON o.order_id = orders.id
         WHERE orders.updated_at >= %(since)s
        """,
        {"since": since},
    )


def take_touches(tx: Tx, *, start: datetime, end: datetime) -> None:
    """Before the day is counted, in the same transaction: what comes after is noted anew."""
    tx.execute("DELETE FROM search_touched WHERE at >= %(start)s AND at < %(end)s", {"start": start, "end": end})


def texts_of(tx: Tx, day: date) -> list[int]:
    """The numbers of the words that a day has."""
    rows = tx.execute("SELECT text_id FROM search_day_queries WHERE day = %(day)s", {"day": day}).fetchall()
    return [row[0] for row in rows]


def forget_texts(tx: Tx, ids: Sequence[int]) -> None:
    """Those of these words that no day has any more."""
    tx.execute(
        """
        DELETE FROM search_texts t
         WHERE t.id = ANY(%(ids)s) AND NOT EXISTS (SELECT 1 FROM search_day_queries q WHERE q.text_id = t.id)
        """,
        {"ids": list(ids)},
    )
