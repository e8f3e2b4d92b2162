"""How many visitors came on each day of a range, and in all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from db.database import Database, Tx
from shop.analytics.queries import visitors as queries
from shop.analytics.queries.facts import Source
from shop.analytics.queries.steps import State, state
from shop.analytics.queries.visitors import DayVisitors
from shop.analytics.revenue import RangeTooLong, check_range

LONGEST = timedelta(days=400)
"""As long as events are kept; counted from masks that costs little."""


@dataclass(frozen=True, slots=True)
class Visitors:
    """`whole`: in the range, each once. Days without a visitor are there, too."""

    whole: int
    days: Sequence[DayVisitors]


def visitors(db: Database, zone: ZoneInfo, *, first: date, last: date, source: Source | None = None) -> Visitors:
    """Days from `first` to `last`, both included. Raises RangeTooLong."""
    check_range(first, last)
    if last - first >= LONGEST:
        raise RangeTooLong(f"visitors may be asked for {LONGEST.days} days")
    with db.transaction() as tx:
        return counted(tx, zone, first=first, last=last, source=source)


def counted(tx: Tx, zone: ZoneInfo, *, first: date, last: date, source: Source | None = None) -> Visitors:
    """From the masks of days where they are complete, unless `source` says the events."""
    if state(tx) == State(zone.key, complete=True) and source != "events":
        rows = queries.by_days(tx, first=first, last=last)
    else:
        rows = queries.by_events(tx, zone, first=first, last=last)
    found = {row.day: row.visitors for row in rows}
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Visitors(found.get(None, 0), [DayVisitors(day, found.get(day, 0)) for day in every])
