"""`backroom verify`: prove that ledger, audit log and issued documents are complete and unchanged."""

import typer

from boot.commands.screen import connected, out
from shop.documents.proof import verify_numbers
from shop.payments import read

SHOWN = 20


def verify() -> None:
    """Recompute every sum and every hash, look for gaps between document numbers. Exit code 1 on any fault."""
    services = connected()
    books = read.verify(services.db)
    papers = verify_numbers(services.db)
    faults = [f"{kind} {name}" for kind, name in books.faults] + list(papers.faults)
    out.print(f"{books.entries:,} ledger entries with {books.lines:,} lines, {books.facts:,} facts")
    out.print(f"{papers.documents:,} invoices and credit notes")
    for fault in faults[:SHOWN]:
        out.print(f"[red]✗[/] {fault}")
    if faults:
        out.print(f"[red]{len(faults)} faults.[/]")
        raise typer.Exit(1)
    out.print("[green]Balanced, without a gap, nothing changed.[/]")
