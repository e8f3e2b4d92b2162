"""`backroom engines …`: puts questions to PostgreSQL and to ClickHouse, and fills what they are read from."""

import json
import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from boot.commands.screen import bar, connected, out
from clients.columns import Chdb
from db.database import Database
from shop.analytics.behaviour import second_engine
from shop.analytics.behaviour.retrace import retrace
from shop.analytics.behaviour.second_engine import Compared
from shop.analytics.behaviour.steps import Funnel, Match
from shop.analytics.behaviour.ways import Paths
from shop.analytics.days import day_in
from shop.ports.columns import ColumnEngine, ColumnsUnavailable

app = typer.Typer(help="Check the tables and engines that answer questions of analytics.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]
STEPS = ("product_view", "cart_add", "checkout_start", "order_paid")
WEEK = timedelta(days=7)


@app.command("compare")
def compare(
    days: Annotated[int, typer.Option(min=1, max=93, help="so many days until today are asked about")] = 28,
    python: Annotated[str | None, typer.Option(help="an interpreter that has chdb, where this one has not")] = None,
    as_json: AsJson = False,
) -> None:
    """The same questions to PostgreSQL's events, its slim tables and ClickHouse. Ends with 1 if answers differ.

    Copies the events of the days into a folder of its own and removes it. Example: backroom engines compare --days 7
    """
    services = connected()
    with tempfile.TemporaryDirectory(prefix="columns-") as folder:
        try:
            with Chdb(Path(folder), python=python) if python else Chdb(Path(folder)) as columns:
                found = _compared(services.db, columns, services.settings.zone, days)
        except ColumnsUnavailable as error:
            out.print(str(error), markup=False)
            raise typer.Exit(2) from error
    if as_json:
        rows = [{"question": one.question, "agree": one.agree, "rows": len(one.here)} for one in found]
        out.print_json(json.dumps(rows))
    else:
        for one in found:
            out.print(f"{'agree ' if one.agree else 'DIFFER'}  {one.question}, {len(one.here)} rows", markup=False)
    if not all(one.agree for one in found):
        raise typer.Exit(1)


@app.command("retrace")
def retrace_now(as_json: AsJson = False) -> None:
    """Look through all events and put right what follows from them: steps and visitors' days. Ends with 1 if it had to.

    Example: backroom engines retrace
    """
    services = connected()
    with bar("Retracing", "weeks") as progress:
        sums = retrace(services.db, services.settings.zone, progress, everything=True)
    if as_json:
        out.print_json(json.dumps(sums))
    else:
        text = "{weeks} weeks: {missing} steps were missing, {extra} too many, {days} visitors' weeks were wrong"
        out.print(text.format(**sums))
    if sums["missing"] or sums["extra"] or sums["days"]:
        raise typer.Exit(1)


def _compared(db: Database, columns: ColumnEngine, zone: ZoneInfo, days: int) -> list[Compared]:
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    start, end = day_in(zone, today - timedelta(days=days)).start, day_in(zone, today).start
    # Cohorts are told by all there is before them.
    second_engine.give(db, columns, start=datetime(2000, 1, 1, tzinfo=UTC), until=now)
    found: list[Compared] = []
    for mode in ("ordered", "strict", "any"):
        for unit in ("visitor", "customer", "session"):
            steps = [Match(name) for name in STEPS]
            asked = Funnel(steps, WEEK, mode, unit, (), "device", start, end)
            answers = second_engine.same_funnel(db, columns, asked, now=now)
            found += [replace(one, question=f"{mode} {one.question} by {unit}") for one in answers]
    last = min(days, 31)
    for direction in ("after", "before"):
        paths = Paths(Match("cart_add"), direction, "pages", 3, end - timedelta(days=last), end, 20)
        found.append(second_engine.same_paths(db, columns, paths))
    first = _monday(today - timedelta(days=days))
    for by in ("visitor", "customer"):
        found += second_engine.same_retention(db, columns, zone, by=by, first=first, end=_monday(today), until=end)
    return found


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
