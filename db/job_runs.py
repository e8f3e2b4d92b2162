"""The life of a job row: handed over, claimed, finished, put back. Used by the relay, the workers and the reaper."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from db.outbox import MAX_HEAD_START_S

T = TypeVar("T")

LEASE_S = 20
"""A worker's machine that says nothing for 20 seconds is taken for dead. It says something every LEASE_BEAT_S."""

LEASE_BEAT_S = 5


@dataclass(frozen=True, slots=True)
class Due:
    """A job to hand to the broker."""

    id: str
    name: str
    queue: str
    fence: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours to run. `attempts` includes this one."""

    id: str
    name: str
    queue: str
    args: dict[str, Any]
    fence: int
    attempts: int
    max_attempts: int
    asked_by: str | None
    request_id: str | None
    traceparent: str | None
    created_at: datetime
    run_after: datetime


def due(tx: Tx, *, queues: list[str], window: int, limit: int) -> list[Due]:
    """Lock the next jobs to hand over. A queue never has more than `window` handed-over jobs outside PostgreSQL, so
    that a backlog fills no broker's memory. Paused queues are left alone."""
    return (
        tx.cursor(row_factory=class_row(Due))
        .execute(
            """
            WITH room AS (
                SELECT n.name, %(window)s - count(j.id) AS free
                  FROM unnest(%(queues)s::text[]) AS n (name)
             LEFT JOIN jobs j ON j.queue = n.name AND j.state = 'queued'
                 WHERE NOT EXISTS (SELECT 1 FROM queues q WHERE q.name = n.name AND q.paused)
              GROUP BY n.name
                HAVING count(j.id) < %(window)s
            )
            SELECT j.id, j.name, j.queue, j.fence
              FROM room
        CROSS JOIN LATERAL (
                   SELECT id, name, queue, fence, rank_at
                     FROM jobs
                    WHERE queue = room.name AND state = 'staged' AND run_after <= now()
                      AND rank_at <= now() + make_interval(secs => %(ahead_s)s)
                 ORDER BY rank_at, id
                    LIMIT least(room.free, %(limit)s)
               FOR UPDATE SKIP LOCKED) j
          ORDER BY j.rank_at, j.id
             LIMIT %(limit)s
            """,
            {"queues": queues, "window": window, "limit": limit, "ahead_s": MAX_HEAD_START_S},
        )
        .fetchall()
    )


def mark_handed(tx: Tx, job_ids: list[str], message_ids: list[str]) -> int:
    return tx.execute(
        """
        UPDATE jobs
           SET state = 'queued', message_id = handed.message_id, queued_at = clock_timestamp()
          FROM unnest(%(ids)s::text[], %(messages)s::text[]) AS handed (id, message_id)
         WHERE jobs.id = handed.id AND jobs.state = 'staged'
        """,
        {"ids": job_ids, "messages": message_ids},
    ).rowcount


def claim(tx: Tx, job_id: str, fence: int, *, owner: str) -> Claimed | None:
    """Take the job for one run, or None when the message is late: the job runs, is done, or was handed over anew.

    The attempt is counted here, before the run, because a process that is killed cannot count.
    """
    return (
        tx.cursor(row_factory=class_row(Claimed))
        .execute(
            """
            UPDATE jobs
               SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_owner = %(owner)s,
                   lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s),
                   started_at = clock_timestamp(), message_id = NULL, progress_done = NULL, progress_total = NULL
             WHERE id = %(id)s
               AND fence = %(fence)s
               AND state IN ('staged', 'queued')
               AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.name = jobs.queue AND q.paused)
         RETURNING id, name, queue, args, fence, attempts, max_attempts, asked_by, request_id, traceparent,
                   created_at, run_after
            """,
            {"id": job_id, "fence": fence, "owner": owner, "lease_s": LEASE_S},
        )
        .fetchone()
    )


def claimed_unheard(tx: Tx, job_id: str, fence: int, *, owner: str) -> Claimed | None:
    """The claim of this very message, when it was committed and the connection broke before we heard of it."""
    return (
        tx.cursor(row_factory=class_row(Claimed))
        .execute(
            """
            SELECT id, name, queue, args, fence, attempts, max_attempts, asked_by, request_id, traceparent,
                   created_at, run_after
              FROM jobs
             WHERE id = %(id)s AND fence = %(fence)s + 1 AND lease_owner = %(owner)s AND state = 'running'
            """,
            {"id": job_id, "fence": fence, "owner": owner},
        )
        .fetchone()
    )


