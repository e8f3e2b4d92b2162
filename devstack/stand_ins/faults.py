"""Planned misbehaviour: which of the next requests fail, and how, as the wire would show it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from http.client import responses
from typing import TYPE_CHECKING, Any, NoReturn, cast

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KINDS = ("status", "timeout", "timeout_after_work", "reset", "slow")
# The doors themselves and the liveness probe must answer whatever is planned for the rest.
SPARED = ("/standin/", "/health/")
TIMEOUT_S = 100.0  # longer than the 80 s after which Stripe's own SDK gives up
SLOW_S = 5.0  # noticeable by a person and by any latency alarm, yet below every client's timeout
STORED_STATUS, SLEEP = "standin.stored_status", "standin.sleep"

ErrorBody = Callable[[int], dict[str, Any]]


class BadFaultError(ValueError):
    """The description of a fault cannot be understood; the text says why."""


@dataclass(frozen=True)
class Fault:
    """`match` is `METHOD /path` with `*` for anything, slashes included; `seconds` is how long it sleeps."""

    match: str
    kind: str
    times: int
    status: int
    seconds: float
    stored: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_fault(described: Any, *, keeps_failures: bool) -> Fault:
    """Return the fault that a JSON body describes; raise BadFaultError with the reason if it is none."""
    if not isinstance(described, dict):
        raise BadFaultError("the body must be a JSON object")
    given = cast("dict[str, Any]", described)
    if unknown := sorted(given.keys() - {"match", "kind", "times", "status", "seconds", "stored"}):
        raise BadFaultError(f"unknown field: {unknown[0]}")
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadFaultError(f"kind must be one of {', '.join(KINDS)}")
    fault = Fault(
        match=_match(given),
        kind=kind,
        times=_whole(given, "times", default=1, low=1, high=1_000_000),
        status=_whole(given, "status", default=500, low=400, high=599),
        seconds=_seconds(given, TIMEOUT_S if kind.startswith("timeout") else SLOW_S),
        stored=given.get("stored") is True,
    )
    if fault.stored and not (keeps_failures and kind == "status"):
        raise BadFaultError("stored needs kind status and a stand-in that stores answers under idempotency keys")
    return fault


def stored_status() -> int | None:
    """The status which the request at hand must fail with inside the idempotency layer, if one is planned."""
    return request.environ.get(STORED_STATUS)


def sleep_if_planned() -> None:
    """Do the sleeping of a "slow" request where the application chose to do it itself."""
    sleep = request.environ.pop(SLEEP, None)
    if sleep is not None:
        sleep()


def _match(given: dict[str, Any]) -> str:
    match = given.get("match")
    if not isinstance(match, str) or not match.strip():
        raise BadFaultError('match must be text such as "POST /v1/payment_intents/*/capture"')
    named = match.strip()
    return named if " " in named else f"* {named}"


def _whole(given: dict[str, Any], field: str, *, default: int, low: int, high: int) -> int:
    value = given.get(field, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadFaultError(f"{field} must be a whole number from {low} to {high}")
    return value


def _seconds(given: dict[str, Any], default: float) -> float:
    value = given.get("seconds", default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise BadFaultError("seconds must be a number and not negative")
    return float(value)


class Plan:
    """The faults still waiting for their request, first planned first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._released = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def clear(self) -> None:
        """Forget all faults, and let the requests that sleep in one go on to their end at once."""
        with self._lock:
            self._faults = []
            self._released.set()
            self._released = threading.Event()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, used up by one, or None."""
        asked = f"{method} {path}"
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fnmatchcase(asked, fault.match):
                    left = replace(fault, times=fault.times - 1)
                    self._faults[place : place + 1] = [left] if left.times else []
                    return fault
        return None

    def sleep(self, seconds: float) -> None:
        with self._lock:
            released = self._released
        released.wait(seconds)


class FaultyApp:
    """A WSGI application that does what the plan says before, after or instead of the real one."""

    def __init__(
        self, app: "WSGIApplication", plan: Plan, error_body: ErrorBody, *, sleeps_inside: bool = False
    ) -> None:
        self._app, self._plan, self._error_body = app, plan, error_body
        self._sleeps_inside = sleeps_inside

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        fault = None if path.startswith(SPARED) else self._plan.take(str(environ["REQUEST_METHOD"]), path)
        if fault is None:
            return self._app(environ, start_response)
        environ["standin.fault"] = fault.kind
        return self._misbehave(fault, environ, start_response)

    def _misbehave(self, fault: Fault, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if fault.kind == "status" and fault.stored:
            environ[STORED_STATUS] = fault.status
        elif fault.kind == "status":
            return self._answer(fault.status, start_response)
        elif fault.kind == "slow" and self._sleeps_inside:
            environ[SLEEP] = lambda: self._plan.sleep(fault.seconds)
        elif fault.kind == "slow":
            self._plan.sleep(fault.seconds)
        elif fault.kind == "timeout":
            self._plan.sleep(fault.seconds)
            _drop(environ)
        elif fault.kind == "timeout_after_work":
            _work_unheard(self._app, environ)
            self._plan.sleep(fault.seconds)
            _drop(environ)
        else:
            _drop(environ, abruptly=True)
        return self._app(environ, start_response)

    def _answer(self, status: int, start_response: "StartResponse") -> list[bytes]:
        body = json.dumps(self._error_body(status)).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {responses.get(status, 'Injected')}", headers)
        return [body]


def _work_unheard(app: "WSGIApplication", environ: "WSGIEnvironment") -> None:
    def start_response(*_given: object) -> Callable[[bytes], object]:
        return lambda _written: None

    answer = app(environ, cast("StartResponse", start_response))
    for _part in answer:
        time.sleep(0)  # the answer is read to its end, as a server would, and thrown away
    if close := getattr(answer, "close", None):
        close()


def _drop(environ: "WSGIEnvironment", *, abruptly: bool = False) -> NoReturn:
    """End the connection without an answer: politely (FIN), or as a crashed peer does (RST)."""
    connection = cast("socket.socket | None", environ.get("werkzeug.socket"))
    if connection is not None:
        if abruptly:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD if abruptly else socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped on purpose")
