"""Funnels, ways and retention once more, the simplest way there is: everything is tried. Slow, and easy to believe."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from shop.analytics.behaviour.steps import ORDER_FACTS, Funnel, Match
from shop.analytics.behaviour.ways import STATIONS, Paths


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
    units: dict[Any, list[Fact]] = {}
    owner = _owners(facts)
    visit_of = _visits(facts)
    for fact in facts:
        if fact.bot < 50:
            key: Any = fact.visitor
            if funnel.unit == "customer":
                key = fact.customer or owner.get(fact.visitor)
            elif funnel.unit == "session":
                key = visit_of(fact)
            if key is not None:
                units.setdefault(key, []).append(fact)
    return units.values()


def _owners(facts: Sequence[Fact]) -> dict[str, str]:
    """Visitors on whose browser one customer alone was signed in."""
    seen: dict[str, set[str]] = {}
    for fact in facts:
        if fact.customer and fact.name not in ORDER_FACTS:
            seen.setdefault(fact.visitor, set()).add(fact.customer)
    return {visitor: min(customers) for visitor, customers in seen.items() if len(customers) == 1}


def _visits(facts: Sequence[Fact]) -> Callable[[Fact], tuple[str, datetime] | None]:
    """To which visit a fact belongs: half an hour of silence, or another campaign than the one in effect, begins one."""
    visits: dict[str, list[list[datetime]]] = {}
    for visitor in {fact.visitor for fact in facts}:
        before: datetime | None = None
        campaign: str | None = None
        mine = visits.setdefault(visitor, [])
        for fact in sorted((f for f in facts if f.visitor == visitor), key=lambda f: (f.ts, f.id)):
            if fact.name in ORDER_FACTS:
                continue
            silence = before is None or fact.ts - before > timedelta(minutes=30)
            named = fact.fields.get("campaign")
            campaign = None if silence else campaign
            if silence or (named is not None and named != campaign):
                mine.append([fact.ts, fact.ts])
            campaign = named or campaign
            before = mine[-1][1] = fact.ts

    def of(fact: Fact) -> tuple[str, datetime] | None:
        begun = [(start, end) for start, end in visits[fact.visitor] if start <= fact.ts]
        if not begun:
            return None
        start = max(begun)[0]
        end = max(end for at, end in begun if at == start)
        return (fact.visitor, start) if fact.ts <= end + timedelta(minutes=30) else None

    return of


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
    touch = max(entries) if funnel.attribution == "last" else min(entries)
    segment = known[touch].fields.get(funnel.breakdown or "")
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
                near = funnel.steps[k].within
                if near is not None and known[following].ts - known[at].ts > near:
                    continue
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


def ways(facts: Sequence[Fact], asked: Paths) -> tuple[Counter[tuple[str, ...]], Counter[tuple[int, str]]]:
    """How often each way was gone, and each station in each place."""
    visit_of = _visits(facts)
    visits: dict[Any, list[Fact]] = {}
    for fact in facts:
        if fact.bot < 50 and fact.name in STATIONS and (visit := visit_of(fact)) is not None:
            visits.setdefault(visit, []).append(fact)
    gone: Counter[tuple[str, ...]] = Counter()
    places: Counter[tuple[int, str]] = Counter()
    for visit in visits.values():
        stations: list[str] = []
        anchor: int | None = None
        for fact in sorted(visit, key=lambda f: (f.ts, f.id, f.name == "order_paid")):
            page = asked.nodes == "pages" and fact.name == "page_view"
            label = fact.fields.get("path", fact.name) if page else fact.name
            if not stations or stations[-1] != label:
                stations.append(label)
            if anchor is None and fact.matches(asked.anchor) and asked.start <= fact.ts < asked.end:
                anchor = len(stations) - 1
        if anchor is None:
            continue
        rest = stations[anchor + 1 :] if asked.direction == "after" else stations[:anchor][::-1]
        gone[tuple(rest[: asked.length])] += 1
        places.update(enumerate(rest[: asked.length], start=1))
    return gone, places


def returned(
    facts: Sequence[Fact], zone: ZoneInfo, *, by: str, first: date, end: date, until: datetime
) -> Counter[tuple[date, int]]:
    """People by the Monday of their first week and weeks since."""
    weeks: dict[str, set[date]] = {}
    for fact in facts:
        if fact.ts >= until or fact.bot >= 50:
            continue
        came = fact.name not in ORDER_FACTS if by == "visitor" else fact.name == "order_placed"
        who = fact.visitor if by == "visitor" else fact.customer
        if came and who is not None:
            day = fact.ts.astimezone(zone).date()
            weeks.setdefault(who, set()).add(day - timedelta(days=day.weekday()))
    found: Counter[tuple[date, int]] = Counter()
    for mondays in weeks.values():
        if first <= min(mondays) < end:
            found.update((min(mondays), (monday - min(mondays)).days // 7) for monday in mondays)
    return found
