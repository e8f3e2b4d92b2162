"""Revenue by day, week or month, from the ledger alone, as it was known at any moment one asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import Period, periods
from shop.analytics.queries import money
from shop.analytics.queries.money import Moved, View
from shop.errors import Rejected

LONGEST = timedelta(days=1100)
"""Three years by day is as much as anybody can look at, and one second of work."""


class RangeTooLong(Rejected):
    code = "invalid_request"
    status = 422


@dataclass(frozen=True, slots=True)
class Revenue:
    """`rows` name their period by its first day; periods in which nothing moved have no row."""

    first: date
    last: date
    as_of: datetime
    periods: Sequence[Period]
    rows: Sequence[Moved]


def revenue(
    db: Database, zone: ZoneInfo, *, first: date, last: date, interval: str, view: View, as_of: datetime | None
) -> Revenue:
    """Days from `first` to `last`, both included, cut in the shop's zone into `day`, `week` or `month`.

    Raises RangeTooLong.
    """
    check_range(first, last)
    moment = as_of or datetime.now(UTC)
    wanted = periods(zone, first, last, interval)
    with db.transaction() as tx:
        return Revenue(first, last, moment, wanted, money.moved(tx, wanted, view=view, as_of=moment))


def check_range(first: date, last: date) -> None:
    """Raises RangeTooLong, also for a range that ends before it begins."""
    if last < first:
        raise RangeTooLong("the range ends before it begins")
    if last - first > LONGEST:
        raise RangeTooLong(f"a range may have {LONGEST.days} days")
