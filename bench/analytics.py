"""Questions of analytics over millions of events: PostgreSQL with and without its slim tables, ClickHouse beside it.

`python -m bench.analytics --events 1000000 --keep DIR` prints for each question the processor seconds of the process
that answered it and the seconds on the clock (medians of rounds in which the questions take turns), the most memory it
held, and whether the goal is met. With `--keep` the database is made once. ClickHouse is asked where chDB is installed,
or where COLUMNS_PYTHON names an interpreter that has it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from rich.console import Console
from rich.table import Table

from bench.past_events import DAYS, add_past_events, last_midnight
from bench.proofs import engines
from clients.columns import Chdb
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, temporary_servers, with_database
from devstack.embedded.servers import EmbeddedServers
from shop.analytics import revenue
from shop.analytics.behaviour import retention, second_engine, visitors
from shop.analytics.behaviour.funnel import funnel
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.queries.columns import funnel as funnel_there
from shop.analytics.queries.columns import retention as retention_there
from shop.analytics.tally import tally

ZONE = ZoneInfo("Europe/Berlin")
FUNNEL = ("product_view", "cart_add", "checkout_start", "order_paid")
DAILY = """
    SELECT toDate(toTimeZone(fromUnixTimestamp64Micro(ts), 'Europe/Berlin')) AS day, uniqExact(visitor) FROM facts
     WHERE name NOT IN ('order_placed', 'order_paid') GROUP BY day
