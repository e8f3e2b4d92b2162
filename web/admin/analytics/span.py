"""The range of days that a page is about: from its address, with the usual ones to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from web.admin.section import Visit

FIRST_DAY, LAST_DAY = date(2000, 1, 2), date(9998, 12, 31)
"""What the API takes."""

USUAL = (("Today", 1), ("7 days", 7), ("28 days", 28), ("90 days", 90))


@dataclass(frozen=True, slots=True)
class Span:
    """Days on the shop's clock, both included."""

    first: date
    last: date
    today: date

    @property
    def query(self) -> dict[str, str]:
        """As the API takes it."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def all(self) -> Sequence[date]:
        return [self.first + timedelta(days=place) for place in range(self.days)]

    @property
    def before(self) -> "Span":
        """As many days right before it."""
        long = timedelta(days=self.days)
        return Span(max(self.first - long, FIRST_DAY), max(self.last - long, FIRST_DAY), self.today)

    @property
    def usual(self) -> Sequence[tuple[str, str, str, bool]]:
        """Words, first and last day of each range to choose, and whether it is this one."""
        found = [(words, self.today - timedelta(days=days - 1)) for words, days in USUAL]
        return [
            (words, str(first), str(self.today), (first, self.today) == (self.first, self.last))
            for words, first in found
        ]


def span(visit: Visit, *, days: int = 28) -> Span:
    """The range of the address; without one, or where it says none, the last days with today."""
    today = datetime.now(UTC).astimezone(ZoneInfo(visit.menu.zone)).date()
    last = _day(visit.asked("to")) or today
    first = _day(visit.asked("from")) or max(last - timedelta(days=days - 1), FIRST_DAY)
    return Span(min(first, last), max(first, last), today)


def _day(typed: str) -> date | None:
    try:
        return min(max(date.fromisoformat(typed), FIRST_DAY), LAST_DAY)
    except ValueError:
        return None
