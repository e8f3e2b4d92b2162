"""SQL of alerts: what each look saw, the incidents, and shares by the hour."""

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


@dataclass(frozen=True, slots=True)
class Incident:
    """`observed`, `expected` and `words` as it began; `worst` and `last_words` since."""

    id: str
    kind: str
    subject: str
    status: str
    observed: float
    expected: float | None
    worst: float
    title: str
    advice: str
    words: str
    last_words: str
    opened_at: datetime
    last_bad_at: datetime
    reopened: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    resolved_at: datetime | None


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


def current(tx: Tx, kind: str) -> list[Incident]:
    """Those that are not over."""
    return (
        tx.cursor(row_factory=class_row(Incident))
        .execute(
            """
            SELECT id, kind, subject, status, observed, expected, worst, title, advice, words, last_words,
                   opened_at, last_bad_at, reopened, acknowledged_at, acknowledged_by, note, resolved_at
              FROM incidents
             WHERE kind = %(kind)s AND resolved_at IS NULL
          ORDER BY id
            """,
            {"kind": kind},
        )
        .fetchall()
    )


def reopen(tx: Tx, row: Watched, *, since: datetime) -> str | None:
    """The newest incident of the same thing that ended after `since` goes on; its id, None if there is none."""
    found = tx.execute(
        """
        UPDATE incidents
           SET status = CASE WHEN acknowledged_at IS NULL THEN 'open' ELSE 'acknowledged' END, resolved_at = NULL,
               reopened = reopened + 1, last_words = %(words)s, last_bad_at = %(at)s
         WHERE id = (SELECT id FROM incidents
                      WHERE kind = %(kind)s AND subject = %(subject)s AND resolved_at > %(since)s
                   ORDER BY resolved_at DESC LIMIT 1)
        RETURNING id
        """,
        {"kind": row.kind, "subject": row.subject, "since": since, "words": row.words, "at": row.looked_at},
    ).fetchone()
    return found[0] if found else None


def begin(tx: Tx, incident_id: str, row: Watched, *, title: str, advice: str) -> None:
    tx.execute(
        """
        INSERT INTO incidents (id, kind, subject, observed, expected, worst, title, advice, words, last_words,
                               opened_at, last_bad_at)
        VALUES (%(id)s, %(kind)s, %(subject)s, %(observed)s, %(expected)s, %(observed)s, %(title)s, %(advice)s,
                %(words)s, %(words)s, %(at)s, %(at)s)
        """,
        {
            "id": incident_id,
            "kind": row.kind,
            "subject": row.subject,
            "observed": row.observed,
            "expected": row.expected,
            "title": title,
            "advice": advice,
            "words": row.words,
            "at": row.looked_at,
        },
    )


def still_bad(tx: Tx, incident_id: str, row: Watched) -> None:
    """Keeps the look, and the observed value if it is further from what is expected than any before."""
    tx.execute(
        """
        UPDATE incidents
           SET last_bad_at = %(at)s, last_words = %(words)s,
               worst = CASE WHEN abs(%(observed)s - coalesce(expected, 0)) > abs(worst - coalesce(expected, 0))
                            THEN %(observed)s ELSE worst END
         WHERE id = %(id)s AND resolved_at IS NULL
        """,
        {"id": incident_id, "at": row.looked_at, "words": row.words, "observed": row.observed},
    )


def resolve(tx: Tx, incident_id: str, *, at: datetime, words: str) -> bool:
    found = tx.execute(
        """
        UPDATE incidents SET status = 'resolved', resolved_at = %(at)s, last_words = %(words)s
         WHERE id = %(id)s AND resolved_at IS NULL
        """,
        {"id": incident_id, "at": at, "words": words},
    )
    return found.rowcount == 1


def incidents(tx: Tx, *, status: str | None, before: str | None, limit: int) -> list[Incident]:
    """Newest first."""
    return (
        tx.cursor(row_factory=class_row(Incident))
        .execute(
            """
            SELECT id, kind, subject, status, observed, expected, worst, title, advice, words, last_words,
                   opened_at, last_bad_at, reopened, acknowledged_at, acknowledged_by, note, resolved_at
              FROM incidents
             WHERE (%(status)s::text IS NULL OR status = %(status)s) AND (%(before)s::text IS NULL OR id < %(before)s)
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"status": status, "before": before, "limit": limit},
        )
        .fetchall()
    )


def going_on(tx: Tx) -> dict[str, int]:
    """How many incidents are open and acknowledged, by kind."""
    rows = tx.execute("SELECT kind, count(*)::int FROM incidents WHERE resolved_at IS NULL GROUP BY kind").fetchall()
    return dict(rows)


def of_day(tx: Tx, *, start: datetime, end: datetime, limit: int) -> list[Incident]:
    """Those that went on at any time in this span, in the order in which they began."""
    return (
        tx.cursor(row_factory=class_row(Incident))
        .execute(
            """
            SELECT id, kind, subject, status, observed, expected, worst, title, advice, words, last_words,
                   opened_at, last_bad_at, reopened, acknowledged_at, acknowledged_by, note, resolved_at
              FROM incidents
             WHERE opened_at < %(end)s AND (resolved_at IS NULL OR resolved_at >= %(start)s)
          ORDER BY opened_at, id
             LIMIT %(limit)s
            """,
            {"start": start, "end": end, "limit": limit},
        )
        .fetchall()
    )


def incident(tx: Tx, incident_id: str) -> Incident | None:
    return (
        tx.cursor(row_factory=class_row(Incident))
        .execute(
            """
            SELECT id, kind, subject, status, observed, expected, worst, title, advice, words, last_words,
                   opened_at, last_bad_at, reopened, acknowledged_at, acknowledged_by, note, resolved_at
              FROM incidents
             WHERE id = %(id)s
            """,
            {"id": incident_id},
        )
        .fetchone()
    )


def acknowledge(tx: Tx, incident_id: str, *, by: str, note: str | None) -> bool:
    """True if it was open. The first one who takes it has it."""
    found = tx.execute(
        """
        UPDATE incidents
           SET status = 'acknowledged', acknowledged_at = now(), acknowledged_by = %(by)s, note = %(note)s
         WHERE id = %(id)s AND status = 'open'
        """,
        {"id": incident_id, "by": by, "note": note},
    )
    return found.rowcount == 1


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
