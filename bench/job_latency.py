"""How long a staged job waits before it starts, on an idle stack and under light load.

`python -m bench.job_latency [--jobs 60]` starts servers, a control process and one worker of its own, stages
jobs at random moments and prints percentiles from the job rows: commit of the row to start of the run. A second round
has the worker use Dramatiq's own polling consumer, to compare on the same machine in the same minute.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db import outbox
from db.database import Database, Tx
from db.migrations.runner import migrate
from db.outbox import Job
from devstack.embedded.databases import create_database, servers_for_tests

NOTHING = Job("probe.wait", queue="probe", max_attempts=1)
ROOT = Path(__file__).parents[1]

WORKER = "from tasks.worker import work; work('probe', threads=4, doors='tests.tasks.doors')"
STOCK_WORKER = (
    "import boot.waking as w; from dramatiq.brokers.redis import _RedisConsumer as c; "
    "w.WakingBroker.consumer_class = property(lambda self: c); " + WORKER
)
CONTROL = "import tests.tasks.control as c; c.main()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60, help="jobs per load")
    options = parser.parse_args()
    table = Table("consumer", "load", "jobs", "p50 ms", "p95 ms", "p99 ms")
    with servers_for_tests() as urls:
        for name, code in (("waking", WORKER), ("stock polling", STOCK_WORKER)):
            database_url = create_database(urls.database_url, f"bench_{os.getpid()}_{name.split()[0]}")
            migrate(database_url)
            for load, pause_s in (("idle, one every 1 to 3 s", (1.0, 3.0)), ("light, about 20 a second", (0.0, 0.1))):
                waits = _measure(database_url, urls.redis_url, code, options.jobs, pause_s)
                table.add_row(name, load, str(len(waits)), *(f"{_percentile(waits, p):.1f}" for p in (50, 95, 99)))
    Console().print(table)


def _measure(database_url: str, redis_url: str, worker: str, jobs: int, pause_s: tuple[float, float]) -> list[float]:
    env = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STRIPE_SECRET_KEY": "sk_test",
        "STRIPE_WEBHOOK_SECRETS": "whsec_test",
    }
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=env, cwd=ROOT, stdout=subprocess.DEVNULL)
        for code in (CONTROL, worker)
    ]
    db = Database(database_url)
    try:
        # The processes take a second or more to start, which is not what is measured here.
        _stage(db, 5, (0.0, 0.1))
        _until_all_ended(db)
        since = _now(db)
        _stage(db, jobs, pause_s)
        _until_all_ended(db)
        with db.transaction() as tx:
            return _waits(tx, since)
    finally:
        for process in running:
            process.kill()
            process.wait()
        db.close()


def _stage(db: Database, jobs: int, pause_s: tuple[float, float]) -> None:
    for _ in range(jobs):
        time.sleep(random.uniform(*pause_s))
        with db.transaction() as tx:
            outbox.stage(tx, NOTHING, seconds="0")


def _until_all_ended(db: Database) -> None:
    while True:
        with db.transaction() as tx:
            if tx.execute("SELECT 1 FROM jobs WHERE finished_at IS NULL LIMIT 1").fetchone() is None:
                return
        time.sleep(0.2)


def _now(db: Database) -> float:
    with db.transaction() as tx:
        row = tx.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    return row[0]


def _waits(tx: Tx, since: float) -> list[float]:
    rows = tx.execute(
        """
        SELECT extract(epoch FROM started_at - created_at)::float8 * 1000
          FROM jobs WHERE state = 'done' AND created_at > to_timestamp(%(since)s)
        """,
        {"since": since},
    ).fetchall()
    return [row[0] for row in rows]


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
