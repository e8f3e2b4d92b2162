"""Rings for the drain when events wait: the web process sends no job, so somebody must look."""

import threading

import structlog

from db import outbox
from db.database import Database, DatabaseUnavailable
from shop import jobs
from shop.ports.events import EventStream, StreamUnavailable

log = structlog.get_logger()

LOOK_EVERY_S = 0.1
"""One Redis command each time; a waiting batch is in the store within about a fifth of a second."""

TROUBLE_S = 1.0


def ring(db: Database, stream: EventStream, stopping: threading.Event) -> None:
    """Stage one drain whenever something is due and none waits. Losing a ring is harmless: the next look rings."""
    while not stopping.wait(LOOK_EVERY_S):
        try:
            if stream.due():
                with db.transaction() as tx:
                    outbox.stage(tx, jobs.DRAIN_EVENTS, unique_key=jobs.DRAIN_EVENTS.name)
        except (StreamUnavailable, *DatabaseUnavailable) as error:
            log.warning("nobody looks for events", reason=type(error).__name__)
            stopping.wait(TROUBLE_S)
