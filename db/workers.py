"""Living and dead worker processes: one row each, kept fresh by the worker's sibling."""

from dataclasses import asdict, dataclass

from psycopg.rows import class_row

from db.database import Tx
from db.job_runs import LEASE_S


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """A worker process. `boot_id` is its own for as long as it lives, `broker_id` is what Redis knows it by."""

    boot_id: str
    broker_id: str
    queue: str
    pid: int
    host: str
    threads: int


@dataclass(frozen=True, slots=True)
class DeadWorker:
    boot_id: str
    broker_id: str
    queue: str


def beat(tx: Tx, worker: LivingWorker) -> None:
    """Say that the worker lives. The first beat makes its row, and so does the first after it was taken for dead."""
    tx.execute(
        """
        INSERT INTO workers (boot_id, queue, broker_id, pid, host, threads)
        VALUES (%(boot_id)s, %(queue)s, %(broker_id)s, %(pid)s, %(host)s, %(threads)s)
        ON CONFLICT (boot_id) DO UPDATE SET beat_at = clock_timestamp()
        """,
        asdict(worker),
    )


def mark_dead(tx: Tx, boot_id: str) -> None:
    """Said by the sibling of a worker that died and by one that leaves; the reaper then frees the messages it held."""
    tx.execute(
        "UPDATE workers SET died_at = clock_timestamp() WHERE boot_id = %(boot_id)s",
        {"boot_id": boot_id},
    )
    tx.execute("SELECT pg_notify('jobs', 'worker died')")


def dead(tx: Tx, *, silent_too: bool) -> list[DeadWorker]:
    """Workers that were seen to die and, if `silent_too`, those whose machine has been silent for a whole lease."""
    return (
        tx.cursor(row_factory=class_row(DeadWorker))
        .execute(
            """
            SELECT boot_id, broker_id, queue
              FROM workers
             WHERE died_at IS NOT NULL
                OR (%(silent_too)s AND beat_at < clock_timestamp() - make_interval(secs => %(lease_s)s))
            """,
            {"lease_s": LEASE_S, "silent_too": silent_too},
        )
        .fetchall()
    )


def forget(tx: Tx, boot_id: str) -> None:
    tx.execute("DELETE FROM workers WHERE boot_id = %(boot_id)s", {"boot_id": boot_id})


@dataclass(frozen=True, slots=True)
class Crew:
    """Those who work at a queue now."""

    queue: str
    processes: int
    threads: int


def crews(tx: Tx) -> list[Crew]:
    """One row for each queue that somebody works at; a worker silent for a whole lease does not count."""
    return (
        tx.cursor(row_factory=class_row(Crew))
        .execute(
            """
            SELECT queue, count(*) AS processes, coalesce(sum(threads), 0)::int AS threads
              FROM workers
             WHERE died_at IS NULL AND beat_at > clock_timestamp() - make_interval(secs => %(lease_s)s)
          GROUP BY queue
            """,
            {"lease_s": LEASE_S},
        )
        .fetchall()
    )
