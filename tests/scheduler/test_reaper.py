"""The reaper and the relay: what is put back when, how much is handed over, and that neither ends unnoticed."""

import itertools
import threading
from collections.abc import Callable, Iterator

import pytest

from boot import broker as brokers
from boot.settings import Settings
from boot.waking import WakingBroker
from db import job_runs, outbox
from db.database import Database
from db.outbox import Job
from scheduler.__main__ import keep_going
from scheduler.reaper import TRUST_AFTER_S, Reaper
from scheduler.relay import BATCH, hand_over, numbers_of_this_process

PROBE = Job("probe.wait", queue="probe")


@pytest.fixture(name="broker")
def _broker(settings_with: Callable[..., Settings]) -> Iterator[WakingBroker]:
    broker = brokers.connect(settings_with())
    yield broker
    broker.client.close()


def staged(db: Database, count: int) -> list[str]:
    with db.transaction() as tx:
        return [outbox.stage(tx, PROBE) for _ in range(count)]


def count(db: Database, state: str) -> int:
    with db.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM jobs WHERE state = %(state)s", {"state": state}).fetchone()
    assert row is not None
    return row[0]


def test_silence_is_no_death_until_the_database_has_been_back_for_two_beats(db: Database, broker: WakingBroker) -> None:
    (job_id,) = staged(db, 1)
    with db.transaction() as tx:
        job_runs.claim(tx, job_id, 0, owner="w")
        tx.execute("UPDATE jobs SET lease_until = now() - interval '1 second'")
    reaper = Reaper(db, broker)
    reaper.sweep(100.0)
    reaper.sweep(100.0 + TRUST_AFTER_S - 1)
    assert count(db, "running") == 1
    reaper.sweep(100.0 + TRUST_AFTER_S)
    assert count(db, "staged") == 1


def test_messages_in_the_hands_of_a_process_that_never_got_them_are_staged_again(
    db: Database, broker: WakingBroker
) -> None:
    staged(db, 3)
    hand_over(db, broker, numbers_of_this_process(), ["probe"])
    broker.do_fetch("probe", 2)  # the answer is lost on its way
    reaper = Reaper(db, broker)
    reaper.sweep(0.0)
    assert count(db, "queued") == 3
    with db.transaction() as tx:
        tx.execute("UPDATE jobs SET queued_at = queued_at - interval '31 seconds'")
    reaper.sweep(20.0)
    assert (count(db, "staged"), count(db, "queued")) == (2, 1)


def test_two_relays_hand_each_job_over_once_and_keep_to_the_window(db: Database, broker: WakingBroker) -> None:
    with db.transaction() as tx:
        for _ in range(1500):
            outbox.stage(tx, PROBE)

    def until_nothing_is_left() -> None:
        while hand_over(db, broker, numbers_of_this_process(), ["probe"]):
            pass

    relays = [threading.Thread(target=until_nothing_is_left) for _ in range(2)]
    for relay in relays:
        relay.start()
    for relay in relays:
        relay.join()
    sent = broker.client.llen("dramatiq:probe")
    assert sent == count(db, "queued")
    assert 1000 <= count(db, "queued") <= 1000 + BATCH


def test_jobs_for_tomorrow_are_not_handed_over_today(db: Database, broker: WakingBroker) -> None:
    early = Job("probe.early", queue="probe", head_start_s=-600)
    with db.transaction() as tx:
        row = tx.execute("SELECT now() + interval '9 minutes'").fetchone()
        assert row is not None
        outbox.stage(tx, early, run_after=row[0])
        due = outbox.stage(tx, Job("probe.late", queue="probe", head_start_s=600))
    assert hand_over(db, broker, numbers_of_this_process(), ["probe"]) == 1
    with db.transaction() as tx:
        assert tx.execute("SELECT id FROM jobs WHERE state = 'queued'").fetchall() == [(due,)]


def test_a_bug_in_one_part_of_the_control_process_is_not_its_end() -> None:
    stopping, rounds = threading.Event(), itertools.count()

    def part() -> None:
        if next(rounds) == 0:
            raise ZeroDivisionError
        stopping.set()

    keep_going(stopping, part)
    assert next(rounds) == 2
