"""SQL of incidents: begun once for each thing, gone on, taken on, over."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.queries.alerts import Watched


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
