"""Who comes back: cohorts by the week of their first visit or first order, week by week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.days import day_in
from shop.analytics.queries import retention as queries
from shop.analytics.queries.facts import Source
from shop.analytics.queries.retention import Returned
from shop.analytics.queries.steps import State, state
from shop.analytics.revenue import RangeTooLong

WEEK = timedelta(days=7)

MOST_COHORTS = 53
"""A year of weeks, as much as a table can show."""

By = Literal["visitor", "customer"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`week` 0 is the first one. `finished` False: the week is not over, more may come."""

    week: int
    people: int
    rate: float
    finished: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """`week`: the Monday. Weeks that have not begun have no cell."""

    week: date
    size: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Mean:
    """Over the cohorts whose week is over, each weighing as many as it has people; None when there is none."""

    week: int
    people: int
    of: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Retention:
    as_of: datetime
    cohorts: Sequence[Cohort]
    means: Sequence[Mean]


def retention(
    db: Database,
    zone: ZoneInfo,
    *,
    by: By,
    first: date,
    last: date,
    weeks: int,
    source: Source | None = None,
    now: datetime | None = None,
) -> Retention:
    """Cohorts of the weeks (from Monday) that have a day from `first` to `last`; `weeks` cells at most of each.

    Read from the days of visitors where they are complete, unless `source` says the events.

    Raises RangeTooLong, TooMuchWork.
    """
    moment = now or datetime.now(UTC)
    mondays = _mondays(first, last)
    if not mondays or len(mondays) > MOST_COHORTS:
        raise RangeTooLong(f"retention has 1 to {MOST_COHORTS} weeks of cohorts")
    start, end = day_in(zone, mondays[0]).start, day_in(zone, mondays[-1] + WEEK).start
    until = min(moment, day_in(zone, mondays[-1] + WEEK * weeks).start)
    with db.transaction() as tx:
        if by == "visitor" and state(tx) == State(zone.key, complete=True) and source != "events":
            over = (until - timedelta.resolution).astimezone(zone).date() + timedelta(days=1)
            rows = queries.visitors_by_days(tx, first=mondays[0], end=mondays[-1] + WEEK, until=over)
        else:
            ask = queries.visitors if by == "visitor" else queries.customers
            rows = ask(tx, zone.key, first=start, end=end, until=until)
    found = {(row.cohort, row.week): row for row in rows}
    cohorts = [_cohort(monday, found, zone, weeks, moment) for monday in mondays]
    return Retention(moment, cohorts, [_mean(cohorts, week) for week in range(weeks)])


def _mondays(first: date, last: date) -> list[date]:
    monday = first - timedelta(days=first.weekday())
    return [monday + WEEK * n for n in range(max(0, (last - monday).days // 7 + 1))]


def _cohort(monday: date, found: dict[tuple[date, int], Returned], zone: ZoneInfo, weeks: int, now: datetime) -> Cohort:
    begun = [week for week in range(weeks) if day_in(zone, monday + WEEK * week).start <= now]
    people = [found[monday, week].people if (monday, week) in found else 0 for week in begun]
    size = people[0] if people else 0
    return Cohort(
        monday,
        size,
        [
            Cell(week, n, n / size if size else 0.0, day_in(zone, monday + WEEK * (week + 1)).start <= now)
            for week, n in zip(begun, people, strict=True)
        ],
    )


def _mean(cohorts: Sequence[Cohort], week: int) -> Mean:
    over = [(cohort, cell) for cohort in cohorts for cell in cohort.cells if cell.week == week and cell.finished]
    people, of = sum(cell.people for _, cell in over), sum(cohort.size for cohort, _ in over)
    return Mean(week, people, of, people / of if of else None)
