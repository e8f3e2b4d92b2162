"""How the shop did in a range of days, against the range before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database, Tx
from shop.analytics.behaviour.visitors import counted
from shop.analytics.days import Period, periods, whole
from shop.analytics.queries import money
from shop.analytics.queries import sessions as visits
from shop.analytics.queries.money import Moved
from shop.analytics.revenue import RangeTooLong, check_range

LONGEST = timedelta(days=92)
"""Visitors are counted one by one over the whole range; a quarter of them is what a request may cost."""


@dataclass(frozen=True, slots=True)
class Range:
    """`money` has one row a currency, of what was booked; `orders` are sales. `conversion` is orders per visitor,
    None without visitors."""

    first: date
    last: date
    visitors: int
    sessions: int
    orders: int
    conversion: float | None
    money: Sequence[Moved]


@dataclass(frozen=True, slots=True)
class Overview:
    now: Range
    before: Range


def overview(db: Database, zone: ZoneInfo, *, first: date, last: date) -> Overview:
    """Days from `first` to `last`, both included, and as many before. Raises RangeTooLong."""
    check_range(first, last)
    length = last - first + timedelta(days=1)
    if length > LONGEST:
        raise RangeTooLong(f"an overview may have {LONGEST.days} days")
    with db.transaction() as tx:
        return Overview(_range(tx, zone, first, last), _range(tx, zone, first - length, first - timedelta(days=1)))


def _range(tx: Tx, zone: ZoneInfo, first: date, last: date) -> Range:
    period: Period = whole(periods(zone, first, last, "month"))
    visitors = counted(tx, zone, first=first, last=last).whole
    moved = money.moved(tx, [period], view="booking_day", as_of=datetime.now(UTC))
    orders = sum(row.orders for row in moved)
    return Range(
        first=first,
        last=last,
        visitors=visitors,
        sessions=visits.started(tx, period.start, period.end),
        orders=orders,
        conversion=round(orders / visitors, 4) if visitors else None,
        money=moved,
    )
