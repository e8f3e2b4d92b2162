"""`backroom order`: one order, and why it is as it is."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from boot.commands.screen import connected, out
from shop.money import Money
from shop.payments import read

SHOWN = ("status", "state", "outcome", "reason", "amount", "source", "actor", "decline", "secret", "tries")
"""What a person asks first; the API's timeline has everything."""


def order(order_id: Annotated[str, typer.Argument(help="ord_…, as the API and the day show it")]) -> None:
    """Show an order with its timeline: attempts, deliveries, facts, ledger lines and effects in causal order."""
    services = connected()
    view = read.order_view(services.db, order_id)
    row = view.order
    amount = Money(row.total_minor, row.currency) if row.currency else "no amount yet"
    reasons = (row.status_reason, row.rejection_code, row.rejection_detail)
    reason = f" ({': '.join(filter(None, reasons))})" if any(reasons) else ""
    count = len(view.lines)
    out.print(f"[bold]{row.number}[/bold]  {row.status}{reason}  {amount}, {count} line{'s' if count != 1 else ''}")
    table = Table("when (UTC)", "kind", "what", "details")
    for moment in read.timeline(services.db, order_id):
        table.add_row(f"{moment.at:%H:%M:%S.%f}"[:-3], moment.kind, moment.what, _short(moment.detail))
    out.print(table)


def _short(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {detail[name]}" for name in SHOWN if detail.get(name) not in (None, ""))
