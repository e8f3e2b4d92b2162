"""Revenue by day, week or month, from the ledger alone, as it was known at any moment one asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import Period, periods
from shop.analytics.queries import money
from shop.analytics.queries.money import Group, Moved, View
from shop.errors import Rejected

LONGEST = timedelta(days=1100)
"""Three years by day is as much as anybody can look at, and one second of work."""


LONGEST_APART = timedelta(days=93)
"""Told apart by what orders say, every entry is read: a second of work for a quarter of a year of a busy shop."""


class RangeTooLong(Rejected):
    code = "invalid_request"
    status = 422


@dataclass(frozen=True, slots=True)
class Revenue:
    """`rows` name their period by its first day; periods in which nothing moved have no row. `groups`: what each row is
    of, where that was asked for."""

    first: date
    last: date
    as_of: datetime
    periods: Sequence[Period]
    rows: Sequence[Moved]
    groups: Sequence[str] | None = None


def revenue(
    db: Database,
    zone: ZoneInfo,
    *,
    first: date,
    last: date,
    interval: str,
    view: View,
    as_of: datetime | None,
    group: Group | None = None,
) -> Revenue:
    """Days from `first` to `last`, both included, cut in the shop's zone into `day`, `week` or `month`; with `group`
    told apart by card or country, of a quarter of a year at most.

    Raises RangeTooLong.
    """
    check_range(first, last)
    if group is not None and last - first > LONGEST_APART:
        raise RangeTooLong(f"a range that is told apart may have {LONGEST_APART.days} days")
    moment = as_of or datetime.now(UTC)
    wanted = periods(zone, first, last, interval)
    with db.transaction() as tx:
        if group is None:
            return Revenue(first, last, moment, wanted, money.moved(tx, wanted, view=view, as_of=moment))
        found = money.moved_apart(tx, wanted, view=view, as_of=moment, group=group)
        return Revenue(first, last, moment, wanted, [row for _, row in found], [value for value, _ in found])


def check_range(first: date, last: date) -> None:
    """Raises RangeTooLong, also for a range that ends before it begins."""
    if last < first:
        raise RangeTooLong("the range ends before it begins")
    if last - first > LONGEST:
        raise RangeTooLong(f"a range may have {LONGEST.days} days")