def put_back_if_paused(tx: Tx, job_id: str, fence: int) -> bool:
    """A message of a paused queue: the row waits in PostgreSQL instead of with the broker."""
    return (
        tx.execute(
            """
            UPDATE jobs SET state = 'staged', message_id = NULL
             WHERE id = %(id)s AND fence = %(fence)s AND state = 'queued'
               AND EXISTS (SELECT 1 FROM queues q WHERE q.name = jobs.queue AND q.paused)
            """,
            {"id": job_id, "fence": fence},
        ).rowcount
        == 1
    )


def done(tx: Tx, job_id: str, fence: int, *, result: dict[str, Any] | None) -> bool:
    """False when somebody else has the job by now: then this run's result does not count."""
    return (
        tx.execute(
            """
            UPDATE jobs
               SET state = 'done', result = %(result)s, finished_at = clock_timestamp(), lease_owner = NULL,
                   lease_until = NULL, error_kind = NULL, error_code = NULL, error = NULL, traceback = NULL,
                   error_print = NULL
             WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
            """,
            {"id": job_id, "fence": fence, "result": None if result is None else Jsonb(result)},
        ).rowcount
        == 1
    )


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run did not succeed. `kind` is one of the words the table allows; `print` groups equal failures.

    Whatever texts an error brought along are made such that PostgreSQL takes them: a failure that cannot be
    recorded would leave its job running for ever.
    """

    kind: str
    code: str | None
    message: str
    traceback: str | None = None
    print: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", _storable(self.message)[:2_000])
        if self.traceback is not None:
            object.__setattr__(self, "traceback", _storable(self.traceback)[-20_000:])


def _storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def try_again(tx: Tx, job_id: str, fence: int, failure: Failure, *, wait_s: float, spends_attempt: bool) -> bool:
    return keep_key_if_free(
        tx,
        lambda keep: _try_again(
            tx, job_id, fence, failure, wait_s=wait_s, spends_attempt=spends_attempt, keep_key=keep
        ),
    )


def keep_key_if_free(tx: Tx, put_back: Callable[[bool], T]) -> T:
    """Put jobs back among the waiting with their unique keys, or without should a key be taken at that very moment.

    `put_back(keep_key)` is one statement that looks for itself who waits under the key; what it cannot see is a
    transaction still open, and a second job of its own that goes back under the same key.
    """
    try:
        with tx.transaction():
            return put_back(True)
    except UniqueViolation:
        return put_back(False)


def _try_again(
    tx: Tx, job_id: str, fence: int, failure: Failure, *, wait_s: float, spends_attempt: bool, keep_key: bool
) -> bool:
    return (
        tx.execute(
            """
            UPDATE jobs
               SET state = 'staged', run_after = clock_timestamp() + make_interval(secs => %(wait_s)s),
                   rank_at = clock_timestamp() + make_interval(secs => %(wait_s)s),
                   attempts = attempts - CASE WHEN %(spends)s THEN 0 ELSE 1 END,
                   lease_owner = NULL, lease_until = NULL, error_kind = %(kind)s, error_code = %(code)s,
                   error = %(error)s, traceback = %(traceback)s, error_print = %(print)s,
                   unique_key = CASE WHEN %(keep_key)s AND NOT EXISTS (
                        SELECT 1 FROM jobs other
                         WHERE other.unique_key = jobs.unique_key AND other.state IN ('staged', 'queued'))
                        THEN unique_key END
             WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
            """,
            {
                "id": job_id,
                "fence": fence,
                "wait_s": wait_s,
                "spends": spends_attempt,
                "keep_key": keep_key,
                "kind": failure.kind,
                "code": failure.code,
                "error": failure.message,
                "traceback": failure.traceback,
                "print": failure.print,
            },
        ).rowcount
        == 1
    )


def close_failed(tx: Tx, job_id: str, fence: int, failure: Failure, *, state: str) -> bool:
    """`state` is `failed` (a final no, nobody needs to act) or `dead` (a person must decide)."""
    return (
        tx.execute(
            """
            UPDATE jobs
               SET state = %(state)s, finished_at = clock_timestamp(), lease_owner = NULL, lease_until = NULL,
                   error_kind = %(kind)s, error_code = %(code)s, error = %(error)s, traceback = %(traceback)s,
                   error_print = %(print)s
             WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
            """,
            {
                "id": job_id,
                "fence": fence,
                "state": state,
                "kind": failure.kind,
                "code": failure.code,
                "error": failure.message,
                "traceback": failure.traceback,
                "print": failure.print,
            },
        ).rowcount
        == 1
    )


def tell_progress(tx: Tx, job_id: str, fence: int, *, done: int, total: int | None) -> None:
    tx.execute(
        """
        UPDATE jobs SET progress_done = %(done)s, progress_total = %(total)s
         WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
        """,
        {"id": job_id, "fence": fence, "done": done, "total": total},
    )
