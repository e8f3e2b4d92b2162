"""A control process and worker processes of a test's own, for jobs of the queue `probe`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boot.settings import Settings
from db import job_rows, outbox
from db.database import Database
from db.job_rows import JobRow
from db.outbox import Job

ROOT = Path(__file__).parents[2]
FINAL = {"done", "failed", "dead"}


class Crew:
    """The processes around one test's database. Worker processes lead their own process group, as on a platform."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self.db = db
        self._env = os.environ | {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": settings.redis_url.get_secret_value(),
            "STRIPE_SECRET_KEY": "sk_test",
            "STRIPE_WEBHOOK_SECRETS": "whsec_test",
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def control(self) -> subprocess.Popen[bytes]:
        return self._start("import tests.tasks.control as c; c.main()")

    def worker(self, threads: int = 4) -> subprocess.Popen[bytes]:
        return self._start(
            f"from tasks.worker import work; work('probe', threads={threads}, doors='tests.tasks.doors')"
        )

    def stage(self, job: Job, **args: str | int) -> str:
        with self.db.transaction() as tx:
            return outbox.stage(tx, job, **args)

    def row(self, job_id: str) -> JobRow:
        with self.db.transaction() as tx:
            row = job_rows.find(tx, job_id)
        assert row is not None
        return row

    def workers(self) -> int:
        """How many are known, those included that left and are not buried yet."""
        with self.db.transaction() as tx:
            row = tx.execute("SELECT count(*) FROM workers").fetchone()
        assert row is not None
        return row[0]

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def finished(self, job_id: str, seconds: float = 30) -> JobRow:
        self.until(lambda: self.row(job_id).state in FINAL, seconds)
        return self.row(job_id)

    def running(self, *job_ids: str) -> None:
        self.until(lambda: all(self.row(job_id).state == "running" for job_id in job_ids))

    def stop_all(self) -> None:
        for process in self.started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait()

    def _start(self, code: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code], env=self._env, cwd=ROOT, start_new_session=True)
        self.started.append(process)
        return process


@pytest.fixture(name="crew")
def _crew(db: Database, settings_with: Callable[..., Settings]) -> Iterator[Crew]:
    crew = Crew(db, settings_with())
    yield crew
    crew.stop_all()
