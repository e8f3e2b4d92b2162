"""Nothing is lost and nothing happens twice, whoever is killed: shown by killing everybody, several times.

`python -m bench.chaos [--jobs 2000] [--seed N]` starts servers, a control process and two workers of its own, stages
jobs at a steady rate and meanwhile kills -9 workers, workers with their siblings, the control process, and Redis with
all it remembers, in an order that the seed decides. Each job notes its run and has one effect behind a guarded update,
as every job of the shop has. Exit code 1 when a job is lost or an effect is there twice.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from boot.services import Services
from db import outbox
from db.database import Database, Tx
from db.migrations.runner import migrate
from db.outbox import Job
from devstack.embedded.servers import EmbeddedServers
from devstack.embedded.state import Urls
from tasks.broker import Run, performs

ROOT = Path(__file__).parents[1]

EFFECT = Job("chaos.effect", queue="probe", max_attempts=20, time_limit_s=30)
"""In the queue of the tests' control process, which serves no other."""

TABLES = """
    CREATE TABLE chaos_orders (number int PRIMARY KEY, job_id text NOT NULL, paid boolean NOT NULL DEFAULT false);
    CREATE TABLE chaos_effects (number int NOT NULL);
    CREATE TABLE chaos_runs (number int NOT NULL);
"""

PROGRAMS = {
    "control": "import tests.tasks.control as c; c.main()",
    "worker 1": "from tasks.worker import work; work('probe', threads=4, doors='bench.chaos')",
    "worker 2": "from tasks.worker import work; work('probe', threads=4, doors='bench.chaos')",
}
VICTIMS = ("worker 1", "worker 2", "worker 1 and its sibling", "control", "Redis")
PER_SECOND = 50
KILL_EVERY_S = 4.0
SETTLE_WITHIN_S = 90.0
"""A lease of a worker that died with its sibling lasts 20 s; the rest is room for a slow machine."""


@performs(EFFECT)
def effect(services: Services, _run: Run, *, number: int) -> None:
    with services.db.transaction() as tx:
        tx.execute("INSERT INTO chaos_runs (number) VALUES (%(number)s)", {"number": number})
    time.sleep(random.uniform(0, 0.04))
    with services.db.transaction() as tx:
        # The table has no unique key on purpose: only the guard keeps the effect single, and the count would tell.
        first = tx.execute(
            "UPDATE chaos_orders SET paid = true WHERE number = %(number)s AND NOT paid", {"number": number}
        )
        if first.rowcount:
            tx.execute("INSERT INTO chaos_effects (number) VALUES (%(number)s)", {"number": number})


@dataclass
class Stack:
    """The servers and programs, and what was done to them."""

    servers: EmbeddedServers
    urls: Urls
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, subprocess.Popen[bytes]])

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, "-c", PROGRAMS[name]],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ
            | {
                "DATABASE_URL": self.urls.database_url,
                "REDIS_URL": self.urls.redis_url,
                "STRIPE_SECRET_KEY": "sk_test",
                "STRIPE_WEBHOOK_SECRETS": "whsec_test",
            },
        )

    def kill(self, victim: str) -> None:
        """Kill -9 and start again at once."""
        if victim == "Redis":
            pid = self.servers.redis.process.pid if self.servers.redis else None
            assert pid is not None, "Redis runs"
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
            self.servers.revive()
            return
        name = victim.removesuffix(" and its sibling")
        (os.kill if name == victim else os.killpg)(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()
        self.start(name)

    def stop(self) -> None:
        for process in self.running.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.servers.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args()
    servers = EmbeddedServers(Path(tempfile.mkdtemp(prefix="backroom-chaos-")), durable=False)
    stack = Stack(servers, servers.start())
    try:
        migrate(stack.urls.database_url)
        db = Database(stack.urls.database_url)
        with db.transaction() as tx:
            tx.execute(TABLES)
        for name in PROGRAMS:
            stack.start(name)
        kills = _plan(options.seed, options.jobs / PER_SECOND)
        Console().print(f"seed {options.seed}: {len(kills)} kills: {', '.join(victim for _, victim in kills)}")
        _stage_and_kill(db, stack, options.jobs, kills)
        settled_after_s = _settle(db)
        with db.transaction() as tx:
            report = _report(tx)
        db.close()
    finally:
        stack.stop()
        shutil.rmtree(servers.home, ignore_errors=True)
        shutil.rmtree(servers.root, ignore_errors=True)
    _print(report, settled_after_s)
    sys.exit(1 if report["lost"] or report["effects more than once"] else 0)


def _plan(seed: int, duration_s: float) -> list[tuple[float, str]]:
    """When who is killed. Every victim has its turn before one has a second."""
    dice = random.Random(seed)
    turns = [victim for _ in range(10) for victim in dice.sample(VICTIMS, len(VICTIMS))]
    count = max(1, int(duration_s / KILL_EVERY_S))
    return sorted(zip((dice.uniform(1, duration_s) for _ in range(count)), turns, strict=False))


def _stage_and_kill(db: Database, stack: Stack, jobs: int, kills: Sequence[tuple[float, str]]) -> None:
    started, waiting = time.monotonic(), list(kills)
    for number in range(jobs):
        while time.monotonic() < started + number / PER_SECOND:
            time.sleep(0.002)
        with db.transaction() as tx:
            job_id = outbox.stage(tx, EFFECT, number=number)
            tx.execute(
                "INSERT INTO chaos_orders (number, job_id) VALUES (%(number)s, %(job_id)s)",
                {"number": number, "job_id": job_id},
            )
        while waiting and time.monotonic() > started + waiting[0][0]:
            stack.kill(waiting.pop(0)[1])


def _settle(db: Database) -> float:
    started = time.monotonic()
    while time.monotonic() < started + SETTLE_WITHIN_S:
        with db.transaction() as tx:
            row = tx.execute("SELECT count(*) FROM jobs WHERE finished_at IS NULL").fetchone()
        if row == (0,):
            break
        time.sleep(0.1)
    return time.monotonic() - started


def _report(tx: Tx) -> dict[str, Any]:
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM chaos_orders),
               (SELECT count(*) FROM jobs WHERE state = 'done'),
               (SELECT count(*) FROM chaos_orders o
                 WHERE NOT paid OR NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = o.job_id AND j.state = 'done')),
               (SELECT count(*) FROM (SELECT 1 FROM chaos_effects GROUP BY number HAVING count(*) > 1) doubled),
               (SELECT count(*) FROM (SELECT 1 FROM chaos_runs GROUP BY number HAVING count(*) > 1) repeated),
               (SELECT extract(epoch FROM max(finished_at - created_at))::float8 FROM jobs)
        """
    ).fetchone()
    assert row is not None
    names = ("staged", "done", "lost", "effects more than once", "runs more than once", "longest recovery")
    return dict(zip(names, row, strict=True))


def _print(report: dict[str, Any], settled_after_s: float) -> None:
    table = Table("", "", title="After the kills", show_header=False)
    for name, value in report.items():
        table.add_row(name, f"{value:.1f} s, from staging to done" if name == "longest recovery" else str(value))
    table.add_row("settled after", f"{settled_after_s:.1f} s, from the last staging")
    Console().print(table)


if __name__ == "__main__":
    main()
