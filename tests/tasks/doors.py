"""Doors that only tests go through: they wait, fail, die and hold the interpreter on request."""

import ctypes
import os
import time
from typing import Any

import psycopg

from boot.services import Services
from db.outbox import Job
from shop.errors import NotYet, Rejected
from tasks.broker import Run, performs

WAIT = Job("probe.wait", queue="probe", max_attempts=3, time_limit_s=60)
FAIL = Job("probe.fail", queue="probe", max_attempts=2)
STEPS = Job("probe.steps", queue="probe", max_attempts=3)
LIMITED = Job("probe.limited", queue="probe", max_attempts=1, time_limit_s=1)
HOLD = Job("probe.hold", queue="probe", max_attempts=3, time_limit_s=60)

ODD = Job("probe.odd", queue="probe", max_attempts=1)
MISSING = Job("probe.missing", queue="probe")
"""Has no door: a job of a version that is not here yet."""

NAP_S = 0.05


class OutOfStock(Rejected):
    code = "out_of_stock"


@performs(WAIT)
def wait(_services: Services, run: Run, *, seconds: str) -> dict[str, Any]:
    time.sleep(float(seconds))
    return {"attempt": run.attempt, "pid": os.getpid()}


@performs(FAIL)
def fail(_services: Services, run: Run, *, how: str) -> None:
    if how == "rejected":
        raise OutOfStock("none left")
    if how == "not_yet":
        raise NotYet("later", retry_after_s=0.1)
    if how == "snooze" and run.attempt == 1:
        raise NotYet("told to wait", spends_attempt=False)
    if how == "die":
        os._exit(9)
    if how == "database away":
        raise psycopg.OperationalError("the server closed the connection")
    if how == "bug":
        raise ZeroDivisionError("a bug")


@performs(STEPS)
def steps(_services: Services, run: Run, *, total: int) -> dict[str, Any]:
    for step in range(total):
        run.progress(step, total)
        time.sleep(NAP_S)
    return {"steps": total}


@performs(LIMITED)
def limited(_services: Services, _run: Run) -> None:
    while True:
        time.sleep(NAP_S)


@performs(HOLD)
def hold(_services: Services, run: Run, *, seconds: int) -> dict[str, Any]:
    # PyDLL, unlike CDLL, keeps the interpreter's lock during the call: no other thread of this process runs.
    ctypes.PyDLL(None).sleep(seconds)
    return {"attempt": run.attempt}


@performs(ODD)
def odd(_services: Services, _run: Run, *, how: str) -> dict[str, Any]:
    """Ends in a way that PostgreSQL would not take."""
    results: dict[str, dict[str, Any]] = {
        "not_json": {"at": object()},
        "nul": {"text": "\0"},
        "huge": {"text": "x" * 100_000},
    }
    if how == "nul_error":
        raise ZeroDivisionError("zero \0 byte, half a pair \ud800")
    if how == "huge_error":
        raise ZeroDivisionError("x" * 1_000_000)
    if how == "exit":
        raise SystemExit(3)
    return results[how]
