"""The programs that take orders, running for a measurement: web, control, two workers, the neighbours' stand-ins."""

import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from db.database import Database
from devstack import programs
from devstack.addresses import choose_ports
from devstack.day.town import Town, town_of
from devstack.embedded import EmbeddedServers
from devstack.environment import FOLDER, environment_for, whole
from devstack.processes import Supervisor

NOT_ASKED = ("worker_embeddings", "worker_analytics")
"""They have no part in a checkout, and one of them loads a model that takes a whole core for a minute."""

READY_WITHIN_S = 180.0
STATEMENT_S = 600
"""Filling a database by the hundred thousand takes longer than any statement of the shop may."""


@dataclass(frozen=True)
class Shop:
    """A shop that takes orders, and the way into its database."""

    town: Town
    db: Database
    supervisor: Supervisor
    webhook_secret: str


@contextmanager
def running_shop(console: Console) -> Generator[Shop]:
    """Start everything on free ports and servers of its own, PostgreSQL durable; all of it is gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="backroom-bench-"))
    servers = EmbeddedServers(root)
    ports = choose_ports(anywhere=True)
    try:
        (root / "metrics").mkdir()
        environment = environment_for(servers.start(), ports, root)
        release = programs.release_command(FOLDER)
        assert release is not None, "the Procfile releases"
        subprocess.run(["/bin/sh", "-c", release], cwd=FOLDER, env=whole(environment), check=True, capture_output=True)
        beside = programs.neighbours(ports, environment, root)
        own = [program for program in programs.own_programs(FOLDER) if program.name not in NOT_ASKED]
        supervisor = Supervisor(
            [*beside, *own],
            folder=FOLDER,
            environment=whole(environment),
            logs=root / "logs",
            console=console,
            show=False,
        )
        db = Database(environment["DATABASE_URL"], name="bench", statement_timeout_s=STATEMENT_S)
        with supervisor:
            checks = programs.checks_of_neighbours(ports) | programs.checks_of_own(ports)
            supervisor.wait_ready(checks, READY_WITHIN_S)
            secret = environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0]
            yield Shop(town_of(environment), db, supervisor, secret)
        db.close()
    finally:
        servers.stop()
        shutil.rmtree(servers.home, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
