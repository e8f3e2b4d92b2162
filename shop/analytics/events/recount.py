"""Counts the rows of days again and compares: a rollup that differs is noted for people, and put right when asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from db.database import Database, Tx
from shop.analytics.events.clock import EARLIEST
from shop.analytics.events.partitions import EVENTS_KEPT
from shop.analytics.queries import recount as queries
from shop.analytics.queries.recount import Off
from shop.progress import Progress, unheard

RECENT = EARLIEST + timedelta(days=1)
"""An event may come as late as this; no older day changes, but by an erasure."""

OLDER_A_NIGHT = 13
"""Days beside the recent ones: thirteen months are looked through once in a month."""

NOTES_WHOLE = timedelta(days=6)
"""Trending's notes are deleted after eight days, so older hours have fewer notes than they counted."""

SHOWN = 20
"""Cells that are named; a thousand of them say nothing more."""

BY_ITSELF = "recount"


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of sums, what finds cells that are off between two moments, and what counts them anew."""

    name: str
    off: Callable[[Tx, datetime, datetime], list[Off]]
    repair: Callable[[Tx, datetime, datetime], None]
    reaches_back: timedelta


ROLLUPS = (
    Rollup("event_hours", queries.hours_off, queries.repair_hours, EVENTS_KEPT),
    Rollup("product_hours", queries.interest_off, queries.repair_interest, NOTES_WHOLE),
)


def recount(
    db: Database,
    progress: Progress = unheard,
    *,
    kept: timedelta = EVENTS_KEPT,
    whole: bool = False,
    repair: bool = False,
    by: str = BY_ITSELF,
    now: datetime | None = None,
) -> dict[str, int]:
    """Compare the recent days and some older ones, or with `whole` all whose events are `kept`. Days are UTC's.

    Answers days looked at, days that differ, and by how many events in all. With `repair` the days that differ are
    counted anew. Safe to run twice and beside drains.
    """
    moment = now or datetime.now(UTC)
    days = list(_days(db, moment, kept, whole=whole))
    sums = {"days": len(days), "differing": 0, "off_by": 0, "repaired": 0}
    for done, day in enumerate(days):
        progress(done, len(days))
        for rollup in ROLLUPS:
            if datetime.combine(day, time(), UTC) < moment - min(kept, rollup.reaches_back):
                continue
            off_by = _compare(db, rollup, day, repair=repair, by=by)
            sums["differing"] += off_by is not None
            sums["off_by"] += off_by or 0
            sums["repaired"] += off_by is not None and repair
    return sums


def _days(db: Database, moment: datetime, kept: timedelta, *, whole: bool) -> Iterator[date]:
    today = moment.astimezone(UTC).date()
    with db.transaction() as tx:
        first = queries.first_event_day(tx) or today
    # A partition is dropped by its ids, whose times may be a week off: in the oldest weeks rows are missing rightly.
    first = max(first, (moment - kept + 2 * EARLIEST).date())
    recent = [today - timedelta(days=n) for n in range(RECENT.days + 1)]
    yield from (day for day in recent if day >= first)
    older = [day for n in range((recent[-1] - first).days) if (day := recent[-1] - timedelta(days=n + 1)) >= first]
    parts = max(1, -(-len(older) // OLDER_A_NIGHT))
    yield from (day for day in older if whole or day.toordinal() % parts == today.toordinal() % parts)


def _compare(db: Database, rollup: Rollup, day: date, *, repair: bool, by: str) -> int | None:
    """By how many events the day is off; None when it is right."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    with db.transaction() as tx:
        off = rollup.off(tx, start, end)
        if not off:
            queries.settle_differences(tx, rollup=rollup.name, day=day, settled_by=by)
            return None
        off_by = sum(abs(one.kept - one.counted) for one in off)
        queries.note_difference(tx, rollup=rollup.name, day=day, off_by=off_by, off=off, shown=SHOWN)
        if repair:
            rollup.repair(tx, start, end)
            queries.settle_differences(tx, rollup=rollup.name, day=day, settled_by=by)
    return off_by