"""


@dataclass
class Question:
    """`goal`: seconds of 5 million events, None where there is none. `pid` is of the process that answers."""

    name: str
    ask: Callable[[], object]
    pid: int
    goal: float | None = None
    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for the database, which is used again")
    given = parser.parse_args()
    with ExitStack() as open_ones:
        server = EmbeddedServers(given.keep) if given.keep else temporary_servers(durable=True)
        db = _filled(open_ones.enter_context(server).database_url, given.events)
        open_ones.callback(db.close)
        questions = _questions(db)
        if python := engines.interpreter():
            columns = open_ones.enter_context(_columns(given.keep, python))
            began = time.perf_counter()
            second_engine.give(
                db, columns, start=_start() - timedelta(days=2), until=_start() + timedelta(days=DAYS + 9)
            )
            print(f"ClickHouse {columns.version} filled in {time.perf_counter() - began:.0f} s", flush=True)
            questions += _questions_there(columns)
        for n in range(given.rounds):
            for question in questions:
                _measure(question)
            print(f"round {n + 1} of {given.rounds}", flush=True)
        Console(width=120).print(_table(questions, given.events))


def _filled(server_url: str, events: int) -> Database:
    name = f"bench_{events}"
    with psycopg.connect(server_url) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    url = with_database(server_url, name) if there else create_database(server_url, name)
    if not there:
        migrate(url)
    # One connection: its process is the one that is measured.
    db = Database(url, name="bench", size=1, statement_timeout_s=600)
    with db.transaction() as tx:
        begun = tx.execute("SELECT complete FROM step_state").fetchone()
    if begun == (False,):
        raise SystemExit(f"{name} was not filled to its end: remove it, or name another folder")
    if not begun:
        began = time.perf_counter()
        with db.transaction() as tx:
            # Before the events, so that days are written as they come.
            tx.execute("INSERT INTO step_state (zone) VALUES (%(zone)s)", {"zone": ZONE.key})
        add_past_events(db, events, end=last_midnight(), tell=lambda n: print(f"{n} visits", flush=True))
        print(f"{events} events written in {time.perf_counter() - began:.0f} s", flush=True)
    print(f"retraced: {retrace(db, ZONE)}, tallied: {tally(db)}", flush=True)
    return db


def _start() -> datetime:
    return last_midnight() - timedelta(days=DAYS)


def _asked() -> Funnel:
    steps = [Match(name) for name in FUNNEL]
    return Funnel(
        steps=steps,
        window=timedelta(days=7),
        mode="ordered",
        unit="visitor",
        exclude=(),
        breakdown=None,
        start=_start(),
        end=last_midnight(),
    )


def _questions(db: Database) -> list[Question]:
    with db.transaction() as tx:
        pid = tx.info.backend_pid
    asked, end = _asked(), last_midnight()
    near = replace(asked, steps=[asked.steps[0], *(replace(one, within=timedelta(hours=1)) for one in asked.steps[1:])])
    first, last = _start().date(), (end - timedelta(days=1)).date()
    ms = second_engine.TIMEOUT_MS
    return [
        Question("funnel, steps", lambda: funnel(db, asked, source="steps", timeout_ms=ms), pid, 3.0),
        Question("funnel, events", lambda: funnel(db, asked, source="events", timeout_ms=ms), pid, 6.0),
        Question("funnel by device, steps", lambda: funnel(db, replace(asked, breakdown="device"), timeout_ms=ms), pid),
        Question("funnel, each step within an hour, steps", lambda: funnel(db, near, timeout_ms=ms), pid),
        Question("funnel with revenue, steps", lambda: funnel(db, asked, money=True, timeout_ms=ms), pid),
        Question(
            "retention, 12 weeks, days",
            lambda: retention.retention(db, ZONE, by="visitor", first=first, last=last, weeks=12),
            pid,
            0.5,
        ),
        Question(
            "retention, 12 weeks, events",
            lambda: retention.retention(db, ZONE, by="visitor", first=first, last=last, weeks=12, source="events"),
            pid,
        ),
        Question("daily visitors, 90 days, days", lambda: visitors.visitors(db, ZONE, first=first, last=last), pid),
        Question(
            "daily visitors, 90 days, events",
            lambda: visitors.visitors(db, ZONE, first=first, last=last, source="events"),
            pid,
        ),
        Question(
            "daily revenue, 90 days, ledger",
            lambda: revenue.revenue(db, ZONE, first=first, last=last, interval="day", view="booking_day", as_of=None),
            pid,
            0.05,
        ),
    ]


@contextmanager
def _columns(keep: Path | None, python: str) -> Generator[Chdb]:
    if keep is None:
        with engines.engine(python) as opened:
            yield opened
        return
    with Chdb(keep.resolve() / "columns", python=python) as opened:
        yield opened


def _questions_there(columns: Chdb) -> list[Question]:
    asked, end = _asked(), last_midnight()
    monday = _start().date() + timedelta(days=-_start().weekday())
    last = end.date() - timedelta(days=end.weekday())
    return [
        Question("funnel, ClickHouse", lambda: funnel_there.counted(columns, asked, now=end), columns.pid),
        Question(
            "retention, ClickHouse",
            lambda: retention_there.returned(columns, ZONE.key, by="visitor", first=monday, end=last, until=end),
            columns.pid,
        ),
        Question("daily visitors, ClickHouse", lambda: columns.ask(DAILY, {}), columns.pid),
    ]


def _measure(question: Question) -> None:
    worked, began = _processor_s(question.pid), time.perf_counter()
    question.ask()
    question.clock.append(time.perf_counter() - began)
    question.processor.append(_processor_s(question.pid) - worked)


def _processor_s(pid: int) -> float:
    """User and system, of Linux's /proc, in which a second has a hundred parts."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _most_memory(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("VmHWM"))


def _table(questions: list[Question], events: int) -> Table:
    table = Table("question", "processor s", "clock s", "goal s", title=f"{events:,} events")
    for one in questions:
        processor, clock = statistics.median(one.processor), statistics.median(one.clock)
        goal = "" if one.goal is None else f"{one.goal:g} {'met' if processor < one.goal else 'MISSED'}"
        table.add_row(one.name, f"{processor:.2f}", f"{clock:.2f}", goal)
    for pid in dict.fromkeys(one.pid for one in questions):
        name = "PostgreSQL's" if pid == questions[0].pid else "ClickHouse's"
        table.add_row(f"most memory of {name} process (with what it shares)", "", "", _most_memory(pid))
    return table


if __name__ == "__main__":
    main()
