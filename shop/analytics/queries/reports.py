"""SQL of reports: asked for, frozen, drawn, mailed. A snapshot is written once and never again."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class ReportRow:
    """`as_of`, `final` and `sha256` are None until it is made; `final` says whether its day was over by then."""

    id: str
    kind: str
    day: date
    version: int
    asked_by: str | None
    as_of: datetime | None
    final: bool | None
    sha256: str | None
    drawn_at: datetime | None
    mailed_at: datetime | None
    created_at: datetime

    @property
    def state(self) -> str:
        return "making" if self.drawn_at is None else "done"


@dataclass(frozen=True, slots=True)
class Files:
    snapshot: dict[str, Any]
    pdf: bytes | None
    csv: bytes | None


def lock_day(tx: Tx, kind: str, day: date) -> None:
    """Until the caller commits, nobody else makes a version of this report."""
    tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('report ' || %(kind)s || ' ' || %(day)s::text, 0))",
        {"kind": kind, "day": day},
    )


def newest_version(tx: Tx, kind: str, day: date) -> ReportRow | None:
    return (
        tx.cursor(row_factory=class_row(ReportRow))
        .execute(
            """
            SELECT id, kind, day, version, asked_by, as_of, final, sha256, drawn_at, mailed_at, created_at
              FROM reports
             WHERE kind = %(kind)s AND day = %(day)s
          ORDER BY version DESC
             LIMIT 1
            """,
            {"kind": kind, "day": day},
        )
        .fetchone()
    )


def insert(tx: Tx, *, report_id: str, kind: str, day: date, version: int, asked_by: str | None) -> None:
    tx.execute(
        """
        INSERT INTO reports (id, kind, day, version, asked_by)
        VALUES (%(id)s, %(kind)s, %(day)s, %(version)s, %(asked_by)s)
        """,
        {"id": report_id, "kind": kind, "day": day, "version": version, "asked_by": asked_by},
    )


def report(tx: Tx, report_id: str) -> ReportRow | None:
    return (
        tx.cursor(row_factory=class_row(ReportRow))
        .execute(
            """
            SELECT id, kind, day, version, asked_by, as_of, final, sha256, drawn_at, mailed_at, created_at
              FROM reports
             WHERE id = %(id)s
            """,
            {"id": report_id},
        )
        .fetchone()
    )


def recent(tx: Tx, *, before: str | None, limit: int) -> list[ReportRow]:
    """Newest first; `before` is the id after which the page begins."""
    return (
        tx.cursor(row_factory=class_row(ReportRow))
        .execute(
            """
            SELECT id, kind, day, version, asked_by, as_of, final, sha256, drawn_at, mailed_at, created_at
              FROM reports
             WHERE %(before)s::text IS NULL OR id < %(before)s
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"before": before, "limit": limit},
        )
        .fetchall()
    )


def files(tx: Tx, report_id: str) -> Files | None:
    """None for an unknown report and for one that is not made yet."""
    return (
        tx.cursor(row_factory=class_row(Files))
        .execute("SELECT snapshot, pdf, csv FROM reports WHERE id = %(id)s AND snapshot IS NOT NULL", {"id": report_id})
        .fetchone()
    )


def freeze(tx: Tx, report_id: str, *, snapshot: dict[str, Any], sha256: str, as_of: datetime, final: bool) -> None:
    """Written by the first to come; a second run changes nothing."""
    tx.execute(
        """
        UPDATE reports
           SET snapshot = %(snapshot)s, sha256 = %(sha256)s, as_of = %(as_of)s, final = %(final)s
         WHERE id = %(id)s AND snapshot IS NULL
        """,
        {"id": report_id, "snapshot": Jsonb(snapshot), "sha256": sha256, "as_of": as_of, "final": final},
    )


def drawn(tx: Tx, report_id: str, *, pdf: bytes, csv: bytes) -> None:
    tx.execute(
        """
        UPDATE reports SET pdf = %(pdf)s, csv = %(csv)s, drawn_at = now()
         WHERE id = %(id)s AND drawn_at IS NULL
        """,
        {"id": report_id, "pdf": pdf, "csv": csv},
    )


def take_mail(tx: Tx, report_id: str) -> bool:
    """True for the one caller who is to stage the mail."""
    found = tx.execute(
        "UPDATE reports SET mailed_at = now() WHERE id = %(id)s AND mailed_at IS NULL AND drawn_at IS NOT NULL",
        {"id": report_id},
    )
    return found.rowcount == 1


def last_stated(tx: Tx, report_id: str, *, before: datetime) -> dict[str, Any] | None:
    """The snapshot of the newest other nightly report made before that moment."""
    row = tx.execute(
        """
        SELECT snapshot FROM reports
         WHERE kind = 'nightly' AND as_of < %(before)s AND id <> %(id)s
      ORDER BY as_of DESC
         LIMIT 1
        """,
        {"before": before, "id": report_id},
    ).fetchone()
    return row[0] if row else None


def anything_since(tx: Tx, moment: datetime) -> bool:
    """Whether a report made now could say something that one made at `moment` did not."""
    row = tx.execute(
        """
        SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE booked_at > %(moment)s)
            OR EXISTS (SELECT 1 FROM orders WHERE updated_at > %(moment)s)
            OR EXISTS (SELECT 1 FROM refunds WHERE status = 'succeeded' AND updated_at > %(moment)s)
            OR EXISTS (SELECT 1 FROM event_batches WHERE loaded_at > %(moment)s)
            OR EXISTS (SELECT 1 FROM search_queries WHERE searched_at > %(moment)s)
        """,
        {"moment": moment},
    ).fetchone()
    return bool(row and row[0])


def events_came_since(tx: Tx, moment: datetime) -> bool:
    """Whether an event is stored that came at that moment or later."""
    row = tx.execute(
        "SELECT EXISTS (SELECT 1 FROM ingest_ledger WHERE minute >= %(moment)s AND via = 'stream')", {"moment": moment}
    ).fetchone()
    return bool(row and row[0])


def read_as_one_moment(tx: Tx) -> datetime:
    """First in a transaction: all that follows sees the database as it is at the moment that is answered."""
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = tx.execute("SELECT now()").fetchone()
    assert row is not None, "now() is a row"
    return row[0]
