"""Tracking loss: which paid orders the pages' events do not know of, by payment method and by browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import periods, whole
from shop.analytics.queries import closing
from shop.analytics.queries.closing import Seen
from shop.analytics.revenue import check_range

By = Literal["method", "browser"]


@dataclass(frozen=True, slots=True)
class Tracking:
    """A row for each method and browser that occur together."""

    rows: Sequence[Seen]

    @property
    def orders(self) -> int:
        return sum(row.orders for row in self.rows)

    @property
    def lost(self) -> int:
        return self.orders - sum(row.tracked for row in self.rows)

    def by(self, field: By) -> list[tuple[str, Seen]]:
        """Summed by one of the two, most orders first."""
        values = sorted({getattr(row, field) for row in self.rows})
        found = [(value, _sum([row for row in self.rows if getattr(row, field) == value])) for value in values]
        return sorted(found, key=lambda pair: -pair[1].orders)


def tracking(db: Database, zone: ZoneInfo, *, first: date, last: date) -> Tracking:
    """Paid orders placed on the days from `first` to `last`, both included. Raises RangeTooLong."""
    check_range(first, last)
    with db.transaction() as tx:
        return Tracking(closing.tracked(tx, whole(periods(zone, first, last, "day"))))


def _sum(rows: Sequence[Seen]) -> Seen:
    first = rows[0]
    return Seen(first.method, first.browser, sum(row.orders for row in rows), sum(row.tracked for row in rows))
