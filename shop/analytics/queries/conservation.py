"""SQL of how the machinery did: events received against what became of them, and jobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period


@dataclass(frozen=True, slots=True)
class Sums:
    """received = stored + duplicate + conflict + rejected + quarantined; `by_stream` is the part of received that came
    through the stream."""

    received: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    quarantined: int
    by_stream: int


@dataclass(frozen=True, slots=True)
class MinuteSums:
    minute: datetime
    sender: str
    received: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """`gave_up` counts jobs that ended dead or failed, `worst` is the name that did so most often."""

    done: int
    gave_up: int
    worst: str | None
    waiting: int


def sums(tx: Tx, start: datetime, end: datetime) -> Sums:
    found = (
        tx.cursor(row_factory=class_row(Sums))
        .execute(
            """
            SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
                   coalesce(sum(duplicate), 0)::bigint AS duplicate, coalesce(sum(conflict), 0)::bigint AS conflict,
                   coalesce(sum(rejected), 0)::bigint AS rejected,
                   coalesce(sum(quarantined), 0)::bigint AS quarantined,
                   coalesce(sum(received) FILTER (WHERE via = 'stream'), 0)::bigint AS by_stream
              FROM ingest_ledger
             WHERE minute >= %(start)s AND minute < %(end)s
            """,
            {"start": start, "end": end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def minutes(tx: Tx, start: datetime, end: datetime, *, limit: int) -> list[MinuteSums]:
    """The newest minutes first, per kind of sender."""
    return (
        tx.cursor(row_factory=class_row(MinuteSums))
        .execute(
            """
            SELECT minute, sender, sum(received)::bigint AS received, sum(stored)::bigint AS stored,
                   sum(duplicate)::bigint AS duplicate, sum(conflict)::bigint AS conflict,
                   sum(rejected)::bigint AS rejected, sum(quarantined)::bigint AS quarantined
              FROM ingest_ledger
             WHERE minute >= %(start)s AND minute < %(end)s
          GROUP BY minute, sender
          ORDER BY minute DESC, sender
             LIMIT %(limit)s
            """,
            {"start": start, "end": end, "limit": limit},
        )
        .fetchall()
    )


def rejections(tx: Tx, start: datetime, end: datetime) -> Mapping[str, int]:
    rows = tx.execute(
        """
        SELECT code, sum(rejected)::bigint FROM ingest_rejections
         WHERE minute >= %(start)s AND minute < %(end)s
      GROUP BY code ORDER BY code
        """,
        {"start": start, "end": end},
    ).fetchall()
    return {code: count for code, count in rows}  # noqa: C416 - says what the columns are


def open_quarantine(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM quarantined_events WHERE settled_at IS NULL").fetchone()
    return row[0] if row else 0


def jobs(tx: Tx, period: Period) -> Jobs:
    found = (
        tx.cursor(row_factory=class_row(Jobs))
        .execute(
            """
            SELECT count(*) FILTER (WHERE state = 'done')::int AS done,
                   count(*) FILTER (WHERE state IN ('dead', 'failed'))::int AS gave_up,
                   mode() WITHIN GROUP (ORDER BY name) FILTER (WHERE state IN ('dead', 'failed')) AS worst,
                   (SELECT count(*) FROM jobs WHERE state = 'dead')::int AS waiting
              FROM (SELECT state, name FROM jobs
                     WHERE state = 'done' AND finished_at >= %(start)s AND finished_at < %(end)s
                 UNION ALL
                    SELECT state, name FROM jobs
                     WHERE state IN ('dead', 'failed') AND finished_at >= %(start)s AND finished_at < %(end)s) AS ended
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def orders_since(tx: Tx, since: datetime) -> tuple[int, int]:
    """Placed and paid."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM orders WHERE created_at >= %(since)s)::int,
               (SELECT count(*) FROM orders WHERE paid_at >= %(since)s)::int
        """,
        {"since": since},
    ).fetchone()
    assert row is not None, "two counts are one row"
    return row[0], row[1]
