"""Three engines, one answer: `python -m bench.proofs engines` asks PostgreSQL (both tables), ClickHouse and a judge.

Histories are short and made of few moments: ties, repeats and edges of windows are the usual case. ClickHouse is chDB
in a process of its own; without it (`pip install chdb`, or COLUMNS_PYTHON names an interpreter that has it) the others
are asked.
"""

import hashlib
import os
import random
import shutil
import sys
import tempfile
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from clients.columns import Chdb
from db.database import Database
from shop.analytics.behaviour import second_engine
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.second_engine import Compared
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.behaviour.ways import STATIONS, Paths
from shop.analytics.days import day_in
from shop.analytics.events.sessions import sessions
from shop.analytics.queries import paths as here
from shop.analytics.queries import retention as kept
from shop.analytics.queries.columns import paths as there
from shop.analytics.queries.columns import retention as kept_there
from shop.ports.columns import ColumnEngine
from tests.shop.analytics import judge
from tests.shop.analytics.judge import Fact

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
"""Half an hour before the Sunday with 25 hours, which ends a week."""
MINUTE = timedelta(minutes=1)
END = START + 60 * MINUTE
MOMENTS = (-40, -1, 0, 1, 5, 10, 11, 30, 59, 60, 61, 65, 70, 71, 100, 1500, 1600, 10_140, 20_220)
"""Minutes from START; the last ones are behind the change of the clock, and one and two weeks later."""
NAMES = ("page_view", "product_view", "cart_add", "checkout_start", "search")
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


def prove(db: Database, columns: ColumnEngine | None, histories: int, *, seed: int) -> Told:
    """On an empty database that may be filled and emptied again."""
    told = Told(
        engines=("PostgreSQL (events)", "PostgreSQL (steps)", *(["ClickHouse"] if columns else []), "the judge")
    )
    retrace(db, ZONE)
    for at in range(0, histories, A_ROUND):
        chance = random.Random(f"{seed} {at}")
        facts = _facts(chance, min(A_ROUND, histories - at))
        _store(db, facts)
        if columns:
            second_engine.give(db, columns, start=START - timedelta(days=3), until=START + timedelta(days=30))
        told.histories += min(A_ROUND, histories - at)
        for question, answers in _asked(db, columns, facts, chance):
            told.questions += 1
            told.comparisons += len(answers)
            told.wrong += [
                f"seed {seed} round {at}: {question}\n  {one.question}\n  {one.here}\n  {one.there}"
                for one in answers
                if not one.agree
            ]
        _empty(db)
    return told


def _facts(chance: random.Random, histories: int) -> list[Fact]:
    facts: list[Fact] = []
    for n in range(histories):
        for _ in range(chance.randrange(12)):
            ts = START + chance.choice(MOMENTS) * MINUTE
            customer = chance.choice((None, None, f"c{n}", f"c{n // 2}"))
            if chance.random() < 0.08:
                facts += _order(chance, f"v{n}", customer or f"c{n}", ts)
                continue
            fields = {
                "product_id": chance.choice(("p1", "p2")),
                "channel": chance.choice(("direct", "search")),
                "path": chance.choice(("/", "/cart", "/it's \\ odd")),
                "props.size": chance.choice(("s", "m", '"', "\\")),
                "campaign": chance.choice((None, None, None, "spring", "autumn")),
            }
            known = {name: value for name, value in fields.items() if value is not None and chance.random() < 0.9}
            fact_id = str(uuid.UUID(int=chance.getrandbits(128)))
            bot = chance.choice((0, 0, 0, 0, 30, 50))
            facts.append(Fact(f"v{n}", ts, fact_id, chance.choice(NAMES), customer, bot, known))
    return facts


def _order(chance: random.Random, visitor: str, customer: str, ts: datetime) -> list[Fact]:
    """An order that was paid at once, or ten minutes later; its two facts have one id."""
    number = f"ord_{chance.getrandbits(64)}"
    fact_id = str(uuid.UUID(hashlib.md5(number.encode(), usedforsecurity=False).hexdigest()))
    paid = ts + chance.choice((0, 10)) * MINUTE
    fields = {"order": number}
    return [
        Fact(visitor, at, fact_id, name, customer, 0, fields)
        for at, name in ((ts, "order_placed"), (paid, "order_paid"))
    ]


def _store(db: Database, facts: Sequence[Fact]) -> None:
    with db.transaction() as tx, tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id,
                                bot_score, channel, product_id, path, campaign, props, fingerprint)
            VALUES (%(id)s, %(name)s, 'web', %(ts)s, %(ts)s, %(ts)s, 'as_sent', %(visitor)s, %(customer)s, %(bot)s,
                    %(channel)s, %(product)s, %(path)s, %(campaign)s,
                    CASE WHEN %(size)s::text IS NOT NULL THEN jsonb_build_object('size', %(size)s::text) END, 0)
            """,
            [_row(fact) for fact in facts if "order" not in fact.fields],
        )
        cursor.executemany(
            """
            INSERT INTO orders (id, customer_id, visitor_id, cart_id, status, currency, subtotal_minor, shipping_minor,
                                tax_minor, total_minor, amount_captured, expires_at, paid_at, created_at, updated_at)
            VALUES (%(order)s, %(customer)s, %(visitor)s, 'cart', 'paid', 'eur', 100, 0, 0, 100, 100, %(ts)s, %(paid)s,
                    %(ts)s, %(ts)s)
            """,
            [
                {"order": a.fields["order"], "customer": a.customer, "visitor": a.visitor, "ts": a.ts, "paid": b.ts}
                for a, b in pairwise(facts)
                if a.name == "order_placed" and b.name == "order_paid"
            ],
        )
        tx.execute(
            """
            INSERT INTO identity_links (visitor_id, user_id, first_at, last_at)
            SELECT visitor_id, user_id, min(ts), max(ts) FROM events WHERE user_id IS NOT NULL GROUP BY 1, 2
            """
        )
        tx.execute(
            "INSERT INTO visitors_touched (visitor_id, since, until)"
            " SELECT visitor_id, min(ts), max(ts) FROM events GROUP BY visitor_id"
        )
    sessions(db)


def _row(fact: Fact) -> dict[str, Any]:
    named = {name: fact.fields.get(name) for name in ("channel", "path", "campaign")}
    return named | {
        "id": fact.id,
        "name": fact.name,
        "ts": fact.ts,
        "visitor": fact.visitor,
        "customer": fact.customer,
        "bot": fact.bot,
        "product": fact.fields.get("product_id"),
        "size": fact.fields.get("props.size"),
    }


def _empty(db: Database) -> None:
    with db.transaction() as tx:
        # Not TRUNCATE: what follows the events shall follow them out, too.
        tx.execute("DELETE FROM events")
        left = tx.execute("SELECT (SELECT count(*) FROM steps) + (SELECT count(*) FROM visitor_days)").fetchone()
        assert left == (0,), "steps and days outlived their events"
        tx.execute("TRUNCATE sessions, identity_links, visitors_touched")
        tx.execute("DELETE FROM orders")


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
