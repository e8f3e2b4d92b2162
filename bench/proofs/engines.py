"""Three engines, one answer: `python -m bench.proofs engines` asks PostgreSQL (both tables), ClickHouse and a judge.

Histories are short and made of few moments: ties, repeats and edges of windows are the usual case. ClickHouse is chDB
in a process of its own; without it (`pip install chdb`, or COLUMNS_PYTHON names an interpreter that has it) the others
are asked.
"""

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.proofs import histories
from bench.proofs.histories import END, MINUTE, NAMES, START
from clients.columns import Chdb
from db.database import Database
from shop.analytics.behaviour import second_engine
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.second_engine import Compared
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.behaviour.ways import STATIONS, Paths
from shop.analytics.days import day_in
from shop.analytics.queries import paths as here
from shop.analytics.queries import retention as kept
from shop.analytics.queries.columns import paths as there
from shop.analytics.queries.columns import retention as kept_there
from shop.ports.columns import ColumnEngine
from tests.shop.analytics import judge
from tests.shop.analytics.judge import Fact

ZONE = ZoneInfo("Europe/Berlin")

A_ROUND = 100
"""Histories that are asked about together."""
QUESTIONS = 8
"""Funnels a round, beside two questions about ways and two about retention."""


@dataclass
class Told:
    """What was asked, and what was found to differ."""

    histories: int = 0
    questions: int = 0
    comparisons: int = 0
    engines: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.histories} histories, {self.questions} questions, {self.comparisons} comparisons of answers by"
            f" {', '.join(self.engines)}: {len(self.wrong)} differ" + "".join(f"\n{one}" for one in self.wrong[:3])
        )


def interpreter() -> str | None:
    """One that has chdb; None where there is none."""
    return os.environ.get("COLUMNS_PYTHON") or (sys.executable if find_spec("chdb") else None)


@contextmanager
def engine(python: str) -> Generator[Chdb]:
    folder = tempfile.mkdtemp(prefix="columns-")
    try:
        with Chdb(Path(folder), python=python) as opened:
            yield opened
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prove(db: Database, columns: ColumnEngine | None, wanted: int, *, seed: int) -> Told:
    """On an empty database that may be filled and emptied again."""
    told = Told(
        engines=("PostgreSQL (events)", "PostgreSQL (steps)", *(["ClickHouse"] if columns else []), "the judge")
    )
    retrace(db, ZONE)
    for at in range(0, wanted, A_ROUND):
        chance = random.Random(f"{seed} {at}")
        facts = histories.made(chance, min(A_ROUND, wanted - at))
        histories.store(db, facts)
        if columns:
            second_engine.give(db, columns, start=START - timedelta(days=3), until=START + timedelta(days=30))
        told.histories += min(A_ROUND, wanted - at)
        for question, answers in _asked(db, columns, facts, chance):
            told.questions += 1
            told.comparisons += len(answers)
            told.wrong += [
                f"seed {seed} round {at}: {question}\n  {one.question}\n  {one.here}\n  {one.there}"
                for one in answers
                if not one.agree
            ]
        histories.empty(db)
    return told


def _asked(
    db: Database, columns: ColumnEngine | None, facts: Sequence[Fact], chance: random.Random
) -> Generator[tuple[object, list[Compared]]]:
    for _ in range(QUESTIONS):
        funnel = _funnel(chance)
        now = START + chance.choice((40, 61, 75, 500)) * MINUTE
        yield (funnel, now), _funnels(db, columns, facts, funnel, now)
    for _ in range(2):
        paths = _paths(chance)
        yield paths, _ways(db, columns, facts, paths)
    for by in ("visitor", "customer"):
        until = day_in(ZONE, chance.choice((date(2026, 10, 26), date(2026, 11, 1), date(2026, 11, 30)))).start
        yield (by, until), _retention(db, columns, facts, by, until)


