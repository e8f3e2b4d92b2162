"""Puts back what was lost: leases that ran out, what dead workers held, messages that Redis forgot."""

import threading
import time

import structlog

from boot.waking import BrokerDown, WakingBroker
from db import job_recovery, workers
from db.database import Database, DatabaseUnavailable
from db.job_recovery import Handed

log = structlog.get_logger()

EVERY_S = 1.0
LOOK_FOR_LOST_EVERY_S = 10.0
"""Comparing all handed-over rows with Redis costs one HMGET per 500 of them."""

LOST_AFTER_S = 2.0
"""A row is compared only when it is older than the moment between sending its message and committing the row."""

STRANDED_AFTER_S = 30.0
"""A message that waits this long is looked for in Redis' own books, which costs reading the whole list."""

TRUST_AFTER_S = 12.0
"""Nobody can beat while the database is away. For two beats after its return, silence proves nothing; judged at once,
every living worker would lose its jobs to another one."""

PAGE = 500


class Reaper:
    """Call `sweep` every second. Several reapers are harmless: every move is a guarded update."""

    def __init__(self, db: Database, broker: WakingBroker) -> None:
        self._db = db
        self._broker = broker
        self._run_id = ""
        self._look_at = float("-inf")
        self._trusts_at: float | None = None

    def sweep(self, now_s: float) -> None:
        """`now_s` is any monotonic clock. Raises what the database or the broker raise."""
        if self._trusts_at is None:
            self._trusts_at = now_s + TRUST_AFTER_S
        try:
            self._free_what_the_silent_hold(trusting=now_s >= self._trusts_at)
            self._look_for_lost(now_s)
        except DatabaseUnavailable:
            self._trusts_at = None
            raise

    def _free_what_the_silent_hold(self, *, trusting: bool) -> None:
        if trusting:
            with self._db.transaction() as tx:
                expired = job_recovery.put_back_expired(tx, limit=PAGE)
            if expired:
                log.warning("leases ran out", jobs=len(expired))
        self._bury_dead_workers(silent_too=trusting)

    def _look_for_lost(self, now_s: float) -> None:
        run_id = self._broker.run_id()
        if run_id == self._run_id and now_s < self._look_at:
            return
        self._put_back_lost()
        # What was sent within LOST_AFTER_S of the loss is not compared yet: look again when it is.
        self._look_at = now_s + (LOOK_FOR_LOST_EVERY_S if run_id == self._run_id else LOST_AFTER_S + EVERY_S)
        self._run_id = run_id

    def _bury_dead_workers(self, *, silent_too: bool) -> None:
        with self._db.transaction() as tx:
            dead = workers.dead(tx, silent_too=silent_too)
        for worker in dead:
            held = self._broker.take_from_dead(worker.broker_id, worker.queue)
            with self._db.transaction() as tx:
                released = job_recovery.release_dead(tx, worker.boot_id)
                again = job_recovery.put_back_lost(tx, held)
                workers.forget(tx, worker.boot_id)
            # One that left by itself gave its jobs back; what is found running was left by a sudden death.
            told = log.warning if released else log.info
            told("buried a worker", queue=worker.queue, running=released, fetched=again)

    def _put_back_lost(self) -> None:
        after = ""
        while True:
            with self._db.transaction() as tx:
                page = job_recovery.handed_over(tx, older_than_s=LOST_AFTER_S, after=after, limit=PAGE)
            if not page:
                return
            lost = [message_id for queue in {row.queue for row in page} for message_id in self._lost(queue, page)]
            if lost:
                with self._db.transaction() as tx:
                    count = job_recovery.put_back_lost(tx, lost)
                log.warning("messages were lost and are staged again", jobs=count)
            after = page[-1].id

    def _lost(self, queue: str, page: list[Handed]) -> list[str]:
        rows = [row for row in page if row.queue == queue]
        lost = self._broker.missing(queue, [row.message_id for row in rows])
        old = [row.message_id for row in rows if row.waiting_s > STRANDED_AFTER_S and row.message_id not in lost]
        stranded = self._broker.stranded(queue, old) if old else []
        if stranded:
            self._broker.drop(queue, stranded)
        return lost + stranded


def reap(reaper: Reaper, stopping: threading.Event) -> None:
    """Sweep every second until `stopping` is set; trouble is logged once per sweep and tried again."""
    while not stopping.wait(EVERY_S):
        try:
            reaper.sweep(time.monotonic())
        except (*DatabaseUnavailable, BrokerDown) as error:
            log.warning("reaper waits", reason=type(error).__name__)
