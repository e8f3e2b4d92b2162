"""Which visits brought which revenue: the ledger's net of each order, divided among the visits that led to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import periods, whole
from shop.analytics.queries import attribution as queries
from shop.analytics.queries.attribution import Asked, By, Credited, Model
from shop.analytics.revenue import check_range

TIMEOUT_MS = 15_000
"""Then a person has turned away, and the database is needed by others."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """`credited`: a row for each value and currency. `unattributed`: what had no visit before it. Together they are
    `totals`, and these are exactly what revenue by order day says of the same days at the same moment."""

    first: date
    last: date
    as_of: datetime
    credited: Sequence[Credited]
    unattributed: Sequence[Credited]
    totals: Sequence[Credited]


def attribution(
    db: Database,
    zone: ZoneInfo,
    *,
    first: date,
    last: date,
    model: Model,
    by: By,
    lookback: timedelta,
    skip_direct: bool = False,
    as_of: datetime | None = None,
) -> Attribution:
    """Orders placed on the days from `first` to `last`, both included, and visits that began up to `lookback` before.

    `model`: all of an order's net to the `first` or the `last` visit, or to each the same (`linear`); cents that cannot
    be divided go to the earliest visits. `skip_direct`: visits of people who typed the address count only where there
    are no others. Visits are those of the order's browser, and of others on which its customer alone was signed in.
    Raises RangeTooLong, TooMuchWork.
    """
    check_range(first, last)
    moment = as_of or datetime.now(UTC)
    days = whole(periods(zone, first, last, "day"))
    asked = Asked(days.start, days.end, moment, lookback, model, by, skip_direct)
    with db.transaction() as tx:
        rows = queries.credited(tx, asked, timeout_ms=TIMEOUT_MS)
    return Attribution(
        first=first,
        last=last,
        as_of=moment,
        credited=[row for row in rows if row.visited and not row.whole],
        unattributed=[row for row in rows if not row.visited and not row.whole],
        totals=[row for row in rows if row.whole],
    )
