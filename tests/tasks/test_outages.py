"""Servers that go away under running jobs, and come back."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from boot.settings import Settings
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.process import ServerProcess
from devstack.embedded.servers import EmbeddedServers
from tests.tasks.conftest import Crew
from tests.tasks.doors import WAIT


@pytest.fixture(name="servers")
def _servers() -> Iterator[EmbeddedServers]:
    """A pair of this test's own, to be killed. What PostgreSQL has committed it keeps; Redis keeps nothing."""
    servers = EmbeddedServers(Path(tempfile.mkdtemp(prefix="backroom-")), durable=False)
    yield servers
    servers.stop()
    for folder in {servers.root, servers.home}:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(name="crew")
def _crew(servers: EmbeddedServers) -> Iterator[Crew]:
    urls = servers.start()
    migrate(urls.database_url)
    db = Database(urls.database_url)
    crew = Crew(
        db,
        Settings(
            database_url=urls.database_url,  # type: ignore[arg-type]
            redis_url=urls.redis_url,  # type: ignore[arg-type]
            stripe_secret_key="sk_test",  # type: ignore[arg-type]
            stripe_webhook_secrets="whsec_test",  # type: ignore[arg-type]
        ),
    )
    yield crew
    crew.stop_all()
    db.close()


def end(server: ServerProcess, number: signal.Signals) -> None:
    assert server.pid is not None
    os.kill(server.pid, number)


def test_jobs_that_run_while_both_servers_restart_end_once_and_work_goes_on(
    crew: Crew, servers: EmbeddedServers
) -> None:
    assert servers.postgres is not None
    assert servers.redis is not None
    control = crew.control()
    worker = crew.worker(threads=2)
    jobs = [crew.stage(WAIT, seconds="2") for _ in range(6)]
    crew.running(*jobs[:2])
    end(servers.redis.process, signal.SIGKILL)
    end(servers.postgres.process, signal.SIGINT)
    crew.until(lambda: not (servers.postgres.process.alive() or servers.redis.process.alive()))
    crew.until(lambda: servers.revive() != [])
    crew.db.close()
    jobs.append(crew.stage(WAIT, seconds="0"))
    rows = [crew.finished(job_id, seconds=30) for job_id in jobs]
    assert {(row.state, row.attempts) for row in rows} == {("done", 1)}
    assert control.poll() is None
    assert worker.poll() is None
