"""Outbox rows to broker messages: the only place that sends. Several relays may run; they share the rows."""

import itertools
import os
import threading
from collections.abc import Iterator, Sequence

import structlog

from boot.waking import BrokerDown, Outgoing, WakingBroker
from db import job_runs
from db.database import Database, DatabaseUnavailable, Tx, listen
from shop.jobs import QUEUES

log = structlog.get_logger()

BATCH = 200
"""Rows per MULTI: measured best between round trips and the time a row stays locked."""

WINDOW = 1_000
"""Handed-over jobs per queue. 600 bytes each keep the smallest hosted Redis (25 MB) from filling up."""

POLL_S = 0.5
"""Safety net under NOTIFY, and how exactly the times of delayed jobs are kept."""

TROUBLE_S = 0.5


def relay(db: Database, broker: WakingBroker, stopping: threading.Event, queues: Sequence[str] = QUEUES) -> None:
    """Hand over due jobs until `stopping` is set. Survives the absence of PostgreSQL and of Redis."""
    while not stopping.is_set():
        try:
            with db.session() as listener:
                listen(listener, "jobs")
                _hand_over_until_trouble(db, broker, listener, stopping, queues)
        except (*DatabaseUnavailable, BrokerDown) as error:
            log.warning("relay waits", reason=type(error).__name__)
            stopping.wait(TROUBLE_S)


def hand_over(db: Database, broker: WakingBroker, numbers: Iterator[int], queues: Sequence[str] = QUEUES) -> int:
    """One batch. Answers how many jobs were handed over.

    The message is sent before the row says so: a crash in between sends it a second time, which the fence makes
    harmless; the other order would lose it.
    """
    with db.transaction() as tx:
        due = job_runs.due(tx, queues=list(queues), window=WINDOW, limit=BATCH)
        if not due:
            return 0
        outgoing = [
            Outgoing(f"{job.id}.{job.fence}.{next(numbers)}", job.queue, job.name, job.id, job.fence) for job in due
        ]
        broker.publish(outgoing)
        return job_runs.mark_handed(
            tx, [message.job_id for message in outgoing], [message.message_id for message in outgoing]
        )


def numbers_of_this_process() -> Iterator[int]:
    """Makes message ids unique across relays and restarts: a random start, then counting."""
    return itertools.count(int.from_bytes(os.urandom(5)))


def _hand_over_until_trouble(
    db: Database, broker: WakingBroker, listener: Tx, stopping: threading.Event, queues: Sequence[str]
) -> None:
    numbers = numbers_of_this_process()
    while not stopping.is_set():
        if hand_over(db, broker, numbers, queues):
            continue
        for _ in listener.notifies(timeout=POLL_S, stop_after=1):
            pass
