"""How many go how far on the way to an order, how long they take, and where they turn back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.behaviour.steps import Funnel
from shop.analytics.intervals import wilson
from shop.analytics.queries import funnel as queries
from shop.analytics.queries.facts import Source
from shop.analytics.queries.funnel import Earned, Reached, Walker
from shop.analytics.queries.steps import state
from shop.analytics.revenue import RangeTooLong

LONGEST = timedelta(days=93)
"""A funnel reads every event of its names in the range; a quarter of a year is what a request may cost."""

TIMEOUT_MS = 15_000
"""Then a person has turned away, and the database is needed by others."""


@dataclass(frozen=True, slots=True)
class Share:
    """`rate` of `of`, None when `of` is 0; `low` and `high` are its 95 % interval."""

    units: int
    of: int
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Step:
    """`total`: of those who entered. `step`: of those who reached the step before. `mature`: of those who entered and
    had their whole window since. Seconds are from the entry, each unit with its quickest way."""

    total: Share
    step: Share
    mature: Share
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class Walked:
    """`maturing` entered so late that they may still go further. `value`: of the breakdown, None where it is not known;
    `other`: the small segments together. `money`: a row a currency, None when it was not asked for."""

    value: str | None
    other: bool
    entered: int
    maturing: int
    steps: Sequence[Step]
    money: Sequence[Earned] | None


@dataclass(frozen=True, slots=True)
class Result:
    """`source`: whether the slim table of steps was read, or the events."""

    as_of: datetime
    source: Source
    whole: Walked
    segments: Sequence[Walked]


def funnel(
    db: Database,
    asked: Funnel,
    *,
    money: bool = False,
    source: Source | None = None,
    now: datetime | None = None,
    timeout_ms: int = TIMEOUT_MS,
) -> Result:
    """`money`: with what those who went all the way paid. `source`: the slim table where it has all that is asked.

    Raises RangeTooLong, TooMuchWork.
    """
    check(asked)
    moment = now or datetime.now(UTC)
    with db.transaction() as tx:
        kept = state(tx)
        found = source or ("steps" if asked.slim and kept is not None and kept.complete else "events")
        rows = queries.reached(tx, asked, now=moment, timeout_ms=timeout_ms, source=found)
        paid = queries.earned(tx, asked, now=moment, timeout_ms=timeout_ms, source=found) if money else None
    groups = [_walked(row, paid) for row in rows] or [_walked(_nobody(len(asked.steps)), paid)]
    return Result(moment, found, groups[0], groups[1:] if asked.breakdown else [])


def walkers(
    db: Database,
    asked: Funnel,
    *,
    step: int,
    further: bool,
    after: Walker | None,
    limit: int,
    timeout_ms: int = TIMEOUT_MS,
) -> list[Walker]:
    """Who got to `step` (from 1) and no further, or with `further` whoever got there; the newest entry first.

    Raises RangeTooLong, TooMuchWork.
    """
    check(asked)
    most = len(asked.steps) if further else step
    with db.transaction() as tx:
        return queries.walkers(
            tx, asked, now=datetime.now(UTC), timeout_ms=timeout_ms, least=step, most=most, after=after, limit=limit
        )


def check(asked: Funnel) -> None:
    """Raises RangeTooLong."""
    if not asked.start < asked.end <= asked.start + LONGEST:
        raise RangeTooLong(f"a funnel's range ends after it begins, and may have {LONGEST.days} days")


def _nobody(steps: int) -> Reached:
    return Reached(True, False, None, [0] * steps, [0] * steps, [None] * steps, [None] * steps)


def _walked(row: Reached, paid: Sequence[Earned] | None) -> Walked:
    units, mature = row.units, row.mature
    steps = [
        Step(
            total=_share(units[k], units[0]),
            step=_share(units[k], units[max(0, k - 1)]),
            mature=_share(mature[k], mature[0]),
            median_s=row.median_s[k],
            p90_s=row.p90_s[k],
        )
        for k in range(len(units))
    ]
    group = (row.whole, row.other, row.segment)
    money = None if paid is None else [one for one in paid if (one.whole, one.other, one.segment) == group]
    return Walked(row.segment, row.other, units[0], units[0] - mature[0], steps, money)


def _share(units: int, of: int) -> Share:
    low, high = wilson(units, of)
    return Share(units, of, units / of if of else None, low, high)