def _funnel(chance: random.Random) -> Funnel:
    mode: Any = chance.choice(("ordered", "ordered", "strict", "any"))
    steps = [_match(chance, (*NAMES[:4], "order_placed", "order_paid")) for _ in range(chance.randrange(2, 5))]
    if mode != "any":
        near = [None, *(chance.choice((None, None, 1, 10)) for _ in steps[1:])]
        steps = [replace(one, within=None if n is None else n * MINUTE) for one, n in zip(steps, near, strict=True)]
    return Funnel(
        steps=steps,
        window=chance.choice((5, 10, 30, 60)) * MINUTE,
        mode=mode,
        unit=chance.choice(("visitor", "customer", "session")),
        exclude=[_match(chance, ("search", "page_view"))] if chance.random() < 0.4 else [],
        breakdown=chance.choice((None, "channel", "campaign")),
        start=START,
        end=END,
        attribution=chance.choice(("first", "last")),
    )


def _match(chance: random.Random, names: Sequence[str]) -> Match:
    name = chance.choice(names)
    where: list[dict[str, list[str]]] = [{"product_id": ["p1"]}, {"product_id": ["p1", "p2"]}]
    where += [{"props.size": ["m", '"']}, {"props.size": ["\\"]}, {"path": ["/it's \\ odd", "/"]}]
    return Match(name, {} if name.startswith("order") or chance.random() < 0.6 else chance.choice(where))


def _paths(chance: random.Random) -> Paths:
    anchor = _match(chance, (*NAMES, "order_placed"))
    return Paths(
        anchor=anchor,
        direction=chance.choice(("after", "before")),
        nodes=chance.choice(("events", "pages")),
        length=chance.randrange(1, 5),
        start=START,
        end=END,
        # More than there are: the judge counts all of them.
        top=10_000,
    )


def _funnels(
    db: Database, columns: ColumnEngine | None, facts: Sequence[Fact], asked: Funnel, now: datetime
) -> list[Compared]:
    judged = judge.judge(facts, asked, now=now)
    said = sorted(
        second_engine.told(None if key == "whole" else key, *zip(*steps, strict=True)) for key, steps in judged.items()
    )
    answers = [Compared("events", second_engine.funnel_here(db, asked, now=now, source="events"), said)]
    if asked.slim:
        answers.append(Compared("steps", second_engine.funnel_here(db, asked, now=now, source="steps"), said))
    if columns:
        answers.append(Compared("ClickHouse", second_engine.funnel_there(columns, asked, now=now), said))
    return answers


def _ways(db: Database, columns: ColumnEngine | None, facts: Sequence[Fact], asked: Paths) -> list[Compared]:
    gone, places = judge.ways(facts, asked)
    said = sorted(
        [(0, *way, n) for way, n in gone.items()] + [(at, label, n) for (at, label), n in places.items()], key=repr
    )
    with db.transaction() as tx:
        rows = {"PostgreSQL": here.went(tx, asked, names=STATIONS, timeout_ms=second_engine.TIMEOUT_MS)}
    if columns:
        rows["ClickHouse"] = there.went(columns, asked)
    return [
        Compared(f"{name} ways", sorted(((one.place or 0, *one.labels, one.visits) for one in found), key=repr), said)
        for name, found in rows.items()
    ]


def _retention(
    db: Database, columns: ColumnEngine | None, facts: Sequence[Fact], by: Any, until: datetime
) -> list[Compared]:
    first, end = date(2026, 10, 19), date(2026, 11, 9)
    judged = judge.returned(facts, ZONE, by=by, first=first, end=end, until=until)
    said = sorted((monday, week, people) for (monday, week), people in judged.items())
    ask = kept.visitors if by == "visitor" else kept.customers
    bounds = {"first": day_in(ZONE, first).start, "end": day_in(ZONE, end).start, "until": until}
    with db.transaction() as tx:
        answers = {"events": ask(tx, ZONE.key, **bounds)}
        if by == "visitor":
            over = until.astimezone(ZONE).date()
            answers["days"] = kept.visitors_by_days(tx, first=first, end=end, until=over)
    if columns:
        answers["ClickHouse"] = kept_there.returned(columns, ZONE.key, by=by, first=first, end=end, until=until)
    return [
        Compared(f"retention, {name}", sorted((one.cohort, one.week, one.people) for one in found), said)
        for name, found in answers.items()
    ]
