"""Staging a job: one row in the caller's own transaction, so that a job exists exactly when its reason does."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from db.database import Tx
from db.ids import new_id

Scalar = str | int | bool | None
"""What a job may carry: ids and small facts, never objects that would be stale when it runs."""


MAX_HEAD_START_S = 600
"""The relay looks no further ahead in a queue than this, however many jobs wait there for tomorrow."""

MAX_ARGS = 8_192
"""Characters of JSON. What is larger belongs into a row whose id the job carries."""


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work. `name` is `area.verb` and runs `verb()` in the one `verb.py` of `shop/area`.

    `head_start_s` places it before (negative) or behind (positive) other jobs of its queue by that much waiting time.
    """

    name: str
    queue: str
    max_attempts: int = 10
    time_limit_s: int = 120
    head_start_s: int = 0

    def __post_init__(self) -> None:
        if abs(self.head_start_s) > MAX_HEAD_START_S:
            raise ValueError(f"{self.name}: a head start is at most {MAX_HEAD_START_S} s")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who and what caused the work at hand; copied into each job it stages."""

    request_id: str | None = None
    traceparent: str | None = None
    asked_by: str | None = None


_NOWHERE = Origin()
origin: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def stage(
    tx: Tx,
    job: Job,
    *,
    unique_key: str | None = None,
    run_after: datetime | None = None,
    **args: Scalar,
) -> str:
    """Write the job's row and wake the relay when the caller commits. Answers the job's id.

    With `unique_key`, a job that is still waiting under that key is this job: its id is answered and nothing is
    written. A running one does not count, because it may already have read what this wish is about.

    Raises ValueError when the arguments are data instead of ids (more than MAX_ARGS characters).
    """
    if len(json.dumps(args)) > MAX_ARGS:
        raise ValueError(f"{job.name}: a job carries ids, not data; its arguments have more than {MAX_ARGS} characters")
    while True:
        job_id = _insert(tx, job, unique_key, run_after, args)
        if job_id is None:
            # The waiting job may start between the two statements; then there is room for ours again.
            job_id = _waiting(tx, unique_key)
        if job_id is not None:
            return job_id


def _insert(
    tx: Tx, job: Job, unique_key: str | None, run_after: datetime | None, args: Mapping[str, Scalar]
) -> str | None:
    cause = origin.get()
    row = tx.execute(
        """
        WITH staged AS (
            INSERT INTO jobs (id, name, queue, args, unique_key, asked_by, max_attempts, time_limit_s,
                              run_after, rank_at, request_id, traceparent)
            VALUES (%(id)s, %(name)s, %(queue)s, %(args)s, %(unique_key)s, %(asked_by)s, %(max_attempts)s,
                    %(time_limit_s)s, coalesce(%(run_after)s, now()),
                    coalesce(%(run_after)s, now()) + make_interval(secs => %(head_start_s)s),
                    %(request_id)s, %(traceparent)s)
            ON CONFLICT (unique_key) WHERE state IN ('staged', 'queued') DO NOTHING
            RETURNING id, queue
        )
        SELECT id, pg_notify('jobs', queue) FROM staged
        """,
        {
            "id": new_id("job"),
            "name": job.name,
            "queue": job.queue,
            "args": Jsonb(args),
            "unique_key": unique_key,
            "asked_by": cause.asked_by,
            "max_attempts": job.max_attempts,
            "time_limit_s": job.time_limit_s,
            "run_after": run_after,
            "head_start_s": job.head_start_s,
            "request_id": cause.request_id,
            "traceparent": cause.traceparent,
        },
    ).fetchone()
    return row[0] if row else None


def _waiting(tx: Tx, unique_key: str | None) -> str | None:
    row = tx.execute(
        "SELECT id FROM jobs WHERE unique_key = %(key)s AND state IN ('staged', 'queued')", {"key": unique_key}
    ).fetchone()
    return row[0] if row else None
