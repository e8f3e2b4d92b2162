"""The doors every stand-in shares: faults as the wire shows them, the record of requests, reset."""

import json
from collections.abc import Iterator

import pytest
import requests
from flask import Flask, jsonify, request

from devstack.stand_ins.doors import Served, install_doors, serving


class Till:
    """A stand-in of one route, and what it has done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.app = Flask("till")
        self.app.add_url_rule("/sales/<item>/close", "close", self.close, methods=["POST"])
        install_doors(self.app, self.done.clear)

    def close(self, item: str):
        self.done.append(item)
        return jsonify({"item": item, "given": request.get_data(as_text=True)})


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def served(till: Till) -> Iterator[Served]:
    with serving(till.app) as served:
        yield served


def plan(served: Served, **fault: object) -> requests.Response:
    return requests.post(f"{served.url}/standin/faults", json={"match": "POST /sales/*/close", **fault}, timeout=5)


def close(served: Served, **kwargs: object) -> requests.Response:
    return requests.post(f"{served.url}/sales/7/close", timeout=5, **kwargs)  # type: ignore[arg-type]


def test_a_planned_status_answers_without_doing_the_work_and_only_as_often_as_asked(till: Till, served: Served):
    assert plan(served, kind="status", status=503, times=2).status_code == 201
    assert [close(served).status_code for _ in range(3)] == [503, 503, 200]
    assert till.done == ["7"]


def test_a_timeout_drops_the_connection_without_doing_the_work(till: Till, served: Served):
    plan(served, kind="timeout", seconds=0.05)
    with pytest.raises(requests.ConnectionError, match="without response"):
        close(served)
    assert till.done == []


def test_a_timeout_after_work_drops_the_connection_with_the_work_done(till: Till, served: Served):
    plan(served, kind="timeout_after_work", seconds=0.05)
    with pytest.raises(requests.ConnectionError, match="without response"):
        close(served)
    assert till.done == ["7"]


def test_a_reset_is_seen_as_a_reset_by_peer(till: Till, served: Served):
    plan(served, kind="reset")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        close(served)
    assert till.done == []


def test_a_slow_request_is_done_late(till: Till, served: Served):
    plan(served, kind="slow", seconds=0.1)
    answer = close(served)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.1


def test_a_fault_for_another_route_leaves_this_one_alone_and_waits(served: Served):
    plan(served, match="POST /refunds", kind="status")
    assert close(served).status_code == 200
    waiting = requests.get(f"{served.url}/standin/faults", timeout=5).json()["data"]
    assert [(fault["match"], fault["times"]) for fault in waiting] == [("POST /refunds", 1)]


def test_faults_never_hit_the_doors_or_the_liveness_probe(served: Served):
    plan(served, match="* /*", kind="status", times=5)
    assert requests.get(f"{served.url}/health/live", timeout=5).status_code == 200
    assert requests.get(f"{served.url}/standin/requests", timeout=5).status_code == 200
    assert close(served).status_code == 500


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "explode"}, "kind must be one of"),
        ({"kind": "status", "status": 200}, "status must be a whole number from 400 to 599"),
        ({"kind": "status", "times": 0}, "times must be a whole number"),
        ({"kind": "slow", "seconds": "long"}, "seconds must be a number"),
        ({"kind": "slow", "colour": "red"}, "unknown field: colour"),
        ({"kind": "status", "stored": True}, "stored needs"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(served: Served, fault: dict[str, object], reason: str):
    answer = plan(served, **fault)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_requests_are_shown_newest_first_with_status_and_fault(served: Served):
    plan(served, kind="status", status=502)
    close(served)
    close(served, json={"n": 1})
    shown = requests.get(f"{served.url}/standin/requests", timeout=5).json()["data"]
    assert [(seen["status"], seen["fault"]) for seen in shown] == [(200, None), (502, "status")]
    assert (shown[0]["method"], shown[0]["path"], json.loads(shown[0]["body"])) == (
        "POST",
        "/sales/7/close",
        {"n": 1},
    )


def test_the_record_keeps_no_secret_and_no_card_number(served: Served):
    close(
        served,
        data={"card": "4242 4242 4242 4242", "order": "1234567890123456"},
        headers={"Authorization": "Bearer sk_test_secret"},
    )
    (seen,) = requests.get(f"{served.url}/standin/requests", timeout=5).json()["data"]
    assert seen["headers"]["authorization"] == "[redacted]"
    assert seen["body"] == "card=[digits]&order=1234567890123456"


def test_reset_forgets_faults_requests_and_the_state_of_the_stand_in(till: Till, served: Served):
    close(served)
    plan(served, kind="status")
    assert requests.post(f"{served.url}/standin/reset", timeout=5).status_code == 204
    assert till.done == []
    assert requests.get(f"{served.url}/standin/requests", timeout=5).json() == {"data": []}
    assert close(served).status_code == 200
