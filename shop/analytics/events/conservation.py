"""The conservation ledger of events: received against what became of them, and against what the door counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.events.ingest import Waiting, waiting
from shop.analytics.queries import conservation as queries
from shop.analytics.queries.conservation import MinuteSums, Sums
from shop.ports.events import EventStream, StreamUnavailable

DOOR_REMEMBERS = timedelta(days=2, hours=23)
"""The door's own count is kept for three days; an hour less, because it is forgotten hour by hour."""

MINUTES_SHOWN = 1440


@dataclass(frozen=True, slots=True)
class Ledger:
    """received = stored + duplicate + conflict + rejected + quarantined (+ in flight, which has no row yet).

    `at_the_door` is what the web process counted for the same minutes, None when that is not known any more.
    `unaccounted` is what the door counted and neither the ledger nor the stream knows: lost events if above zero.
    """

    start: datetime
    end: datetime
    sums: Sums
    rejections: Mapping[str, int]
    in_flight: Waiting
    at_the_door: int | None
    unaccounted: int | None
    open_quarantine: int
    minutes: Sequence[MinuteSums]

    @property
    def received(self) -> int:
        """What is on its way included."""
        return self.sums.received + self.in_flight.events

    @property
    def balanced(self) -> bool:
        settled = (
            self.sums.stored + self.sums.duplicate + self.sums.conflict + self.sums.rejected + self.sums.quarantined
        )
        return self.received == settled + self.in_flight.events and not (self.unaccounted or 0) > 0


def ledger(db: Database, stream: EventStream, *, start: datetime, end: datetime) -> Ledger:
    """The ledger of the minutes from `start` to `end` (excluded), in UTC."""
    # The door first: what comes in between the two looks must not seem lost.
    door = _at_the_door(stream, start, end)
    in_flight = waiting(db, stream)
    with db.transaction() as tx:
        sums = queries.sums(tx, start, end)
        return Ledger(
            start=start,
            end=end,
            sums=sums,
            rejections=queries.rejections(tx, start, end),
            in_flight=in_flight,
            at_the_door=door,
            unaccounted=None if door is None else max(0, door - sums.by_stream - in_flight.stream_events),
            open_quarantine=queries.open_quarantine(tx),
            minutes=queries.minutes(tx, start, end, limit=MINUTES_SHOWN),
        )


def _at_the_door(stream: EventStream, start: datetime, end: datetime) -> int | None:
    if start < datetime.now(UTC) - DOOR_REMEMBERS:
        return None
    try:
        return stream.counted(start, end)
    except StreamUnavailable:
        return None
