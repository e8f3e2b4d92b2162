"""Which of the shop's own processes are alive, as PostgreSQL knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from db import leases, workers
from db.database import Database
from shop.jobs import QUEUES

CLOCK = "clock"
"""The lease of the clock that leads, renewed by the control process every few seconds."""


@dataclass(frozen=True, slots=True)
class Alive:
    """`processes` and `threads` by queue, 0 where nobody works; `clock`: whether a control process keeps the time."""

    processes: Mapping[str, int]
    threads: Mapping[str, int]
    clock: bool


def alive(db: Database) -> Alive:
    """Two small tables; cheap enough for every scrape."""
    with db.transaction() as tx:
        found = {crew.queue: crew for crew in workers.crews(tx)}
        clock = leases.is_held(tx, CLOCK)
    processes = {queue: found[queue].processes if queue in found else 0 for queue in QUEUES}
    threads = {queue: found[queue].threads if queue in found else 0 for queue in QUEUES}
    return Alive(processes, threads, clock)
