"""`backroom alerts …`: what is out of the ordinary, and taking it on."""

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Column, Table

from boot.commands.screen import bar, connected, out
from shop.analytics.alerts import incidents
from shop.analytics.alerts.watch import watch
from shop.analytics.queries.incidents import Incident

app = typer.Typer(help="See what is out of the ordinary, and take it on.", no_args_is_help=True)

STATES = ("open", "acknowledged", "resolved")

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]


@app.command("list")
def list_alerts(
    status: Annotated[str | None, typer.Option(help=", ".join(STATES))] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Incidents, newest first. Ends with 1 while one of them is open and nobody has taken it on.

    Example: backroom alerts list --status open
    """
    if status is not None and status not in STATES:
        raise typer.BadParameter(f"{status} is no status; there are {', '.join(STATES)}")
    found = incidents.listed(connected().db, status=status, before=None, limit=limit)
    if as_json:
        out.print_json(json.dumps([asdict(row) for row in found], default=str))
    else:
        out.print(_table(found) if found else "There is no such incident.")
    if any(row.status == "open" for row in found):
        raise typer.Exit(1)


@app.command("acknowledge")
def acknowledge(
    incident_id: Annotated[str, typer.Argument(metavar="INCIDENT", help="inc_…, as the list shows it")],
    note: Annotated[str | None, typer.Option(help="what you are doing about it")] = None,
) -> None:
    """Say that you look after an incident. It ends by itself when all is well again.

    Example: backroom alerts acknowledge inc_01j… --note "The provider has a fault, we wait."
    """
    row = incidents.acknowledge(connected().db, incident_id, by=f"cli:{getpass.getuser()}", note=note)
    out.print(f"{row.id}: {row.title}, with {row.acknowledged_by}", markup=False, soft_wrap=True)


@app.command("look")
def look(as_json: AsJson = False) -> None:
    """Look at everything that is watched here and now, and print what was seen. Ends with 1 if anything is bad.

    Example: backroom alerts look
    """
    services = connected()
    with bar("Looking", "signals") as progress:
        settings = services.settings
        watch(services.db, services.events, settings.zone, progress, currency=settings.shop_currency)
    rows = incidents.watched(services.db)
    if as_json:
        out.print_json(json.dumps([asdict(row) for row in rows], default=str))
    else:
        table = Table("watched", "of", "verdict", "what was seen")
        for row in rows:
            table.add_row(row.kind, row.subject, row.verdict, row.words)
        out.print(table)
    if any(row.verdict == "bad" for row in rows):
        raise typer.Exit(1)


def _table(found: Sequence[Incident]) -> Table:
    table = Table(Column("incident", no_wrap=True), "status", "since (UTC)", "what", "with")
    for row in found:
        what = f"{row.title}{f' ({row.subject})' if row.subject else ''}: {row.last_words}"
        table.add_row(row.id, row.status, f"{row.opened_at:%Y-%m-%d %H:%M}", what, row.acknowledged_by or "")
    return table
