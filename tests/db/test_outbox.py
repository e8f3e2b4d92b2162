"""Staging: a job exists exactly when its reason does."""

import threading

import pytest

from db import job_recovery, job_rows, job_runs, outbox
from db.database import Database
from db.job_runs import Failure
from db.outbox import Job, Origin

GREET = Job("greetings.send", queue="payments", max_attempts=3)


def stage(db: Database, **kwargs: object) -> str:
    with db.transaction() as tx:
        return outbox.stage(tx, GREET, **kwargs)  # type: ignore[arg-type]


def test_a_job_staged_in_a_transaction_that_fails_does_not_exist(db: Database) -> None:
    with pytest.raises(RuntimeError), db.transaction() as tx:
        job_id = outbox.stage(tx, GREET, order_id="ord_1")
        raise RuntimeError("the reason is gone")
    with db.transaction() as tx:
        assert job_rows.find(tx, job_id) is None


def test_a_staged_job_carries_its_arguments_and_who_asked(db: Database) -> None:
    token = outbox.origin.set(Origin("req_1", "00-trace", "usr_7"))
    job_id = stage(db, order_id="ord_1", day=None)
    outbox.origin.reset(token)
    with db.transaction() as tx:
        row = job_rows.find(tx, job_id)
    assert row is not None
    assert (row.state, row.args, row.asked_by, row.request_id) == (
        "staged",
        {"order_id": "ord_1", "day": None},
        "usr_7",
        "req_1",
    )


def test_two_wishes_under_one_key_are_one_job_while_it_waits(db: Database) -> None:
    first = stage(db, unique_key="greet ord_1")
    assert stage(db, unique_key="greet ord_1") == first
    with db.transaction() as tx:
        assert job_runs.claim(tx, first, 0, owner="w") is not None
    assert stage(db, unique_key="greet ord_1") != first


def test_fifty_threads_with_one_key_stage_one_job(db: Database) -> None:
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(stage(db, unique_key="same"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 50
    assert len(set(seen)) == 1


def test_only_one_of_two_messages_of_a_job_runs_it(db: Database) -> None:
    job_id = stage(db)
    with db.transaction() as tx:
        claimed = job_runs.claim(tx, job_id, 0, owner="one")
        assert claimed is not None
        assert job_runs.claim(tx, job_id, 0, owner="two") is None
        assert job_runs.done(tx, job_id, claimed.fence, result={"said": "hello"})
        assert job_runs.claim(tx, job_id, claimed.fence, owner="two") is None


def test_the_result_of_a_run_that_lost_its_job_does_not_count(db: Database) -> None:
    job_id = stage(db)
    with db.transaction() as tx:
        late = job_runs.claim(tx, job_id, 0, owner="slow")
        assert late is not None
        assert job_recovery.release_dead(tx, "slow") == 1
        again = job_runs.claim(tx, job_id, late.fence + 1, owner="quick")
        assert again is not None
        assert not job_runs.done(tx, job_id, late.fence, result={"by": "slow"})
        assert job_runs.done(tx, job_id, again.fence, result={"by": "quick"})
        row = job_rows.find(tx, job_id)
    assert row is not None
    assert (row.state, row.result, row.attempts) == ("done", {"by": "quick"}, 2)


def test_giving_back_spends_no_attempt(db: Database) -> None:
    job_id = stage(db)
    with db.transaction() as tx:
        job_runs.claim(tx, job_id, 0, owner="leaving")
        assert job_recovery.give_back(tx, "leaving") == 1
        row = job_rows.find(tx, job_id)
    assert row is not None
    assert (row.state, row.attempts) == ("staged", 0)


def test_a_retry_whose_wish_was_made_anew_meanwhile_keeps_both_jobs(db: Database) -> None:
    first = stage(db, unique_key="k")
    with db.transaction() as tx:
        claimed = job_runs.claim(tx, first, 0, owner="w")
    second = stage(db, unique_key="k")
    assert claimed is not None
    with db.transaction() as tx:
        again = job_runs.try_again(tx, first, claimed.fence, Failure("bug", None, "x"), wait_s=0, spends_attempt=True)
        assert again
        assert {row.id for row in job_rows.page(tx, states=["staged"], limit=9)} == {first, second}


def test_a_dead_job_is_retried_with_fresh_attempts_and_a_dismissed_one_names_who(db: Database) -> None:
    job_id = stage(db)
    with db.transaction() as tx:
        claimed = job_runs.claim(tx, job_id, 0, owner="w")
        assert claimed is not None
        job_runs.close_failed(tx, job_id, claimed.fence, Failure("bug", None, "broken", "trace"), state="dead")
        assert job_rows.retry(tx, job_id)
        row = job_rows.find(tx, job_id)
        assert row is not None
        assert (row.state, row.attempts, row.error) == ("staged", 0, None)
        assert job_rows.dismiss(tx, job_id, by="support_1")
        assert not job_rows.dismiss(tx, job_id, by="support_2")
        row = job_rows.find(tx, job_id)
    assert row is not None
    assert (row.state, row.error_kind) == ("failed", "dismissed")


def test_a_paused_queue_hands_over_nothing_and_its_fetched_jobs_wait_in_the_database(db: Database) -> None:
    job_id = stage(db)
    with db.transaction() as tx:
        job_rows.pause(tx, "payments", paused=True, by="ops")
        assert job_runs.due(tx, queues=["payments"], window=10, limit=10) == []
        job_runs.mark_handed(tx, [job_id], ["m1"])
        assert job_runs.claim(tx, job_id, 0, owner="w") is None
        assert job_runs.put_back_if_paused(tx, job_id, 0)
        job_rows.pause(tx, "payments", paused=False, by="ops")
        assert [job.id for job in job_runs.due(tx, queues=["payments"], window=10, limit=10)] == [job_id]


def test_the_window_bounds_what_the_broker_holds(db: Database) -> None:
    ids = [stage(db) for _ in range(5)]
    with db.transaction() as tx:
        job_runs.mark_handed(tx, ids[:2], ["a", "b"])
        assert [job.id for job in job_runs.due(tx, queues=["payments"], window=3, limit=10)] == [ids[2]]


def test_queues_tell_depth_age_and_deaths(db: Database) -> None:
    for _ in range(3):
        stage(db)
    with db.transaction() as tx:
        payments, documents = job_rows.queues(tx, ["payments", "documents"])
    assert (payments.waiting, payments.due, payments.running, payments.dead) == (3, 3, 0, 0)
    assert payments.oldest_s >= 0
    assert documents.waiting == 0
