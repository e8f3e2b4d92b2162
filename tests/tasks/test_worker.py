"""Worker processes: what runs, what fails how, and what is true after each kind of ending."""

import os
import signal

import pytest
import redis

from db.job_runs import LEASE_S
from tests.tasks.conftest import Crew
from tests.tasks.doors import FAIL, HOLD, LIMITED, STEPS, WAIT


def test_a_staged_job_runs_and_leaves_its_result_in_the_row(crew: Crew) -> None:
    crew.control()
    crew.worker()
    row = crew.finished(crew.stage(WAIT, seconds="0"))
    assert (row.state, row.attempts) == ("done", 1)
    assert row.result is not None
    assert row.result["attempt"] == 1


@pytest.mark.parametrize(
    ("how", "state", "kind", "attempts"),
    [
        ("rejected", "failed", "rejected", 1),
        ("not_yet", "dead", "not_yet", 2),
        ("bug", "dead", "bug", 2),
        ("database away", "dead", "not_yet", 2),
    ],
)
def test_the_kind_of_error_decides_what_follows(crew: Crew, how: str, state: str, kind: str, attempts: int) -> None:
    crew.control()
    crew.worker()
    row = crew.finished(crew.stage(FAIL, how=how))
    assert (row.state, row.error_kind, row.attempts) == (state, kind, attempts)
    assert (row.traceback is not None) == (how in {"bug", "database away"})
    if how == "rejected":
        assert (row.error_code, row.error) == ("out_of_stock", "none left")


def test_being_told_to_wait_spends_no_attempt(crew: Crew) -> None:
    crew.control()
    crew.worker()
    job_id = crew.stage(FAIL, how="snooze")
    crew.until(lambda: crew.row(job_id).error_kind == "not_yet")
    row = crew.row(job_id)
    assert (row.state, row.attempts) == ("staged", 0)
    assert row.run_after > row.created_at


def test_a_job_over_its_time_limit_is_ended_and_says_so(crew: Crew) -> None:
    crew.control()
    crew.worker()
    row = crew.finished(crew.stage(LIMITED))
    assert (row.state, row.error_kind) == ("dead", "time_limit")


def test_progress_is_seen_while_the_job_runs(crew: Crew) -> None:
    crew.control()
    crew.worker()
    job_id = crew.stage(STEPS, total=60)
    crew.until(lambda: 0 < (crew.row(job_id).progress_done or 0) < 60)
    assert crew.row(job_id).progress_total == 60
    assert crew.finished(job_id).result == {"steps": 60}


def test_jobs_of_a_killed_worker_run_again_within_seconds(crew: Crew) -> None:
    crew.control()
    first = crew.worker(threads=2)
    running = [crew.stage(WAIT, seconds="4") for _ in range(2)]
    crew.running(*running)
    fetched = [crew.stage(WAIT, seconds="0") for _ in range(4)]
    os.kill(first.pid, signal.SIGKILL)
    crew.worker(threads=8)
    for job_id in running + fetched:
        assert crew.finished(job_id, seconds=30).state == "done"
    assert {crew.row(job_id).attempts for job_id in running} == {2}


def test_a_job_that_kills_its_process_meets_its_limit(crew: Crew) -> None:
    crew.control()
    job_id = crew.stage(FAIL, how="die")
    for _ in range(3):
        worker = crew.worker(threads=1)
        crew.until(lambda worker=worker: worker.poll() is not None or crew.row(job_id).state == "dead")
    row = crew.finished(job_id)
    assert (row.state, row.error_kind) == ("dead", "poison")


def test_sigterm_to_the_whole_group_lets_running_jobs_end_and_strands_none(crew: Crew) -> None:
    crew.control()
    worker = crew.worker(threads=4)
    running = [crew.stage(WAIT, seconds="3") for _ in range(4)]
    crew.running(*running)
    waiting = [crew.stage(WAIT, seconds="0") for _ in range(6)]
    os.killpg(worker.pid, signal.SIGTERM)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert {crew.row(job_id).state for job_id in running} == {"done"}
    crew.worker()
    for job_id in waiting:
        row = crew.finished(job_id, seconds=20)
        assert (row.state, row.attempts) == ("done", 1)


def test_a_cooperative_job_goes_back_at_once_without_spending_an_attempt(crew: Crew) -> None:
    crew.control()
    worker = crew.worker()
    job_id = crew.stage(STEPS, total=100)
    crew.running(job_id)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    row = crew.row(job_id)
    assert (row.state in {"staged", "queued"}, row.attempts) == (True, 0)
    crew.until(lambda: crew.workers() == 0)
    crew.worker()
    assert crew.finished(job_id).attempts == 1


def test_a_redis_that_forgets_everything_loses_no_job(crew: Crew, redis_url: str) -> None:
    control = crew.control()
    jobs = [crew.stage(WAIT, seconds="0") for _ in range(50)]
    crew.until(lambda: all(crew.row(job_id).state == "queued" for job_id in jobs))
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    crew.worker()
    for job_id in jobs:
        assert crew.finished(job_id, seconds=30).attempts == 1
    assert control.poll() is None


def test_a_job_that_holds_the_interpreter_longer_than_a_lease_runs_once(crew: Crew) -> None:
    crew.control()
    crew.worker(threads=2)
    crew.worker(threads=2)
    job_id = crew.stage(HOLD, seconds=LEASE_S + 4)
    row = crew.finished(job_id, seconds=60)
    assert (row.state, row.attempts, row.result) == ("done", 1, {"attempt": 1})
