"""Living and dead worker processes: one row each, kept fresh by the worker's sibling."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from db.job_runs import LEASE_S


@dataclass(frozen=True, slots=True)
class DeadWorker:
    boot_id: str
    broker_id: str
    queue: str


def register(tx: Tx, *, boot_id: str, broker_id: str, queue: str, pid: int, host: str, threads: int) -> None:
    tx.execute(
        """
        INSERT INTO workers (boot_id, queue, broker_id, pid, host, threads)
        VALUES (%(boot_id)s, %(queue)s, %(broker_id)s, %(pid)s, %(host)s, %(threads)s)
        """,
        {
            "boot_id": boot_id,
            "broker_id": broker_id,
            "queue": queue,
            "pid": pid,
            "host": host,
            "threads": threads,
        },
    )


def beat(tx: Tx, boot_id: str) -> None:
    tx.execute("UPDATE workers SET beat_at = clock_timestamp() WHERE boot_id = %(boot_id)s", {"boot_id": boot_id})


def mark_dead(tx: Tx, boot_id: str) -> None:
    """Said by the sibling that saw its worker die; the reaper then frees the messages it held."""
    tx.execute(
        "UPDATE workers SET died_at = clock_timestamp() WHERE boot_id = %(boot_id)s",
        {"boot_id": boot_id},
    )
    tx.execute("SELECT pg_notify('jobs', 'worker died')")


def dead(tx: Tx) -> list[DeadWorker]:
    """Workers that were seen to die, or whose machine has been silent for a whole lease."""
    return (
        tx.cursor(row_factory=class_row(DeadWorker))
        .execute(
            """
            SELECT boot_id, broker_id, queue
              FROM workers
             WHERE died_at IS NOT NULL OR beat_at < clock_timestamp() - make_interval(secs => %(lease_s)s)
            """,
            {"lease_s": LEASE_S},
        )
        .fetchall()
    )


def forget(tx: Tx, boot_id: str) -> None:
    tx.execute("DELETE FROM workers WHERE boot_id = %(boot_id)s", {"boot_id": boot_id})
