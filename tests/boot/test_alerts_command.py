"""`backroom alerts`: what is out of the ordinary, read and taken on in a terminal."""

import json
import os
import subprocess
import sys

from db.database import Database


def run(*args: str, database_url: str, redis_url: str) -> subprocess.CompletedProcess[str]:
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "STRIPE_SECRET_KEY": "sk_test_x",
        "STRIPE_WEBHOOK_SECRETS": "whsec_x",
    }
    command = [sys.executable, "-c", "from boot.cli import main; main()", "alerts", *args]
    return subprocess.run(command, env=os.environ | values, capture_output=True, text=True, check=False)


def test_a_dead_job_is_seen_listed_and_taken_on(db: Database, database_url: str, redis_url: str) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO jobs (id, name, queue, state, max_attempts, time_limit_s, finished_at)"
            " VALUES ('job_dead', 'payments.refund', 'payments', 'dead', 1, 1, now())"
        )
    looked = run("look", "--json", database_url=database_url, redis_url=redis_url)
    assert looked.returncode == 1, looked.stderr
    bad = [row for row in json.loads(looked.stdout) if row["verdict"] == "bad"]
    assert [(row["kind"], row["subject"]) for row in bad] == [("dead_jobs", "payments.refund")]
    listed = run("list", "--json", database_url=database_url, redis_url=redis_url)
    assert listed.returncode == 1
    (row,) = json.loads(listed.stdout)
    taken = run("acknowledge", row["id"], "--note", "looking", database_url=database_url, redis_url=redis_url)
    assert taken.returncode == 0, taken.stderr
    assert run("list", database_url=database_url, redis_url=redis_url).returncode == 0
    assert run("list", "--status", "odd", database_url=database_url, redis_url=redis_url).returncode == 2
