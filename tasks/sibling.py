"""A worker's small sibling process: keeps its leases while it lives, and says so at once when it is dead.

A model can hold the interpreter for longer than a lease lasts; no thread of the same process could beat then. And a
process that was killed cannot report it. The sibling sees both: it waits on a pipe that closes with its worker.
"""

import os
import select
import signal
import subprocess
import sys
import time

import structlog

from boot import logs
from boot.settings import read_settings
from db import job_recovery, job_runs, workers
from db.database import Database, DatabaseUnavailable

log = structlog.get_logger()

GOODBYE = b"."
RETRY_S = 1.0


class Sibling:
    """The worker's end: starts the process, restarts it should it die, and dismisses it on a clean exit."""

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._process = self._spawn()

    def keep_alive(self) -> None:
        if self._process.poll() is not None:
            log.warning("sibling died and is started again", code=self._process.returncode)
            self._process = self._spawn()

    def dismiss(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(GOODBYE)
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tasks.sibling", self._boot_id], stdin=subprocess.PIPE, bufsize=0
        )


def watch(boot_id: str) -> None:
    """Beat until the worker says goodbye or its end of the pipe closes."""
    # The platform signals the whole group; the sibling must outlive the worker's own farewell.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = read_settings()
    logs.configure(settings.log_level, process="sibling")
    db = Database(settings.database_url.get_secret_value(), size=1, name="sibling")
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], job_runs.LEASE_BEAT_S)
        if readable:
            if os.read(sys.stdin.fileno(), 1) != GOODBYE:
                _report_death(db, boot_id)
            return
        _beat(db, boot_id)


def _beat(db: Database, boot_id: str) -> None:
    try:
        with db.transaction() as tx:
            workers.beat(tx, boot_id)
            job_recovery.extend_leases(tx, boot_id)
    except DatabaseUnavailable as error:
        log.warning("beat missed", reason=type(error).__name__)


def _report_death(db: Database, boot_id: str) -> None:
    give_up_at = time.monotonic() + job_runs.LEASE_S
    while time.monotonic() < give_up_at:
        try:
            with db.transaction() as tx:
                released = job_recovery.release_dead(tx, boot_id)
                workers.mark_dead(tx, boot_id)
        except DatabaseUnavailable:
            time.sleep(RETRY_S)
        else:
            log.warning("worker died", boot_id=boot_id, jobs_put_back=released)
            return


if __name__ == "__main__":
    watch(sys.argv[1])
