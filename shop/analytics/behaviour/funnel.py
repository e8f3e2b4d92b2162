"""How many go how far on the way to an order, how long they take, and where they turn back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.behaviour.steps import Funnel
from shop.analytics.intervals import wilson
from shop.analytics.queries import funnel as queries
from shop.analytics.queries.funnel import Reached
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
    dropped: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Walked:
    """`maturing` entered so late that they may still go further. `value`: of the breakdown, None where it is not known;
    `other`: the small segments together."""

    value: str | None
    other: bool
    entered: int
    maturing: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Result:
    as_of: datetime
    whole: Walked
    segments: Sequence[Walked]


def funnel(db: Database, asked: Funnel, *, now: datetime | None = None, timeout_ms: int = TIMEOUT_MS) -> Result:
    """Raises RangeTooLong, TooMuchWork."""
    if not asked.start < asked.end <= asked.start + LONGEST:
        raise RangeTooLong(f"a funnel's range ends after it begins, and may have {LONGEST.days} days")
    moment = now or datetime.now(UTC)
    with db.transaction() as tx:
        rows = queries.reached(tx, asked, now=moment, timeout_ms=timeout_ms)
    n = len(asked.steps)
    groups = [_walked(rows[at : at + n]) for at in range(0, len(rows), n)]
    if not groups:
        return Result(moment, _walked([_nobody(step) for step in range(1, n + 1)]), [])
    return Result(moment, groups[0], groups[1:] if asked.breakdown else [])


def _nobody(step: int) -> Reached:
    return Reached(True, False, None, step, 0, 0, None, None, None)


def _walked(rows: Sequence[Reached]) -> Walked:
    first = rows[0]
    steps = [
        Step(
            total=_share(row.units, first.units),
            step=_share(row.units, before.units),
            mature=_share(row.mature, first.mature),
            median_s=row.median_s,
            p90_s=row.p90_s,
            dropped=row.dropped or [],
        )
        for before, row in zip([first, *rows], rows, strict=False)
    ]
    return Walked(first.segment, first.other, first.units, first.units - first.mature, steps)


def _share(units: int, of: int) -> Share:
    low, high = wilson(units, of)
    return Share(units, of, units / of if of else None, low, high)
