"""One id from the request to its jobs and its log line."""

import json
from collections.abc import Callable

import pytest
import structlog
from flask.testing import FlaskClient

from boot.services import Services
from db import outbox
from db.database import Database
from shop import jobs
from web.access import CUSTOMER
from web.app import create_app
from web.call import Call
from web.models import Out
from web.routes import Group

SignedIn = Callable[..., dict[str, str]]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Staged(Out):
    job: str


@pytest.fixture(name="staging")
def _staging(services: Services) -> FlaskClient:
    group = Group("Staging", "One route that stages a job.")

    @group.route("POST", "/stage", who=CUSTOMER, keyed=True, answers={200: Staged})
    def stage(call: Call) -> Staged:
        """Stage."""
        with call.db.transaction() as tx:
            return Staged(job=outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1"))

    return create_app(services, [group]).test_client()


def test_a_job_knows_the_request_the_trace_and_who_asked(
    db: Database, staging: FlaskClient, signed_in: SignedIn
) -> None:
    headers = {**signed_in("usr_7"), "Idempotency-Key": "k", "X-Request-Id": "shop-42", "traceparent": PARENT}
    answer = staging.post("/stage", headers=headers)
    assert answer.headers["X-Request-Id"] == "shop-42"
    with db.transaction() as tx:
        row = tx.execute("SELECT request_id, traceparent, asked_by FROM jobs").fetchone()
    assert row == ("shop-42", PARENT, "usr_7")
    assert outbox.origin.get() == outbox.Origin()


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", '"}', "ü", "-leading"])
def test_an_id_that_could_spoil_a_log_line_is_replaced(client: FlaskClient, given: str) -> None:
    answered = client.get("/health/live", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert answered.startswith("req_")


@pytest.mark.parametrize(
    "parent", ["garbage", PARENT.replace("00-4", "ff-4"), "00-" + "0" * 32 + "-00f067aa0ba902b7-01", PARENT + "-x"]
)
def test_a_broken_trace_is_dropped(db: Database, staging: FlaskClient, signed_in: SignedIn, parent: str) -> None:
    staging.post("/stage", headers={**signed_in(), "Idempotency-Key": "k", "traceparent": parent})
    with db.transaction() as tx:
        assert tx.execute("SELECT traceparent FROM jobs").fetchone() == (None,)


def test_each_request_leaves_one_line_and_no_personal_data(client: FlaskClient, signed_in: SignedIn) -> None:
    with structlog.testing.capture_logs() as lines:
        client.get("/v1/jobs/job_secret-path", headers=signed_in("usr_1", email="anna@example.com"))
        client.get("/health/live")
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) == 1  # probes are silent
    line = requests[0]
    assert (line["route"], line["status"], line["code"], line["caller"]) == (
        "GET /v1/jobs/{job_id}",
        404,
        "not_found",
        "usr_1",
    )
    assert "anna" not in json.dumps(lines)
