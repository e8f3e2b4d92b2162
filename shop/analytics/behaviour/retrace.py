"""Fills the tables that follow the events with what was there before, and looks each night whether they are right."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import day_in
from shop.analytics.queries import steps as queries
from shop.progress import Progress, unheard

WEEK = timedelta(days=7)

LOOKED_AT = 3
"""Weeks each night: events are accepted up to seven days late, and a week more is slack."""


def retrace(
    db: Database, zone: ZoneInfo, progress: Progress = unheard, *, everything: bool = False, now: datetime | None = None
) -> dict[str, int]:
    """Answers weeks looked at, and rows that were put right in them. Above 0 in a later run is a fault of ours.

    The first run, and the first in another zone, looks at all there is. May run twice and die anywhere: until it has
    come to its end, questions are answered from the events.
    """
    moment = now or datetime.now(UTC)
    with db.transaction() as tx:
        state = queries.state(tx)
        if state is None or state.zone != zone.key:
            queries.begin(tx, zone.key)
        first = queries.first_hour(tx)
    whole = everything or state is None or state.zone != zone.key or not state.complete
    monday = _monday(moment, zone)
    oldest = monday - WEEK * (LOOKED_AT - 1)
    if first is not None and whole:
        oldest = min(oldest, _monday(first, zone))
    # The coming week too: clocks that go ahead are believed for five minutes.
    weeks = (monday - oldest).days // 7 + 2
    sums = {"weeks": 0, "missing": 0, "extra": 0, "days": 0}
    for n in range(weeks):
        start, end = (day_in(zone, oldest + WEEK * at).start for at in (n, n + 1))
        with db.transaction() as tx:
            missing, extra = queries.mend_steps(tx, start, end)
            days = queries.mend_days(tx, start, end)
        for name, count in (("weeks", 1), ("missing", missing), ("extra", extra), ("days", days)):
            sums[name] += count
        progress(n + 1, weeks)
    with db.transaction() as tx:
        queries.finish(tx, at=moment)
    return sums


def _monday(moment: datetime, zone: ZoneInfo) -> date:
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())
