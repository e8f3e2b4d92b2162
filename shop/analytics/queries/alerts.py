"""SQL of alerts: what each look saw, and shares by the hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Watched:
    """The last look at one thing. `bad_looks` and `calm_looks` count those in a row."""

    kind: str
    subject: str
    verdict: str
    observed: float
    expected: float | None
    words: str
    bad_looks: int
    calm_looks: int
    looked_at: datetime


def lock_looks(tx: Tx) -> bool:
    """True for the one who may look now; two at once would count the same look twice."""
    row = tx.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('analytics.watch', 0))").fetchone()
    return bool(row and row[0])


def watched(tx: Tx, kind: str | None) -> list[Watched]:
    """Of one kind, or all."""
    return (
        tx.cursor(row_factory=class_row(Watched))
        .execute(
            """
            SELECT kind, subject, verdict, observed, expected, words, bad_looks, calm_looks, looked_at
              FROM alert_watches
             WHERE %(kind)s::text IS NULL OR kind = %(kind)s
          ORDER BY kind, subject
            """,
            {"kind": kind},
        )
        .fetchall()
    )


def keep_watched(tx: Tx, row: Watched) -> None:
    tx.execute(
        """
        INSERT INTO alert_watches (kind, subject, verdict, observed, expected, words, bad_looks, calm_looks, looked_at)
        VALUES (%(kind)s, %(subject)s, %(verdict)s, %(observed)s, %(expected)s, %(words)s, %(bad_looks)s,
                %(calm_looks)s, %(looked_at)s)
            ON CONFLICT (kind, subject) DO UPDATE
           SET verdict = EXCLUDED.verdict, observed = EXCLUDED.observed, expected = EXCLUDED.expected,
               words = EXCLUDED.words, bad_looks = EXCLUDED.bad_looks, calm_looks = EXCLUDED.calm_looks,
               looked_at = EXCLUDED.looked_at
        """,
        {
            "kind": row.kind,
            "subject": row.subject,
            "verdict": row.verdict,
            "observed": row.observed,
            "expected": row.expected,
            "words": row.words,
            "bad_looks": row.bad_looks,
            "calm_looks": row.calm_looks,
            "looked_at": row.looked_at,
        },
    )


def forget_watched(tx: Tx, kind: str, subject: str) -> None:
    """What is not watched any more: an experiment that was stopped."""
    tx.execute(
        "DELETE FROM alert_watches WHERE kind = %(kind)s AND subject = %(subject)s", {"kind": kind, "subject": subject}
    )


def delete_hours(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM alert_hours
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM alert_hours WHERE hour < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def last_hour(tx: Tx, kind: str) -> datetime | None:
    row = tx.execute("SELECT max(hour) FROM alert_hours WHERE kind = %(kind)s", {"kind": kind}).fetchone()
    return row[0] if row else None


def share(tx: Tx, kind: str, *, start: datetime, end: datetime) -> tuple[int, int]:
    """Hits and tries of the hours that begin in this span."""
    row = tx.execute(
        """
        SELECT coalesce(sum(hits), 0)::bigint, coalesce(sum(tries), 0)::bigint
          FROM alert_hours
         WHERE kind = %(kind)s AND hour >= %(start)s AND hour < %(end)s
        """,
        {"kind": kind, "start": start, "end": end},
    ).fetchone()
    assert row is not None, "an aggregate has one row"
    return row[0], row[1]


def daily_shares(tx: Tx, kind: str, *, end: datetime, span: timedelta, least: int) -> list[float]:
    """The share of each of the days (24 hours) before `end` in which there were at least so many tries."""
    rows = tx.execute(
        """
        SELECT sum(hits)::float8 / sum(tries)
          FROM alert_hours
         WHERE kind = %(kind)s AND hour >= %(end)s - %(span)s AND hour < %(end)s
      GROUP BY floor(extract(epoch FROM %(end)s - hour - interval '1 second') / 86400)
        HAVING sum(tries) >= %(least)s
        """,
        {"kind": kind, "end": end, "span": span, "least": least},
    ).fetchall()
    return [share for (share,) in rows]
