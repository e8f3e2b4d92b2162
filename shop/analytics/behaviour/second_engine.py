"""Gives a second engine what the events say, and puts the same questions to both: two ways, one answer."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.behaviour import funnel as funnels
from shop.analytics.behaviour.steps import Funnel
from shop.analytics.behaviour.ways import STATIONS, Paths
from shop.analytics.days import day_in
from shop.analytics.queries import paths as paths_here
from shop.analytics.queries import retention as retention_here
from shop.analytics.queries.columns import facts, funnel, paths, retention
from shop.analytics.queries.copies import copied
from shop.analytics.queries.facts import Source
from shop.analytics.queries.funnel import reached
from shop.ports.columns import ColumnEngine

TIMEOUT_MS = 600_000
"""Nobody waits for it, and it is asked for seldom."""

DIGITS = 6
"""Of seconds: both engines count in microseconds, and take the mean of two of them."""

Told = tuple[str, str]
"""A funnel's group and its figures, in words that are equal where the figures are."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One question: what each engine answered, in words that can be compared."""

    question: str
    here: Sequence[object]
    there: Sequence[object]

    @property
    def agree(self) -> bool:
        return self.here == self.there


def give(db: Database, engine: ColumnEngine, *, start: datetime, until: datetime) -> None:
    """Everything from `start` to `until`, in place of what it had. Raises ColumnsUnavailable."""
    for table, statement in facts.TABLES:
        engine.do(f"DROP TABLE IF EXISTS {table} SYNC")
        engine.do(statement)
        with tempfile.NamedTemporaryFile(prefix=f"{table}-", suffix=".tsv") as file:
            with db.transaction() as tx:
                file.writelines(copied(tx, table, start=start, until=until))
            file.flush()
            if Path(file.name).stat().st_size:
                facts.fill(engine, table, Path(file.name))


def same_funnel(db: Database, engine: ColumnEngine, asked: Funnel, *, now: datetime) -> list[Compared]:
    """From the events and, where it has all that is asked, from the slim table, beside the second engine."""
    funnels.check(asked)
    there = funnel_there(engine, asked, now=now)
    sources: Sequence[Source] = ("events", "steps") if asked.slim else ("events",)
    return [Compared(f"funnel ({one})", funnel_here(db, asked, now=now, source=one), there) for one in sources]


def funnel_here(db: Database, asked: Funnel, *, now: datetime, source: Source) -> list[Told]:
    with db.transaction() as tx:
        rows = reached(tx, asked, now=now, timeout_ms=TIMEOUT_MS, source=source)
    return sorted(
        told(None if row.whole else (row.segment,), row.units, row.mature, row.median_s, row.p90_s) for row in rows
    )


def funnel_there(engine: ColumnEngine, asked: Funnel, *, now: datetime) -> list[Told]:
    rows = funnel.counted(engine, asked, now=now)
    return sorted(
        told(None if row.whole else (row.segment,), row.units, row.mature, row.median_s, row.p90_s) for row in rows
    )


def same_paths(db: Database, engine: ColumnEngine, asked: Paths) -> Compared:
    with db.transaction() as tx:
        here = paths_here.went(tx, asked, names=STATIONS, timeout_ms=TIMEOUT_MS)
    return Compared("paths", here, paths.went(engine, asked))


def same_retention(
    db: Database, engine: ColumnEngine, zone: ZoneInfo, *, by: str, first: date, end: date, until: datetime
) -> list[Compared]:
    """Weeks from the Monday `first` to before the Monday `end`."""
    there = retention.returned(engine, zone.key, by=by, first=first, end=end, until=until)
    ask = retention_here.visitors if by == "visitor" else retention_here.customers
    bounds = {"first": day_in(zone, first).start, "end": day_in(zone, end).start, "until": until}
    with db.transaction() as tx:
        answers = [Compared(f"retention by {by} (events)", ask(tx, zone.key, **bounds), there)]
        if by == "visitor":
            over = (until - timedelta.resolution).astimezone(zone).date() + timedelta(days=1)
            days = retention_here.visitors_by_days(tx, first=first, end=end, until=over)
            answers.append(Compared("retention by visitor (days)", days, there))
    return answers


def told(
    segment: tuple[str | None] | None,
    units: Sequence[int],
    mature: Sequence[int],
    median: Sequence[float | None],
    p90: Sequence[float | None],
) -> Told:
    """`segment` None is all of them."""
    seconds = [[None if s is None else round(float(s), DIGITS) for s in times] for times in (median, p90)]
    return repr(segment), repr((list(units), list(mature), *seconds))
