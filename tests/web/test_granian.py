"""The real server: two worker processes, real sockets, a stop that lets answers out."""

import re
import signal
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from db import outbox
from db.database import Database
from shop import jobs
from tests.web.serving import Running, Serve

SignedIn = Callable[..., dict[str, str]]

WORKER_MB = 250
"""What one web process may use: a small machine runs two of them beside four workers."""


@pytest.fixture(name="server")
def _server(serve: Serve) -> Running:
    return serve("web.wsgi:app", workers=2, threads=8)


def staged(db: Database) -> str:
    token = outbox.origin.set(outbox.Origin(asked_by="usr_1"))
    try:
        with db.transaction() as tx:
            return outbox.stage(tx, jobs.PLACE_ORDER, order_id="ord_1")
    finally:
        outbox.origin.reset(token)


def test_two_processes_serve_without_mixing_their_answers_up(
    db: Database, server: Running, signed_in: SignedIn
) -> None:
    ids = [staged(db) for _ in range(20)]
    headers = signed_in("usr_1")

    def show(job_id: str) -> tuple[str, str]:
        return job_id, requests.get(f"{server.url}/v1/jobs/{job_id}", headers=headers, timeout=10).json()["id"]

    with ThreadPoolExecutor(8) as threads:
        assert all(asked == answered for asked, answered in threads.map(show, ids * 5))
    figures = requests.get(f"{server.url}/metrics", timeout=10).text
    counted = re.search(
        r'backroom_requests_total{method="GET",route="GET /v1/jobs/{job_id}",status="200"} (\d+)', figures
    )
    assert counted is not None
    assert int(counted[1]) == 100  # of both processes together
    for pid in server.workers():
        rss = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024  # type: ignore[index]
        assert 20 < rss < WORKER_MB
        assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()
    assert len(server.workers()) == 2


def test_a_body_without_length_is_held_to_the_limit_too(server: Running, signed_in: SignedIn) -> None:
    def endless() -> Generator[bytes]:
        for _ in range(64):
            yield b"x" * 4096

    headers = {**signed_in("a", "admin"), "Content-Type": "application/json"}
    answer = requests.post(f"{server.url}/v1/jobs/job_x/retry", data=endless(), headers=headers, timeout=10)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_those_who_wait_leave_room_for_those_who_do_not(db: Database, server: Running, signed_in: SignedIn) -> None:
    headers = {**signed_in("usr_1"), "Prefer": "wait=3"}
    job_id = staged(db)

    def wait(_: int) -> float:
        started = time.monotonic()
        assert requests.get(f"{server.url}/v1/jobs/{job_id}", headers=headers, timeout=10).status_code == 200
        return time.monotonic() - started

    with ThreadPoolExecutor(24) as threads:
        waits = [threads.submit(wait, number) for number in range(24)]
        time.sleep(0.7)
        started = time.monotonic()
        for _ in range(5):
            assert requests.get(f"{server.url}/health/live", timeout=10).ok
        assert time.monotonic() - started < 1.5
        assert sum(waited.result() > 2.5 for waited in waits) >= 5


def test_an_answer_that_is_waited_for_survives_the_stop(db: Database, server: Running, signed_in: SignedIn) -> None:
    headers = {**signed_in("usr_1"), "Prefer": "wait=2"}
    job_id = staged(db)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(requests.get, f"{server.url}/v1/jobs/{job_id}", headers=headers, timeout=10)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        assert waiting.result().status_code == 200
    assert server.process.wait(15) == 0
