"""A worker's small sibling process: keeps its leases while it lives, and says so at once when it is dead.

A model can hold the interpreter for longer than a lease lasts; no thread of the same process could beat then. And a
process that was killed cannot report it. The sibling sees both: it waits on a pipe that closes with its worker.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict

import structlog

from boot import logs
from boot.settings import read_settings
from db import job_recovery, job_runs, workers
from db.database import Database, DatabaseUnavailable, Tx
from db.workers import LivingWorker

log = structlog.get_logger()

GOODBYE = b"."
SIGN_OF_LIFE = b"+"
RETRY_S = 1.0

SILENT_FOR_S = 12.0
"""A sibling that said nothing for so long is stuck and gets a successor, early enough for the leases of LEASE_S. A
round of it takes LEASE_BEAT_S, and while the database is away a few seconds more."""

FAREWELL_S = 2.0


class Sibling:
    """The worker's end: starts the process, replaces it should it die or hang, and dismisses it on a clean exit."""

    def __init__(self, worker: LivingWorker, *, silent_for_s: float = SILENT_FOR_S) -> None:
        self._worker = worker
        self._silent_for_s = silent_for_s
        self._process = self._spawn()
        self._heard_at = time.monotonic()

    def keep_alive(self) -> None:
        """Call every few seconds."""
        if self._heard():
            self._heard_at = time.monotonic()
        if self._process.poll() is None and time.monotonic() - self._heard_at < self._silent_for_s:
            return
        log.warning("sibling is dead or silent and is replaced", code=self._process.poll())
        self._process.kill()
        self._process.wait()
        os.close(self._pulse)
        self._process = self._spawn()
        self._heard_at = time.monotonic()

    def dismiss(self) -> None:
        """Returns when it is gone, so that no late beat brings the worker's row back."""
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            assert self._process.stdin is not None
            self._process.stdin.write(GOODBYE)
            self._process.stdin.close()
            self._process.wait(timeout=FAREWELL_S)

    def _heard(self) -> bool:
        readable, _, _ = select.select([self._pulse], [], [], 0)
        return bool(readable) and os.read(self._pulse, 1024) != b""

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._pulse, its_end = os.pipe()
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "tasks.sibling", json.dumps(asdict(self._worker)), str(its_end)],
                stdin=subprocess.PIPE,
                pass_fds=[its_end],
                bufsize=0,
            )
        finally:
            os.close(its_end)


def watch(worker: LivingWorker, pulse: int) -> None:
    """Beat until the worker says goodbye or its end of the pipe closes. `pulse` is where each round is told."""
    # The platform signals the whole group; the sibling must outlive the worker's own farewell.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = read_settings()
    logs.configure(settings.log_level, process="sibling")
    line = _Line(Database(settings.database_past_pooler, name="sibling"))
    while True:
        _beat(line, worker)
        with contextlib.suppress(BrokenPipeError):  # the worker is dead; the next line sees it
            os.write(pulse, SIGN_OF_LIFE)
        readable, _, _ = select.select([sys.stdin], [], [], job_runs.LEASE_BEAT_S)
        if readable:
            if os.read(sys.stdin.fileno(), 1) != GOODBYE:
                _report_death(line, worker.boot_id)
            return


class _Line:
    """One connection, opened anew as soon as the database is back: a pool waits longer from try to try, and the
    leases of a living worker would run out meanwhile."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._open = ExitStack()
        self._session: Tx | None = None

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        if self._session is None or self._session.closed:
            self._open.close()
            self._session = self._open.enter_context(self._db.session())
        with self._session.transaction():
            yield self._session


def _beat(line: _Line, worker: LivingWorker) -> None:
    try:
        with line.transaction() as tx:
            workers.beat(tx, worker)
            job_recovery.extend_leases(tx, worker.boot_id)
    except DatabaseUnavailable as error:
        log.warning("beat missed", reason=type(error).__name__)


def _report_death(line: _Line, boot_id: str) -> None:
    give_up_at = time.monotonic() + job_runs.LEASE_S
    while time.monotonic() < give_up_at:
        try:
            with line.transaction() as tx:
                released = job_recovery.release_dead(tx, boot_id)
                workers.mark_dead(tx, boot_id)
        except DatabaseUnavailable:
            time.sleep(RETRY_S)
        else:
            log.warning("worker died", boot_id=boot_id, jobs_put_back=released)
            return


if __name__ == "__main__":
    watch(LivingWorker(**json.loads(sys.argv[1])), int(sys.argv[2]))
