"""One drain in a process of its own that dies by SIGKILL at the boundary it is told: `… DATABASE REDIS NUMBER`."""

import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from clients.event_stream import RedisEventStream, connect
from db.database import Database, Tx
from shop.analytics.events.ingest import ingest
from shop.ports.events import Entry

DIED = -signal.SIGKILL


class Boundaries:
    """Counts what a process crosses; at the one it was given it is gone, as by a pulled plug."""

    def __init__(self, die_at: int) -> None:
        self._left = die_at

    def cross(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class CountedDatabase(Database):
    boundaries: Boundaries

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        with super().transaction() as tx:
            yield tx
            self.boundaries.cross()  # all is written, nothing is committed
        self.boundaries.cross()  # committed, and nobody was told


class CountedStream(RedisEventStream):
    boundaries: Boundaries

    def read(self, *, at_least: int, wait_s: float = 0) -> list[Entry]:
        entries = super().read(at_least=at_least, wait_s=wait_s)
        self.boundaries.cross()  # taken, and nothing done
        return entries

    def settle(self, entries: Sequence[Entry]) -> None:
        super().settle(entries)
        self.boundaries.cross()


def main(database_url: str, redis_url: str, die_at: int) -> None:
    boundaries = Boundaries(die_at)
    stream = connect(redis_url, abandoned_after_ms=0)
    stream.__class__ = CountedStream
    db = CountedDatabase(database_url, name="drain")
    for counted in (db, stream):
        counted.boundaries = boundaries  # pyright: ignore[reportAttributeAccessIssue]
    ingest(db, stream, events_a_bite=100)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
