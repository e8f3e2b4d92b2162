"""Prefer: wait."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from boot.services import connect
from boot.settings import Settings
from tests.web import toyshop
from web.app import create_app
from web.waiting import Waiters, Waiting, preferred_wait_s


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("wait=5", 5),
        ("WAIT = 5", 5),
        ('wait="7"', 7),
        ("respond-async, wait=10", 10),
        ("wait=10; x=1, return=minimal", 10),
        ("wait=999999", 30),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=abc", 0),
        ("wait", 0),
        ("await=9", 0),
        ("wait=1.5", 0),
    ],
)
def test_the_wish_is_read_as_the_rfc_writes_it(prefer: str | None, seconds: float) -> None:
    assert preferred_wait_s(prefer) == seconds


def test_without_a_wish_nothing_is_loaded_again() -> None:
    loads: list[int] = []
    waiting = Waiting(Waiters(1), None, understood=True)
    waiting.until(None, lambda: loads.append(1), lambda _: False)
    assert loads == []
    assert not waiting.applied


def test_a_route_that_does_not_wait_ignores_the_wish() -> None:
    assert Waiting(Waiters(1), "wait=10", understood=False).wait_s == 0


def test_who_finds_no_seat_is_answered_at_once(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(web_threads=3), name="test")  # two thirds of three: two seats
    toyshop.GATE.clear()
    app = create_app(services, [toyshop.group()])

    def ask(_: int) -> float:
        started = time.monotonic()
        assert app.test_client().get("/toys/wait", headers={"Prefer": "wait=2"}).status_code == 200
        return time.monotonic() - started

    with ThreadPoolExecutor(6) as threads:
        took = sorted(threads.map(ask, range(6)))
    assert took[3] < 1
    assert took[4] > 1.9
    assert app.test_client().get("/toys/wait", headers={"Prefer": "wait=1"}).status_code == 200
    services.db.close()


def test_waiting_sees_the_moment_it_settles(toys: FlaskClient) -> None:
    opening = threading.Timer(0.5, toyshop.GATE.set)
    opening.start()
    started = time.monotonic()
    answer = toys.get("/toys/wait", headers={"Prefer": "wait=20"})
    took = time.monotonic() - started
    opening.join()
    assert answer.headers["Preference-Applied"] == "wait"
    assert 0.4 < took < 1.2
