"""Pruning: what nobody asks for again goes, what somebody must decide on stays."""

from db import outbox
from db.database import Database
from shop import jobs
from shop.operations import idempotency
from shop.operations.idempotency import Kept, Keyed
from shop.operations.prune import prune


def finished(db: Database, state: str, days: int) -> str:
    with db.transaction() as tx:
        job_id = outbox.stage(tx, jobs.SEND_MAIL, mail_id="m")
        tx.execute(
            "UPDATE jobs SET state = %s, finished_at = now() - make_interval(days => %s) WHERE id = %s",
            (state, days, job_id),
        )
    return job_id


def test_old_finished_jobs_go_and_dead_ones_wait_for_a_person(db: Database) -> None:
    finished(db, "done", 31)
    finished(db, "failed", 31)
    kept = {finished(db, "done", 29), finished(db, "dead", 400)}
    idempotency.once(db, Keyed("sub:usr_1", "POST /x", "k", b"{}"), lambda _db: Kept(200, {}, b""))
    with db.transaction() as tx:
        tx.execute("UPDATE idempotency_keys SET created_at = now() - interval '3 days'")
    told: list[int] = []
    assert prune(db, lambda done, _total: told.append(done)) == {"idempotency_keys": 1, "jobs": 2, "slots": 0}
    assert told[-1] == 3
    with db.transaction() as tx:
        assert {row[0] for row in tx.execute("SELECT id FROM jobs").fetchall()} == kept


def test_a_second_run_finds_nothing_to_do(db: Database) -> None:
    finished(db, "done", 31)
    prune(db)
    assert prune(db) == {"idempotency_keys": 0, "jobs": 0, "slots": 0}


def test_more_than_a_batch_goes_in_several(db: Database) -> None:
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO idempotency_keys (caller, route, key, fingerprint, status, body, created_at)
            SELECT 'sub:usr_1', 'POST /x', n::text, sha256(n::text::bytea), 200, '', now() - interval '3 days'
              FROM generate_series(1, %s) n
            """,
            (idempotency.PRUNE_BATCH + 10,),
        )
    assert idempotency.prune_keys(db) == idempotency.PRUNE_BATCH + 10
