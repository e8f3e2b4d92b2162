"""Adds revenue up by quarters of an hour, so that a year is read in milliseconds; compares with the ledger."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.queries import quarters as queries
from shop.progress import Progress, unheard

QUARTER = timedelta(minutes=15)

AGAIN = timedelta(hours=2)
"""Quarters are added up anew for so long: an entry's time is that of its writing, and its transaction may end later.
None of ours lives for more than minutes."""

BITE = timedelta(days=7)
"""A transaction of the first run, which reads all there is: seconds of work for a shop of a million lines."""

COMPARED = timedelta(days=35)
"""The nightly look back; older quarters were compared thirty-five times."""


def tally(db: Database, progress: Progress = unheard, *, now: datetime | None = None) -> dict[str, int]:
    """Add up what was booked since the last time; the first run of a day (UTC) also compares what was added up before.

    A day that differs is noted for alerts and added up anew. Answers rows and such days. May run twice and die
    anywhere: a bite is one transaction.
    """
    moment = now or datetime.now(UTC)
    end = _quarter(moment)
    with db.transaction() as tx:
        done, oldest = queries.cursor(tx), queries.oldest_entry(tx)
    different = _compared(db, end) if done and done.date() != end.date() else 0
    start = _quarter((done - AGAIN) if done else oldest or end)
    rows = 0
    while start < end:
        until = min(start + BITE, end)
        with db.transaction() as tx:
            queries.lock(tx)
            rows += queries.add_up(tx, start=start, end=until)
            # The first run must have come to the end before readers may rely on it.
            if until == end:
                queries.move_cursor(tx, end)
        progress(rows, None)
        start = until
    return {"rows": rows, "different_days": different}


def _compared(db: Database, end: datetime) -> int:
    """What is older than AGAIN must agree; a day that does not is noted, and all days that were looked at made anew."""
    start, until = _quarter(end - COMPARED), _quarter(end - AGAIN)
    with db.transaction() as tx:
        queries.lock(tx)
        found = queries.different_days(tx, start=start, end=until)
        for day, differing, off_by in found:
            queries.note_difference(tx, day=day, differing=differing, off_by=off_by)
        queries.settle_differences(tx, found=[day for day, _, _ in found])
        if found:
            queries.add_up(tx, start=start, end=until)
    return len(found)


def _quarter(moment: datetime) -> datetime:
    return datetime.fromtimestamp(moment.timestamp() // QUARTER.total_seconds() * QUARTER.total_seconds(), UTC)
