"""`backroom order`: one order, and why it is as it is."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from boot.commands.screen import connected, out
from shop.money import Money
from shop.payments import read
from shop.payments.rows import Moment


def order(
    order_id: Annotated[str, typer.Argument(help="ord_…, as the API and the day show it")],
    as_json: Annotated[bool, typer.Option("--json", help="The timeline as JSON, with all details.")] = False,
) -> None:
    """Show an order with its timeline, why it is as it is: what we asked, what we heard, what followed, in that order.

    Example: backroom order ord_01m84mz429nzn57wne9sa65jkt
    """
    services = connected()
    view = read.order_view(services.db, order_id)
    moments = read.timeline(services.db, order_id)
    if as_json:
        told = {"id": view.order.id, "status": view.order.status, "timeline": [_plain(moment) for moment in moments]}
        out.print_json(data=told)
        return
    row = view.order
    amount = Money(row.total_minor, row.currency) if row.currency else "no amount yet"
    reasons = (row.status_reason, row.rejection_code, row.rejection_detail)
    reason = f" ({': '.join(filter(None, reasons))})" if any(reasons) else ""
    count = len(view.lines)
    out.print(f"[bold]{row.number}[/bold]  {row.status}{reason}  {amount}, {count} line{'s' if count != 1 else ''}")
    for doubt in view.doubts:
        since, at = f"{doubt.unknown_since:%Y-%m-%d %H:%M}", f"{doubt.look_at:%H:%M}" if doubt.look_at else "once"
        out.print(
            f"[yellow]Unknown since {since}:[/yellow] what became of our {doubt.operation}; next look at {at} UTC"
        )
    table = Table("when (UTC)", "kind", "what happened")
    for moment in moments:
        table.add_row(f"{moment.at:%m-%d %H:%M:%S.%f}"[:-3], moment.kind, escape(moment.sentence))
    out.print(table)


def _plain(moment: Moment) -> dict[str, Any]:
    told = {"at": moment.at.isoformat(), "kind": moment.kind, "what": moment.what, "sentence": moment.sentence}
    return told | {"detail": dict(moment.detail)}
