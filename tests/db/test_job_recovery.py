"""Jobs that go back: by two at once, under keys that others took meanwhile, and after a commit nobody heard of."""

import threading

import pytest

from db import job_recovery, job_rows, job_runs, outbox
from db.database import Database, Tx
from db.job_runs import Claimed, Failure
from db.outbox import Job

SWEEP = Job("payments.sweep", queue="payments", max_attempts=3)
KEY = "payments.sweep"


def claimed(db: Database, owner: str = "w") -> Claimed:
    """A running job under the one key; a running job leaves room for the next wish."""
    with db.transaction() as tx:
        run = job_runs.claim(tx, outbox.stage(tx, SWEEP, unique_key=KEY), 0, owner=owner)
    assert run is not None
    return run


def states(db: Database, *runs: Claimed) -> list[str]:
    with db.transaction() as tx:
        rows = [job_rows.find(tx, run.id) for run in runs]
    return [row.state for row in rows if row is not None]


def test_two_running_jobs_under_one_key_both_go_back_when_their_worker_dies(db: Database) -> None:
    runs = claimed(db), claimed(db)
    with db.transaction() as tx:
        assert job_recovery.release_dead(tx, "w") == 2
    assert states(db, *runs) == ["staged", "staged"]


def test_two_running_jobs_under_one_key_both_go_back_when_their_leases_run_out(db: Database) -> None:
    runs = claimed(db), claimed(db)
    with db.transaction() as tx:
        tx.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")
        assert len(job_recovery.put_back_expired(tx, limit=10)) == 2
    assert states(db, *runs) == ["staged", "staged"]


def try_again(tx: Tx, run: Claimed) -> bool:
    return job_runs.try_again(tx, run.id, run.fence, Failure("bug", None, "x"), wait_s=0, spends_attempt=True)


def test_a_retry_bears_that_its_key_is_taken_by_a_transaction_still_open(db: Database) -> None:
    run = claimed(db)
    answers: list[bool] = []

    def retry() -> None:
        with db.transaction() as tx:
            answers.append(try_again(tx, run))

    with db.transaction() as tx:
        outbox.stage(tx, SWEEP, unique_key=KEY)
        thread = threading.Thread(target=retry)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive(), "the retry waits for the open transaction"
    thread.join()
    assert answers == [True]
    assert states(db, run) == ["staged"]


def test_a_claim_whose_commit_nobody_heard_of_is_recognised_by_its_owner_alone(db: Database) -> None:
    run = claimed(db, "w")
    with db.transaction() as tx:
        assert job_runs.claim(tx, run.id, 0, owner="w") is None
        assert job_runs.claimed_unheard(tx, run.id, 0, owner="another") is None
        assert job_runs.claimed_unheard(tx, run.id, 0, owner="w") == run


def test_a_dead_job_is_not_retried_beside_one_that_waits_under_its_key(db: Database) -> None:
    run = claimed(db)
    with db.transaction() as tx:
        job_runs.close_failed(tx, run.id, run.fence, Failure("bug", None, "x"), state="dead")
        outbox.stage(tx, SWEEP, unique_key=KEY)
        assert not job_rows.retry(tx, run.id)


def test_data_in_the_arguments_is_refused_before_anything_is_written(db: Database) -> None:
    with db.transaction() as tx, pytest.raises(ValueError, match="ids, not data"):
        outbox.stage(tx, SWEEP, text="x" * outbox.MAX_ARGS)
