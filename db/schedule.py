"""Which slots of which schedules have had their job, and the timetable as the clock that leads means it."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Noted:
    """What the clock means to do about one schedule; `last_job_id` only where it staged a job just now."""

    schedule: str
    job: str
    queue: str
    cron: str
    zone: str
    next_slot: datetime
    last_slot: datetime | None = None
    last_job_id: str | None = None


@dataclass(frozen=True, slots=True)
class TimetableRow:
    """One line of the timetable with the newest job it staged; that job's fields are None once it is pruned."""

    schedule: str
    job: str
    queue: str
    cron: str
    zone: str
    last_slot: datetime | None
    next_slot: datetime
    noted_at: datetime
    job_id: str | None
    state: str | None
    started_at: datetime | None
    finished_at: datetime | None


def last_slot(tx: Tx, schedule: str) -> datetime | None:
    row = tx.execute(
        "SELECT max(slot) FROM schedule_slots WHERE schedule = %(schedule)s", {"schedule": schedule}
    ).fetchone()
    return row[0] if row else None


def take_slot(tx: Tx, schedule: str, slot: datetime, *, job_id: str) -> bool:
    """False when the slot has had its job already."""
    return (
        tx.execute(
            """
            INSERT INTO schedule_slots (schedule, slot, job_id) VALUES (%(schedule)s, %(slot)s, %(job_id)s)
            ON CONFLICT DO NOTHING
            """,
            {"schedule": schedule, "slot": slot, "job_id": job_id},
        ).rowcount
        == 1
    )


def note(tx: Tx, noted: Noted) -> None:
    """Write down when it was and will be; what is not known anew stays."""
    tx.execute(
        """
        INSERT INTO timetable (schedule, job, queue, cron, zone, next_slot, last_slot, last_job_id)
        VALUES (%(schedule)s, %(job)s, %(queue)s, %(cron)s, %(zone)s, %(next_slot)s, %(last_slot)s, %(last_job_id)s)
        ON CONFLICT (schedule) DO UPDATE
           SET job = excluded.job, queue = excluded.queue, cron = excluded.cron, zone = excluded.zone,
               next_slot = excluded.next_slot,
               last_slot = coalesce(excluded.last_slot, timetable.last_slot),
               last_job_id = coalesce(excluded.last_job_id, timetable.last_job_id),
               noted_at = now()
        """,
        {
            "schedule": noted.schedule,
            "job": noted.job,
            "queue": noted.queue,
            "cron": noted.cron,
            "zone": noted.zone,
            "next_slot": noted.next_slot,
            "last_slot": noted.last_slot,
            "last_job_id": noted.last_job_id,
        },
    )


def keep_only(tx: Tx, schedules: list[str]) -> None:
    """Take out of the timetable what the clock knows no more."""
    tx.execute("DELETE FROM timetable WHERE schedule <> ALL(%(schedules)s)", {"schedules": schedules})


def timetable(tx: Tx) -> list[TimetableRow]:
    """Every line, what comes next first."""
    return (
        tx.cursor(row_factory=class_row(TimetableRow))
        .execute(
            """
            SELECT t.schedule, t.job, t.queue, t.cron, t.zone, t.last_slot, t.next_slot, t.noted_at,
                   j.id AS job_id, j.state, j.started_at, j.finished_at
              FROM timetable t
         LEFT JOIN jobs j ON j.id = t.last_job_id
          ORDER BY t.next_slot, t.schedule
            """
        )
        .fetchall()
    )


def forget_slots(tx: Tx, *, days: int) -> int:
    """Old slots go, but never the last one of a schedule: catching up counts from it."""
    return tx.execute(
        """
        DELETE FROM schedule_slots old
         WHERE slot < now() - make_interval(days => %(days)s)
           AND EXISTS (SELECT 1 FROM schedule_slots newer
                        WHERE newer.schedule = old.schedule AND newer.slot > old.slot)
        """,
        {"days": days},
    ).rowcount
