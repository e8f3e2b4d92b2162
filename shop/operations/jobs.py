"""Jobs and queues as people see and steer them: status, lists, retry, dismiss, pause, resume."""

from db import job_rows, schedule
from db.database import Database
from db.job_rows import JobRow, QueueRow
from db.schedule import TimetableRow
from shop.errors import NotFound, Rejected
from shop.jobs import QUEUES

__all__ = [
    "FINAL",
    "STATES",
    "JobRow",
    "QueueRow",
    "TimetableRow",
    "dismiss",
    "pause",
    "queues",
    "read",
    "recent",
    "resume",
    "retry",
    "timetable",
]

STATES: tuple[str, ...] = ("staged", "queued", "running", "done", "failed", "dead")
FINAL = frozenset(("done", "failed", "dead"))
"""Nothing moves these but a person."""


class NotRetriable(Rejected):
    """Only a failed or dead job is retried, and not while another waits to do the same."""

    code = "job_not_retriable"


class NotDismissible(Rejected):
    """A job that runs or has ended is dismissed no more."""

    code = "job_not_dismissible"


def read(db: Database, job_id: str) -> JobRow:
    """The job as it stands. Raises NotFound."""
    with db.transaction() as tx:
        row = job_rows.find(tx, job_id)
    if row is None:
        raise NotFound("there is no such job")
    return row


def recent(
    db: Database, *, state: str | None, queue: str | None, name: str | None, before: str | None, limit: int
) -> list[JobRow]:
    """Newest first, at most `limit`; None filters nothing."""
    states = [state] if state is not None else list(STATES)
    with db.transaction() as tx:
        return job_rows.page(tx, states=states, queue=queue, name=name, before=before, limit=limit)


def retry(db: Database, job_id: str) -> JobRow:
    """Stage a failed or dead job again with fresh attempts. Raises NotFound and NotRetriable."""
    with db.transaction() as tx:
        if not job_rows.retry(tx, job_id):
            _refuse(
                job_rows.find(tx, job_id), NotRetriable, "is not failed or dead, or another job waits to do the same"
            )
    return read(db, job_id)


def dismiss(db: Database, job_id: str, *, by: str) -> JobRow:
    """Close a waiting or dead job for good. Raises NotFound and NotDismissible."""
    with db.transaction() as tx:
        if not job_rows.dismiss(tx, job_id, by=by):
            _refuse(job_rows.find(tx, job_id), NotDismissible, "is running or has ended already")
    return read(db, job_id)


def queues(db: Database) -> list[QueueRow]:
    """Every queue's figures, in the order of shop.jobs.QUEUES."""
    with db.transaction() as tx:
        return job_rows.queues(tx, list(QUEUES))


def pause(db: Database, queue: str, *, by: str) -> QueueRow:
    """Hand over nothing more of this queue; what runs ends as usual. Raises NotFound."""
    return _steer(db, queue, paused=True, by=by)


def resume(db: Database, queue: str, *, by: str) -> QueueRow:
    """Hand over again. Raises NotFound."""
    return _steer(db, queue, paused=False, by=by)


def timetable(db: Database) -> list[TimetableRow]:
    """What runs by the clock, as the clock that leads means it; empty until one has led. What comes next first."""
    with db.transaction() as tx:
        return schedule.timetable(tx)


def _steer(db: Database, queue: str, *, paused: bool, by: str) -> QueueRow:
    if queue not in QUEUES:
        raise NotFound("there is no such queue")
    with db.transaction() as tx:
        job_rows.pause(tx, queue, paused=paused, by=by)
        return job_rows.queues(tx, [queue])[0]


def _refuse(row: JobRow | None, kind: type[Rejected], why: str) -> None:
    if row is None:
        raise NotFound("there is no such job")
    raise kind(f"job {row.id} ({row.state}) {why}")
