"""Which days of a range are taken as they were counted, and which are read from their searches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from db.database import Tx
from shop.search.queries import days as queries
from shop.search.queries.analytics import Range
from shop.search.queries.days import Counted, Span
from shop.search.queries.suggest import mark

ORDERS_MARK = "days.orders"

OVERLAP = timedelta(minutes=2)
"""A change of an order may become visible so much later than the time that it bears."""

SETTLED = timedelta(hours=1, minutes=5)
"""After its end a day may be counted: what comes later with a time more than an hour ago is noted one by one."""

DAY = timedelta(days=1)


def range_of(tx: Tx, first: date, last: date, zone: ZoneInfo) -> Range:
    """Taken as counted is a day of this zone about which nothing has changed since, and a closed one always."""
    good = settled(tx, queries.counted(tx), zone)
    live = [day for day in each_day(first, last) if day not in good]
    return Range(first, last, live, _in_one_piece(live, zone))


def settled(tx: Tx, counted: Sequence[Counted], zone: ZoneInfo) -> set[date]:
    """The counted days that hold."""
    changed = changed_days(tx, zone)
    return {one.day for one in counted if one.closed or (one.zone == zone.key and one.day not in changed)}


def changed_days(tx: Tx, zone: ZoneInfo) -> set[date]:
    since = mark(tx, ORDERS_MARK)
    return {day_of(moment, zone) for moment in queries.touched(tx, orders_since=since and since - OVERLAP)}


def each_day(first: date, last: date) -> Iterator[date]:
    return (first + DAY * number for number in range((last - first).days + 1))


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def span_of(day: date, zone: ZoneInfo) -> Span:
    return Span(day, datetime.combine(day, time.min, zone), datetime.combine(day + DAY, time.min, zone))


def _in_one_piece(days: Sequence[date], zone: ZoneInfo) -> list[Span]:
    spans: list[Span] = []
    for day in days:
        span = span_of(day, zone)
        if spans and spans[-1].end == span.start:
            spans[-1] = replace(spans[-1], end=span.end)
        else:
            spans.append(span)
    return spans
