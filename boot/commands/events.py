"""`backroom events …`: what became of events, what waits in quarantine, rollups counted again, links undone."""

import getpass
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from boot.commands.screen import connected, out
from shop.analytics.events import identity, quarantine
from shop.analytics.events.conservation import ledger
from shop.analytics.events.recount import recount
from shop.analytics.events.replay import replay

app = typer.Typer(help="See what became of events, and mend it.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
Visitor = Annotated[str, typer.Option(help="a browser's visitor id")]
Customer = Annotated[str, typer.Option(help="a customer's id")]
Reason = Annotated[str, typer.Option(help="why; kept with your login name")]


@app.command("account")
def account(hours: Annotated[int, typer.Option(min=1, max=9600)] = 24, as_json: AsJson = False) -> None:
    """The account of the last hours: what became of each event that came in. Exit code 1 if it does not balance.

    Example: backroom events account --hours 48
    """
    services = connected()
    end = datetime.now(UTC) + timedelta(minutes=1)
    found = ledger(services.db, services.events, start=end - timedelta(hours=hours), end=end)
    figures = asdict(found.sums) | {
        "received": found.received,
        "in_flight": found.in_flight.events,
        "unaccounted": found.unaccounted,
        "open_quarantine": found.open_quarantine,
        "balanced": found.balanced,
    }
    _print(figures, as_json)
    raise typer.Exit(0 if found.balanced else 1)


@app.command("quarantine")
def list_quarantined(
    *, settled: bool = False, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: AsJson = False
) -> None:
    """Events that were accepted and could not be stored, newest first.

    Example: backroom events quarantine
    """
    rows, waiting = quarantine.listed(connected().db, settled=settled, before=None, limit=limit)
    if as_json:
        shown = [{k: v for k, v in asdict(row).items() if k not in ("raw", "body")} for row in rows]
        typer.echo(json.dumps({"waiting": waiting, "data": shown}, default=str))
        return
    table = Table("id", "reason", "events", "since (UTC)", "tries", "settled")
    for row in rows:
        done = f"{row.settled_as} by {row.settled_by}" if row.settled_at else ""
        table.add_row(
            str(row.id), row.reason, str(row.events), f"{row.quarantined_at:%m-%d %H:%M}", str(row.tries), done
        )
    out.print(table if rows else "Nothing is in quarantine.")


@app.command("replay")
def replay_quarantined(
    quarantine_id: Annotated[int | None, typer.Argument(metavar="[ID]", help="one; without it all that wait")] = None,
    as_json: AsJson = False,
) -> None:
    """Try to store what waits in quarantine, after its cause was mended. Exit code 1 if anything was refused again.

    Example: backroom events replay
    """
    sums = replay(connected().db, by=getpass.getuser(), quarantine_id=quarantine_id)
    _print(sums, as_json)
    raise typer.Exit(1 if sums["refused"] else 0)


@app.command("dismiss")
def dismiss(quarantine_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Decide that a quarantined event is not stored. It stays counted as quarantined.

    Example: backroom events dismiss 12
    """
    quarantine.dismiss(connected().db, quarantine_id, by=getpass.getuser())
    out.print(f"{quarantine_id} is dismissed.")


@app.command("recount")
def recount_rollups(
    *,
    whole: Annotated[bool, typer.Option("--whole", help="all days whose events are kept, not the recent ones")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="count anew what differs")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare rollups with the events they were made of. Exit code 1 if any differs and was not repaired.

    Example: backroom events recount --whole --repair
    """
    services = connected()
    kept = timedelta(days=services.settings.events_kept_days)
    sums = recount(services.db, kept=kept, whole=whole, repair=repair, by=getpass.getuser())
    _print(sums, as_json)
    raise typer.Exit(1 if sums["differing"] > sums["repaired"] else 0)


@app.command("unlink")
def unlink(
    *,
    visitor: Visitor,
    customer: Customer,
    reason: Reason,
    back: Annotated[bool, typer.Option("--back", help="take the undoing back")] = False,
) -> None:
    """Decide that a customer's sign-in on a browser says nothing of what was done there anonymously.

    Example: backroom events unlink --visitor v_1 --customer cus_1 --reason "a friend's laptop"
    """
    link = identity.decide(
        connected().db,
        visitor_id=visitor,
        customer_id=customer,
        linked=back,
        reason=reason,
        decided_by=getpass.getuser(),
    )
    out.print(f"{link.visitor_id} and {link.user_id}: {'undone' if link.undone else 'linked'}.")


def _print(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures, default=str))
        return
    table = Table(show_header=False)
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), str(value))
    out.print(table)
