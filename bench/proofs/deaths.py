"""A worker that vanishes: one job in a process of its own, killed with SIGKILL at the boundary that was named.

Nothing is raised and nothing is recorded: whoever comes later finds a job that runs under a lease nobody renews.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from multiprocessing.connection import Connection
from typing import Any

import structlog

from boot.services import Services, connect
from boot.settings import Settings
from db.database import Database, Tx
from tasks import documents, payments
from tasks.broker import performers
from tasks.runner import Runner

BEFORE_CALL, AFTER_CALL = "before call", "after call"
BEFORE_COMMIT, AFTER_COMMIT = "before commit", "after commit"
ACKNOWLEDGE = "before acknowledge"
KINDS = (BEFORE_CALL, AFTER_CALL, BEFORE_COMMIT, AFTER_COMMIT, ACKNOWLEDGE)

DOORS = (documents, payments)
"""Importing them registers what they perform."""

END_WITHIN_S = 60.0
"""A job of these takes less than a second; the rest is room for a busy machine."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place where a run may end. `what` is the call, for people to read."""

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Life:
    """How a run ended: struck down, or at its own end after these boundaries."""

    struck: bool
    passed: tuple[Boundary, ...]


def live(settings: Settings, name: str, job_id: str, fence: int, *, die_at: int | None = None) -> Life:
    """Run one job in a new process, which is gone at the boundary with this number (from 0)."""
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_run, args=(settings, name, job_id, fence, die_at, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        passed: tuple[Boundary, ...] = ours.recv() if ours.poll(END_WITHIN_S) else ()
    except EOFError:
        passed = ()
    process.join(END_WITHIN_S)
    assert process.exitcode in {0, -signal.SIGKILL}, f"{name} ended with {process.exitcode}"
    return Life(process.exitcode == -signal.SIGKILL, passed)


@dataclass
class _Way:
    """The boundaries of one run, in the order in which they are reached."""

    die_at: int | None
    passed: list[Boundary] = field(default_factory=list[Boundary])

    def reach(self, kind: str, what: str) -> None:
        if len(self.passed) == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed.append(Boundary(kind, what))


class _MortalDatabase(Database):
    """Only a block that ends well commits."""

    def __init__(self, settings: Settings, way: _Way) -> None:
        super().__init__(settings.database_url.get_secret_value(), size=2, name="mortal")
        self._way = way

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        with super().transaction() as tx:
            yield tx
            self._way.reach(BEFORE_COMMIT, "")
        self._way.reach(AFTER_COMMIT, "")


class _MortalService:
    """Any service of ours, with a boundary before and after each call."""

    def __init__(self, service: Any, name: str, way: _Way) -> None:
        self._service, self._name, self._way = service, name, way

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._service, name)
        if not callable(call):
            return call
        what = f"{self._name}.{name}"

        def asked(*args: Any, **named: Any) -> Any:
            self._way.reach(BEFORE_CALL, what)
            try:
                return call(*args, **named)
            finally:
                self._way.reach(AFTER_CALL, what)

        return asked


def _run(settings: Settings, name: str, job_id: str, fence: int, die_at: int | None, told: Connection) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    way = _Way(die_at)
    services = _mortal(settings, way)
    performer = performers[name]

    def door(*given: Any, **args: Any) -> Any:
        result = performer.door(*given, **args)
        way.reach(ACKNOWLEDGE, "")
        return result

    Runner(services, f"mortal-{os.getpid()}", threading.Event()).run(replace(performer, door=door), job_id, fence)
    told.send(tuple(way.passed))
    told.close()
    os._exit(0)  # a pool's threads are in no hurry


def _mortal(settings: Settings, way: _Way) -> Services:
    real = connect(settings, name="mortal")
    wrapped = {
        part.name: _MortalService(getattr(real, part.name), part.name, way)
        for part in fields(real)
        if part.name not in {"settings", "db"}
    }
    return replace(real, db=_MortalDatabase(settings, way), **wrapped)


def _forks() -> Any:
    # Forked from a process without threads that has all of this loaded: as quick as fork, as clean as a new start.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.proofs.deaths", "weasyprint"])
    return context


_FORKS = _forks()
