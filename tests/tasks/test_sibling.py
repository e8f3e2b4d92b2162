"""The sibling: beats for its worker, is replaced when it hangs, and goes when it is told to."""

import os
import signal
import time
import uuid

import pytest

from boot.settings import Settings
from db import workers
from db.database import Database
from db.workers import DeadWorker, LivingWorker
from tasks.sibling import Sibling


def living() -> LivingWorker:
    return LivingWorker(uuid.uuid4().hex, "broker-1", "payments", os.getpid(), "here", 1)


def beat_ages(db: Database) -> list[float]:
    with db.transaction() as tx:
        rows = tx.execute("SELECT extract(epoch FROM clock_timestamp() - beat_at)::float8 FROM workers").fetchall()
    return [row[0] for row in rows]


def until(condition: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _environment(settings_with: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Settings = settings_with()  # type: ignore[operator]
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("REDIS_URL", settings.redis_url.get_secret_value())
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_test")


def test_a_sibling_that_hangs_is_replaced_by_one_that_beats(db: Database) -> None:
    sibling = Sibling(living(), silent_for_s=8)
    until(lambda: beat_ages(db) != [])
    sibling.keep_alive()
    hung = sibling._process
    os.kill(hung.pid, signal.SIGSTOP)
    with db.transaction() as tx:
        tx.execute("DELETE FROM workers")  # as the reaper does when the beats are late
    until(lambda: sibling.keep_alive() or hung.returncode is not None)
    until(lambda: beat_ages(db) != [])
    sibling.dismiss()
    assert sibling._process.returncode == 0


def test_a_worker_that_was_taken_for_dead_is_known_again_after_its_next_beat(db: Database) -> None:
    worker = living()
    with db.transaction() as tx:
        workers.beat(tx, worker)
        tx.execute("UPDATE workers SET beat_at = now() - interval '1 hour'")
        assert workers.dead(tx, silent_too=False) == []
        assert workers.dead(tx, silent_too=True) == [DeadWorker(worker.boot_id, "broker-1", "payments")]
        workers.forget(tx, worker.boot_id)
        workers.beat(tx, worker)
        workers.mark_dead(tx, worker.boot_id)
        assert len(workers.dead(tx, silent_too=False)) == 1
