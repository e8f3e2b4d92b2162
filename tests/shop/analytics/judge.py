"""Funnels once more, the simplest way there is: every way through a short history is tried. Slow, and easy to believe."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import floor
from typing import Any

from shop.analytics.behaviour.steps import Funnel, Match


@dataclass(frozen=True)
class Fact:
    visitor: str
    ts: datetime
    id: str
    name: str
    customer: str | None = None
    bot: int = 0
    fields: dict[str, str] = field(default_factory=dict)

    def matches(self, match: Match) -> bool:
        return self.name == match.name and all(self.fields.get(at) in wanted for at, wanted in match.where.items())


@dataclass(frozen=True)
class Seen:
    """One unit: when it entered last, with which segment first, and its quickest time to each step it reached."""

    last_entry: datetime
    segment: str | None
    seconds: dict[int, float]


def judge(facts: Sequence[Fact], funnel: Funnel, *, now: datetime) -> dict[Any, list[tuple[Any, ...]]]:
    """By segment (and "whole"): for each step (units, mature units, median, 90th percentile)."""
    seen = [one for unit in _units(facts, funnel) if (one := _walk(unit, funnel)) is not None]
    groups: dict[Any, list[Seen]] = {"whole": seen} if seen else {}
    if funnel.breakdown:
        for one in seen:
            groups.setdefault((one.segment,), []).append(one)
    return {
        key: [_step(group, k, funnel, now) for k in range(1, len(funnel.steps) + 1)] for key, group in groups.items()
    }


def _units(facts: Sequence[Fact], funnel: Funnel) -> Iterable[list[Fact]]:
    people = [fact for fact in facts if fact.bot < 50]
    units: dict[Any, list[Fact]] = {}
    if funnel.unit == "session":
        for visitor in {fact.visitor for fact in people}:
            visit, before = 0, None
            for fact in sorted((f for f in people if f.visitor == visitor), key=lambda f: (f.ts, f.id)):
                visit += before is not None and fact.ts - before > timedelta(minutes=30)
                before = fact.ts
                units.setdefault((visitor, visit), []).append(fact)
    else:
        for fact in people:
            key = fact.visitor if funnel.unit == "visitor" else fact.customer
            if key is not None:
                units.setdefault(key, []).append(fact)
    return units.values()


def _walk(unit: list[Fact], funnel: Funnel) -> Seen | None:
    def barred(fact: Fact) -> bool:
        return any(fact.matches(match) for match in funnel.exclude)

    def place(fact: Fact) -> int:
        hits = [k for k, match in enumerate(funnel.steps) if fact.matches(match)]
        return 99 if barred(fact) else hits[0]

    known = [f for f in unit if f.ts >= funnel.start and (barred(f) or any(f.matches(m) for m in funnel.steps))]
    known.sort(key=lambda f: (f.ts, place(f), f.id))
    entries: dict[int, None] = {}
    seconds: dict[int, float] = {}
    for entry, reached, took in _WAYS[funnel.mode](known, funnel, barred):
        entries[entry] = None
        seconds[reached] = min(seconds.get(reached, took), took)
    if not entries:
        return None
    segment = known[min(entries)].fields.get(funnel.breakdown or "")
    return Seen(max(known[entry].ts for entry in entries), segment, seconds)


Way = tuple[int, int, float]
"""Entry (its place in the history), step reached, seconds."""


def _ordered(known: list[Fact], funnel: Funnel, barred: Callable[[Fact], bool]) -> Iterator[Way]:
    yield from _chains(known, funnel, barred, directly=False)


def _strict(known: list[Fact], funnel: Funnel, barred: Callable[[Fact], bool]) -> Iterator[Way]:
    yield from _chains(known, funnel, barred, directly=True)


def _chains(known: list[Fact], funnel: Funnel, barred: Callable[[Fact], bool], *, directly: bool) -> Iterator[Way]:
    def go_on(entry: int, at: int, k: int) -> Iterator[Way]:
        took = known[at].ts - known[entry].ts
        if took > funnel.window or any(barred(known[i]) for i in range(entry, at + 1)):
            return
        yield entry, k, took.total_seconds()
        if k < len(funnel.steps):
            for following in range(at + 1, min(at + 2, len(known)) if directly else len(known)):
                if known[following].matches(funnel.steps[k]):
                    yield from go_on(entry, following, k + 1)

    for entry, fact in enumerate(known):
        if fact.ts < funnel.end and fact.matches(funnel.steps[0]):
            yield from go_on(entry, entry, 1)


def _any(known: list[Fact], funnel: Funnel, barred: Callable[[Fact], bool]) -> Iterator[Way]:
    for entry, first in enumerate(known):
        if first.ts >= funnel.end or barred(first):
            continue
        done: set[int] = set()
        for fact in known[entry:]:
            if fact.ts - first.ts > funnel.window or barred(fact):
                break
            for k, match in enumerate(funnel.steps):
                if k not in done and fact.matches(match):
                    done.add(k)
                    yield entry, len(done), (fact.ts - first.ts).total_seconds()


_WAYS: dict[str, Callable[[list[Fact], Funnel, Callable[[Fact], bool]], Iterator[Way]]] = {
    "ordered": _ordered,
    "strict": _strict,
    "any": _any,
}


def _step(group: list[Seen], k: int, funnel: Funnel, now: datetime) -> tuple[Any, ...]:
    reached = [one for one in group if k in one.seconds]
    mature = [one for one in reached if one.last_entry + funnel.window <= now]
    times = sorted(one.seconds[k] for one in reached)
    return len(reached), len(mature), _percentile(times, 0.5), _percentile(times, 0.9)


def _percentile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (place - low), 6)
