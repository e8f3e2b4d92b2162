"""Jobs and queues over HTTP."""

import threading
import time
from collections.abc import Callable

from flask.testing import FlaskClient

from db import job_rows, job_runs, outbox
from db.database import Database
from shop import jobs

Headers = dict[str, str]
SignedIn = Callable[..., Headers]


def staged(db: Database, asked_by: str | None = "usr_1") -> str:
    token = outbox.origin.set(outbox.Origin(asked_by=asked_by))
    try:
        with db.transaction() as tx:
            return outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1")
    finally:
        outbox.origin.reset(token)


def run(db: Database, job_id: str, result: dict[str, object]) -> None:
    with db.transaction() as tx:
        job_runs.mark_handed(tx, [job_id], ["message_1"])
        claimed = job_runs.claim(tx, job_id, 0, owner="test")
        assert claimed is not None
        assert job_runs.done(tx, job_id, claimed.fence, result=result)


def kill(db: Database, job_id: str) -> None:
    with db.transaction() as tx:
        tx.execute(
            "UPDATE jobs SET state = 'dead', finished_at = now(), error_kind = 'bug', error = 'secret detail' WHERE id = %s",
            (job_id,),
        )


def test_who_asked_for_a_job_sees_how_it_stands(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    job_id = staged(db)
    answer = client.get(f"/v1/jobs/{job_id}", headers=signed_in("usr_1"))
    assert answer.status_code == 200
    body = answer.json
    assert body is not None
    assert body["state"] == "staged"
    assert body["name"] == "payments.place"
    assert body["progress"] == {"done": None, "total": None}
    assert "error" not in body
    assert body["timestamps"]["created_at"].endswith("Z")


def test_another_customers_job_does_not_exist(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    job_id = staged(db)
    answer = client.get(f"/v1/jobs/{job_id}", headers=signed_in("usr_2"))
    assert answer.status_code == 404
    assert client.get(f"/v1/jobs/{job_id}", headers=signed_in("usr_3", "support")).status_code == 200


def test_prefer_wait_holds_the_answer_until_the_job_is_done(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    job_id = staged(db)
    worker = threading.Timer(0.3, run, (db, job_id, {"lines": 3}))
    worker.start()
    started = time.monotonic()
    answer = client.get(f"/v1/jobs/{job_id}", headers={**signed_in("usr_1"), "Prefer": "wait=10"})
    worker.join()
    assert time.monotonic() - started < 3
    assert answer.json is not None
    assert answer.json["state"] == "done"
    assert answer.json["result"] == {"lines": 3}
    assert answer.headers["Preference-Applied"] == "wait"


def test_a_wait_that_is_over_answers_the_present_state(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    job_id = staged(db)
    answer = client.get(f"/v1/jobs/{job_id}", headers={**signed_in("usr_1"), "Prefer": "wait=1"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["state"] == "staged"
    assert "Preference-Applied" not in answer.headers


def test_support_lists_dead_jobs_page_by_page(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    ids = [staged(db) for _ in range(3)]
    for job_id in ids:
        kill(db, job_id)
    staged(db)
    first = client.get("/v1/jobs?state=dead&limit=2", headers=signed_in("s", "support")).json
    assert first is not None
    second = client.get(
        "/v1/jobs",
        query_string={"state": "dead", "limit": 2, "cursor": first["next_cursor"]},
        headers=signed_in("s", "support"),
    ).json
    assert second is not None
    assert [job["id"] for job in first["data"] + second["data"]] == sorted(ids, reverse=True)
    assert second["next_cursor"] is None
    assert "secret detail" not in str(first)


def test_an_admin_retries_a_dead_job_and_support_may_not(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    job_id = staged(db)
    kill(db, job_id)
    assert client.post(f"/v1/jobs/{job_id}/retry", headers=signed_in("s", "support")).status_code == 403
    answer = client.post(f"/v1/jobs/{job_id}/retry", headers=signed_in("a", "admin"))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["state"] == "staged"
    again = client.post(f"/v1/jobs/{job_id}/retry", headers=signed_in("a", "admin"))
    assert (again.status_code, again.json and again.json["code"]) == (409, "job_not_retriable")


def test_a_dismissed_job_keeps_the_name_of_who_decided(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    job_id = staged(db)
    assert client.delete(f"/v1/jobs/{job_id}", headers=signed_in("adm_7", "admin")).status_code == 200
    with db.transaction() as tx:
        row = tx.execute("SELECT state, dismissed_by FROM jobs WHERE id = %s", (job_id,)).fetchone()
    assert row == ("failed", "adm_7")
    again = client.delete(f"/v1/jobs/{job_id}", headers=signed_in("adm_7", "admin"))
    assert (again.status_code, again.json and again.json["code"]) == (409, "job_not_dismissible")


def test_a_paused_queue_says_so_until_it_is_resumed(db: Database, client: FlaskClient, signed_in: SignedIn) -> None:
    admin = signed_in("a", "admin")
    paused = client.post("/v1/queues/payments/pause", headers=admin).json
    assert paused is not None
    assert paused["paused"] is True
    with db.transaction() as tx:
        assert job_rows.queues(tx, ["payments"])[0].paused
    shown = client.get("/v1/queues", headers=admin).json
    assert shown is not None
    assert shown["next_cursor"] is None
    assert [queue["name"] for queue in shown["data"] if queue["paused"]] == ["payments"]
    resumed = client.post("/v1/queues/payments/resume", headers=admin).json
    assert resumed is not None
    assert resumed["paused"] is False
    assert client.post("/v1/queues/nonsense/pause", headers=admin).status_code == 404


def test_the_words_of_a_bug_are_for_admins_and_nothing_of_it_for_who_asked(
    db: Database, client: FlaskClient, signed_in: SignedIn
) -> None:
    job_id = staged(db)
    kill(db, job_id)
    path = f"/v1/jobs/{job_id}/details"
    for_admin = client.get(path, headers=signed_in("usr_9", "admin")).json
    assert for_admin is not None
    assert (for_admin["arguments"], for_admin["asked_by"]) == ({"order_id": "ord_1"}, "usr_1")
    assert (for_admin["error_kind"], for_admin["error"]) == ("bug", "secret detail")
    for_support = client.get(path, headers=signed_in("usr_7", "support")).json
    assert for_support is not None
    assert set(for_admin) - set(for_support) == {"error"}
    assert client.get(path, headers=signed_in("usr_1")).status_code == 403
    assert client.get("/v1/jobs/job_none/details", headers=signed_in("usr_7", "support")).status_code == 404


def test_the_timetable_is_for_support_and_empty_before_a_clock_ran(client: FlaskClient, signed_in: SignedIn) -> None:
    assert client.get("/v1/timetable", headers=signed_in("usr_7", "support")).json == {"data": [], "next_cursor": None}
    assert client.get("/v1/timetable", headers=signed_in("usr_1")).status_code == 403
