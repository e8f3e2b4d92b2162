"""Counts the searches of days that are over, and again those about which something has changed."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from db.database import Database, Tx
from shop.progress import Progress, unheard
from shop.search.days.spans import DAY, ORDERS_MARK, OVERLAP, SETTLED, day_of, each_day, settled, span_of
from shop.search.queries import day_counts
from shop.search.queries import days as queries
from shop.search.queries.suggest import mark, set_mark


def sum_up(db: Database, progress: Progress = unheard, *, zone: ZoneInfo) -> dict[str, object]:
    """Answers {days, searches}: how many were counted. Each day is a transaction; a killed run goes on where it was.

    Until a changed day is counted again, it is read from its searches: numbers are never of before a change.
    """
    now = datetime.now(UTC)
    with db.transaction() as tx:
        _note_orders(tx, now)
        due = _due(tx, zone, now)
    searches = 0
    for done, day in enumerate(due, start=1):
        with db.transaction() as tx:
            searches += count(tx, day, zone)
        progress(done, len(due))
    return {"days": len(due), "searches": searches}


def count(tx: Tx, day: date, zone: ZoneInfo) -> int:
    """One day anew, from its searches; answers how many. A closed one stays as it is."""
    queries.lock(tx)
    span = span_of(day, zone)
    queries.take_touches(tx, start=span.start, end=span.end)
    if any(one.closed for one in queries.counted(tx) if one.day == day):
        return 0
    texts = queries.texts_of(tx, day)
    day_counts.begin_day(tx, day, zone=zone.key)
    searches = day_counts.count_queries(tx, span)
    day_counts.total_up(tx, day)
    day_counts.count_sales(tx, span)
    day_counts.count_times(tx, span)
    queries.forget_texts(tx, texts)
    return searches


def _note_orders(tx: Tx, now: datetime) -> None:
    """What changed about orders is noted for good before the mark moves on."""
    queries.lock(tx)
    since = mark(tx, ORDERS_MARK)
    if since is not None:
        queries.touch_orders(tx, since=since - OVERLAP)
    set_mark(tx, ORDERS_MARK, now)


def _due(tx: Tx, zone: ZoneInfo, now: datetime) -> list[date]:
    """The oldest first: whatever is before the first counted day has no searches, or is noted."""
    counted = queries.counted(tx)
    last = day_of(now - SETTLED, zone) - DAY
    touched = {day_of(moment, zone) for moment in queries.touched(tx, orders_since=None)}
    first = counted[0].day if counted else queries.first_search(tx)
    if isinstance(first, datetime):
        first = day_of(first, zone)
    good = settled(tx, counted, zone)
    within = set(each_day(first, last)) if first is not None else set[date]()
    # What is noted of a closed day is its rows being deleted; the note goes.
    return sorted(day for day in within | touched if day <= last and (day in touched or day not in good))
