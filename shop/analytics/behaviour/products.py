"""How products do in a range of days: looked at, put into the cart, bought, sent back."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import periods, whole
from shop.analytics.queries import products as queries
from shop.analytics.queries.products import ProductRow, Sort
from shop.analytics.revenue import RangeTooLong, check_range

LONGEST = timedelta(days=92)
"""People are counted one by one over the whole range; a quarter of a year is what a request may cost."""


def products(
    db: Database,
    zone: ZoneInfo,
    *,
    first: date,
    last: date,
    currency: str,
    sort: Sort,
    category: str | None,
    limit: int,
) -> Sequence[ProductRow]:
    """Days from `first` to `last`, both included. Raises RangeTooLong."""
    check_range(first, last)
    if last - first >= LONGEST:
        raise RangeTooLong(f"products may be asked for {LONGEST.days} days")
    period = whole(periods(zone, first, last, "month"))
    with db.transaction() as tx:
        return queries.products(
            tx, start=period.start, end=period.end, currency=currency, sort=sort, category=category, limit=limit
        )
