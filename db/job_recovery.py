"""Jobs that go back to the start: given back, left by the dead, out of lease, or forgotten by the broker."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from db.job_runs import LEASE_S, keep_key_if_free


@dataclass(frozen=True, slots=True)
class Handed:
    """A job that the broker is believed to hold."""

    id: str
    queue: str
    message_id: str
    waiting_s: float


def give_back(tx: Tx, owner: str) -> int:
    """A process that is about to exit returns what still runs in it: no attempt spent, and the fence keeps late
    results out."""
    return keep_key_if_free(tx, lambda keep: _release(tx, owner, refund=1, keep_key=keep))


def release_dead(tx: Tx, owner: str) -> int:
    """What a killed process had in hand runs again at once. The attempt stays spent: a job that kills its process
    must meet its limit."""
    return keep_key_if_free(tx, lambda keep: _release(tx, owner, refund=0, keep_key=keep))


def _release(tx: Tx, owner: str, *, refund: int, keep_key: bool) -> int:
    return tx.execute(
        """
        WITH back AS (
            UPDATE jobs
               SET state = 'staged', fence = fence + 1, attempts = attempts - %(refund)s, lease_owner = NULL,
                   lease_until = NULL, run_after = now(), unique_key = CASE WHEN %(keep_key)s AND NOT EXISTS (
                        SELECT 1 FROM jobs other
                         WHERE other.unique_key = jobs.unique_key AND other.state IN ('staged', 'queued'))
                        THEN unique_key END
             WHERE lease_owner = %(owner)s AND state = 'running'
         RETURNING queue
        )
        SELECT pg_notify('jobs', queue) FROM back
        """,
        {"owner": owner, "refund": refund, "keep_key": keep_key},
    ).rowcount


def extend_leases(tx: Tx, owner: str) -> int:
    """One statement per process and beat, whatever runs in it. A job over its time limit is no longer extended: the
    reaper will hand it to another process."""
    return tx.execute(
        """
        UPDATE jobs
           SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
         WHERE lease_owner = %(owner)s AND state = 'running'
           AND started_at + make_interval(secs => time_limit_s + %(lease_s)s) > clock_timestamp()
        """,
        {"owner": owner, "lease_s": LEASE_S},
    ).rowcount


def put_back_expired(tx: Tx, *, limit: int) -> list[str]:
    """Jobs whose lease ran out go back to the start of their queue. Answers their ids."""
    return keep_key_if_free(tx, lambda keep: _put_back_expired(tx, limit=limit, keep_key=keep))


def _put_back_expired(tx: Tx, *, limit: int, keep_key: bool) -> list[str]:
    rows = tx.execute(
        """
        UPDATE jobs
           SET state = 'staged', fence = fence + 1, lease_owner = NULL, lease_until = NULL, run_after = now(),
               unique_key = CASE WHEN %(keep_key)s AND NOT EXISTS (
                    SELECT 1 FROM jobs other
                     WHERE other.unique_key = jobs.unique_key AND other.state IN ('staged', 'queued'))
                    THEN unique_key END
         WHERE id IN (SELECT id FROM jobs WHERE state = 'running' AND lease_until < clock_timestamp()
                       ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
     RETURNING id
        """,
        {"limit": limit, "keep_key": keep_key},
    ).fetchall()
    return [row[0] for row in rows]


def handed_over(tx: Tx, *, older_than_s: float, after: str, limit: int) -> list[Handed]:
    """A page, in order of id, of the jobs that the broker should hold."""
    return (
        tx.cursor(row_factory=class_row(Handed))
        .execute(
            """
            SELECT id, queue, message_id,
                   extract(epoch FROM clock_timestamp() - queued_at)::float8 AS waiting_s
              FROM jobs
             WHERE state = 'queued' AND queued_at < clock_timestamp() - make_interval(secs => %(older_than_s)s)
               AND id > %(after)s
          ORDER BY id
             LIMIT %(limit)s
            """,
            {"older_than_s": older_than_s, "after": after, "limit": limit},
        )
        .fetchall()
    )


def put_back_lost(tx: Tx, message_ids: list[str]) -> int:
    """The broker lost these messages: their jobs wait in PostgreSQL again. The fence stays, so should a message turn
    up after all, only one of the two runs."""
    return tx.execute(
        """
        WITH back AS (
            UPDATE jobs SET state = 'staged', message_id = NULL
             WHERE message_id = ANY(%(ids)s) AND state = 'queued'
         RETURNING queue
        )
        SELECT pg_notify('jobs', queue) FROM back
        """,
        {"ids": message_ids},
    ).rowcount
