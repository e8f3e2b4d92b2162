"""Runs that end oddly: each leaves a row that says why, and none stays running."""

from tests.tasks.conftest import Crew
from tests.tasks.doors import MISSING, ODD, WAIT


def test_what_the_database_would_not_take_ends_the_job_with_the_reason_in_its_row(crew: Crew) -> None:
    said = {
        "not_json": "not JSON serializable",
        "nul": "unsupported Unicode escape sequence",
        "huge": "100012 characters of JSON",
        "nul_error": "zero \N{REPLACEMENT CHARACTER} byte, half a pair ?",
        "huge_error": "x" * 2000,
        "exit": "3",
    }
    crew.control()
    crew.worker()
    jobs = {how: crew.stage(ODD, how=how) for how in said}
    rows = {how: crew.finished(job_id, seconds=15) for how, job_id in jobs.items()}
    assert {how: (row.state, row.error_kind) for how, row in rows.items()} == dict.fromkeys(said, ("dead", "bug"))
    assert [how for how, row in rows.items() if said[how] not in (row.error or "")] == []


def test_arguments_that_fit_no_door_end_dead_and_name_the_argument(crew: Crew) -> None:
    crew.control()
    crew.worker()
    row = crew.finished(crew.stage(ODD, order_id="ord_1"))
    assert (row.state, row.error_kind) == ("dead", "bug")
    assert "order_id" in (row.error or "")


def test_a_job_without_a_door_waits_with_the_reason_in_its_row_and_hinders_nobody(crew: Crew) -> None:
    crew.control()
    crew.worker(threads=1)
    unknown, known = crew.stage(MISSING), crew.stage(WAIT, seconds="0")
    crew.until(lambda: crew.row(unknown).error_code == "unknown_job")
    row = crew.row(unknown)
    assert (row.state, row.attempts) == ("staged", 0)
    assert row.run_after > row.created_at
    assert "probe.missing" in (row.error or "")
    assert crew.finished(known).state == "done"
