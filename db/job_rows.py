"""What people and programs ask about jobs: status, lists, queues; and what people decide: retry, dismiss, pause."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as it stands. Times are UTC; `progress_*` count whatever the job counts, None before it told."""

    id: str
    name: str
    queue: str
    args: dict[str, Any]
    asked_by: str | None
    state: str
    attempts: int
    max_attempts: int
    run_after: datetime
    progress_done: int | None
    progress_total: int | None
    result: dict[str, Any] | None
    error_kind: str | None
    error_code: str | None
    error: str | None
    traceback: str | None
    error_print: str | None
    request_id: str | None
    dismissed_by: str | None
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue at this moment. `oldest_s` is the age in seconds of the job that is due longest and has not started."""

    name: str
    paused: bool
    waiting: int
    due: int
    running: int
    dead: int
    done_last_hour: int
    oldest_s: float


def find(tx: Tx, job_id: str) -> JobRow | None:
    return (
        tx.cursor(row_factory=class_row(JobRow))
        .execute(
            """
            SELECT id, name, queue, args, asked_by, state, attempts, max_attempts, run_after, progress_done,
                   progress_total, result, error_kind, error_code, error, traceback, error_print, request_id,
                   dismissed_by, created_at, queued_at, started_at, finished_at
              FROM jobs
             WHERE id = %(id)s
            """,
            {"id": job_id},
        )
        .fetchone()
    )


def page(
    tx: Tx,
    *,
    states: list[str],
    queue: str | None = None,
    name: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[JobRow]:
    """Newest first. Ids sort by time, so the last id of a page is the cursor of the next."""
    return (
        tx.cursor(row_factory=class_row(JobRow))
        .execute(
            """
            SELECT id, name, queue, args, asked_by, state, attempts, max_attempts, run_after, progress_done,
                   progress_total, result, error_kind, error_code, error, traceback, error_print, request_id,
                   dismissed_by, created_at, queued_at, started_at, finished_at
              FROM jobs
             WHERE state = ANY(%(states)s)
               AND (%(queue)s::text IS NULL OR queue = %(queue)s)
               AND (%(name)s::text IS NULL OR name = %(name)s)
               AND (%(before)s::text IS NULL OR id < %(before)s)
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"states": states, "queue": queue, "name": name, "before": before, "limit": limit},
        )
        .fetchall()
    )


def queues(tx: Tx, names: list[str]) -> list[QueueRow]:
    """One row per name, in the order given. One look per state: each has its own small index, all three have none."""
    return (
        tx.cursor(row_factory=class_row(QueueRow))
        .execute(
            """
            SELECT n.name,
                   coalesce(q.paused, false) AS paused,
                   open.waiting, open.due, open.running, closed.dead, closed.done_last_hour,
                   open.oldest_s
              FROM unnest(%(names)s::text[]) WITH ORDINALITY AS n (name, place)
         LEFT JOIN queues q ON q.name = n.name
        CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE state <> 'running') AS waiting,
                          count(*) FILTER (WHERE state <> 'running' AND run_after <= now()) AS due,
                          count(*) FILTER (WHERE state = 'running') AS running,
                          coalesce(extract(epoch FROM now() - min(run_after)
                                   FILTER (WHERE state <> 'running' AND run_after <= now())), 0)::float8 AS oldest_s
                     FROM (SELECT state, run_after FROM jobs WHERE queue = n.name AND state = 'staged'
                           UNION ALL
                           SELECT state, run_after FROM jobs WHERE queue = n.name AND state = 'queued'
                           UNION ALL
                           SELECT state, run_after FROM jobs WHERE queue = n.name AND state = 'running') j) open
        CROSS JOIN LATERAL (
                   SELECT (SELECT count(*) FROM jobs j WHERE j.queue = n.name AND state = 'dead') AS dead,
                          (SELECT count(*) FROM jobs j WHERE j.queue = n.name AND state = 'done'
                              AND finished_at > now() - interval '1 hour') AS done_last_hour) closed
          ORDER BY n.place
            """,
            {"names": names},
        )
        .fetchall()
    )


def retry(tx: Tx, job_id: str) -> bool:
    """Put a finished job that did not succeed back at the start, with fresh attempts. False when it is not such a job.

    Also False when another job waits under the same unique key: that one will do the work.
    """
    try:
        with tx.transaction():
            return _retry(tx, job_id)
    except UniqueViolation:  # staged by a transaction that was still open when we looked
        return False


def _retry(tx: Tx, job_id: str) -> bool:
    return (
        tx.execute(
            """
            WITH again AS (
                UPDATE jobs
                   SET state = 'staged', attempts = 0, fence = fence + 1, run_after = now(), rank_at = now(),
                       message_id = NULL, finished_at = NULL, error_kind = NULL, error_code = NULL, error = NULL,
                       traceback = NULL, error_print = NULL, dismissed_by = NULL
                 WHERE id = %(id)s
                   AND state IN ('dead', 'failed')
                   AND (unique_key IS NULL OR NOT EXISTS (
                        SELECT 1 FROM jobs other
                         WHERE other.unique_key = jobs.unique_key AND other.state IN ('staged', 'queued')))
             RETURNING queue
            )
            SELECT pg_notify('jobs', queue) FROM again
            """,
            {"id": job_id},
        ).rowcount
        == 1
    )


def dismiss(tx: Tx, job_id: str, *, by: str) -> bool:
    """Close a job that waits or is dead, with the name of who decided it. False when it runs or is closed already."""
    return (
        tx.execute(
            """
            UPDATE jobs
               SET state = 'failed', fence = fence + 1, finished_at = now(), dismissed_by = %(by)s,
                   error_kind = 'dismissed', error = coalesce(error, 'dismissed before it ran')
             WHERE id = %(id)s AND state IN ('staged', 'queued', 'dead')
            """,
            {"id": job_id, "by": by},
        ).rowcount
        == 1
    )


def pause(tx: Tx, queue: str, *, paused: bool, by: str) -> None:
    """The relay hands over nothing of a paused queue, and a worker puts back what it had already fetched."""
    tx.execute(
        """
        INSERT INTO queues (name, paused, changed_by) VALUES (%(queue)s, %(paused)s, %(by)s)
        ON CONFLICT (name) DO UPDATE
           SET paused = excluded.paused, changed_by = excluded.changed_by, changed_at = now()
        """,
        {"queue": queue, "paused": paused, "by": by},
    )
    tx.execute("SELECT pg_notify('jobs', %(queue)s)", {"queue": queue})


def prune(tx: Tx, *, days: int, limit: int) -> int:
    """Delete at most `limit` finished jobs older than `days`. Dead ones are kept until somebody decides."""
    return tx.execute(
        """
        DELETE FROM jobs
         WHERE id IN (SELECT id FROM jobs
                       WHERE (state = 'done' OR state = 'failed')
                         AND finished_at < now() - make_interval(days => %(days)s)
                       LIMIT %(limit)s)
        """,
        {"days": days, "limit": limit},
    ).rowcount
