"""Counts every night whether the counted days are still what their searches say."""

from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from db.database import Database
from shop.errors import Rejected
from shop.progress import Progress, unheard
from shop.search.days.spans import settled, span_of
from shop.search.queries import analytics, day_counts
from shop.search.queries import days as queries

PATIENCE_S = 60
NAMED = 5


class DaysDiffer(Rejected):
    """A counted day was not what its searches say. It is counted anew."""

    code: ClassVar[str] = "days_differ"
    status: ClassVar[int] = 409


def recount(db: Database, progress: Progress = unheard, *, zone: ZoneInfo) -> dict[str, object]:
    """Answers {days}: how many were compared, all alike. Raises DaysDiffer, after all of them were looked at; those
    days are read from their searches from now on, until `search.sum_up` has counted them again.
    """
    with db.transaction() as tx:
        days = [one.day for one in queries.counted(tx) if not one.closed]
    wrong: dict[date, int] = {}
    for done, day in enumerate(days, start=1):
        differing = _differing(db, day, zone)
        if differing:
            wrong[day] = differing
        progress(done, len(days))
    if wrong:
        told = ", ".join(f"{day} ({number})" for day, number in list(wrong.items())[:NAMED])
        raise DaysDiffer(f"{len(wrong)} counted days have other numbers than their searches: {told}; counted anew")
    return {"days": len(days)}


def _differing(db: Database, day: date, zone: ZoneInfo) -> int:
    """In one moment: what is noted as changed is not wrong, only not counted yet."""
    with db.transaction() as tx:
        analytics.take_time(tx, seconds=PATIENCE_S)
        if day not in settled(tx, [one for one in queries.counted(tx) if one.day == day and not one.closed], zone):
            return 0
        differing = day_counts.differing(tx, span_of(day, zone))
        if differing:
            queries.touch(tx, span_of(day, zone).start)
        return differing
