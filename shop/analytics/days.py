"""The shop's days: from midnight to midnight on its own wall clock, so that some have 23 hours and some 25."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (included) to `end` (excluded), in UTC; `day` names it, the first day where it is longer."""

    day: date
    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        return round((self.end - self.start).total_seconds() / 3600)


def day_in(zone: ZoneInfo, day: date) -> Period:
    return Period(day, _midnight(zone, day), _midnight(zone, day + timedelta(days=1)))


def last_days(zone: ZoneInfo, day: date, count: int) -> list[Period]:
    """`count` days, oldest first, `day` the last."""
    return [day_in(zone, day - timedelta(days=back)) for back in reversed(range(count))]


def periods(zone: ZoneInfo, first: date, last: date, interval: str) -> list[Period]:
    """The days, weeks (from Monday) or months from `first` to `last`, both included; the outer ones are cut there."""
    found: list[Period] = []
    begin = first
    while begin <= last:
        following = min(_next(begin, interval), last + timedelta(days=1))
        found.append(Period(begin, _midnight(zone, begin), _midnight(zone, following)))
        begin = following
    return found


def whole(parts: Sequence[Period]) -> Period:
    """From the start of the first to the end of the last."""
    return Period(parts[0].day, parts[0].start, parts[-1].end)


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    # Where the clock jumps over midnight, this is the moment of the jump: the day begins there.
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _next(day: date, interval: str) -> date:
    if interval == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 - day.weekday() if interval == "week" else 1)
