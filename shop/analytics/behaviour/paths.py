"""Which ways visits go on from an event or a page, or came to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.behaviour.ways import STATIONS, Paths
from shop.analytics.queries import paths as queries
from shop.analytics.queries.paths import Went
from shop.analytics.revenue import RangeTooLong

LONGEST = timedelta(days=31)
"""Every event of the range is read, and put in order visit by visit."""

TIMEOUT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Walks:
    """`ways` are whole sequences; a shorter one ended there. `stations` are counted by their place from 1, wherever the
    way had been before. In both, what is not among the strongest is one row together, without a label (`other`)."""

    as_of: datetime
    visits: int
    ways: Sequence[Went]
    stations: Sequence[Went]


def paths(db: Database, asked: Paths, *, now: datetime | None = None, timeout_ms: int = TIMEOUT_MS) -> Walks:
    """Raises RangeTooLong, TooMuchWork."""
    if not asked.start < asked.end <= asked.start + LONGEST:
        raise RangeTooLong(f"paths' range ends after it begins, and may have {LONGEST.days} days")
    with db.transaction() as tx:
        rows = queries.went(tx, asked, names=STATIONS, timeout_ms=timeout_ms)
    ways = [row for row in rows if row.place is None]
    return Walks(
        now or datetime.now(UTC),
        sum(row.visits for row in ways),
        ways,
        [row for row in rows if row.place is not None],
    )
