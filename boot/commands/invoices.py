"""`backroom invoices`: list what was issued, show one document, prove that nothing is missing and nothing changed."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from boot.commands.screen import bar, connected, out
from shop.documents import issued
from shop.documents.proof import Verification, verify_numbers
from shop.documents.queries.reading import IssuedDocument
from shop.documents.snapshot import digest
from shop.money import Money

SHOWN = 20
"""Faults on a screen: the first one is what to look at, and --json has them all."""

app = typer.Typer(
    name="invoices",
    help="Invoices, credit notes and debit notes as they were issued.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


@app.command("list")
def listed(
    series: Annotated[str, typer.Option(help="INV, CRN, DBN or the shop's own; without it, all")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """List documents, newest first.

    Example: backroom invoices list --series CRN --limit 50
    """
    rows = issued.newest(connected().db, series=series or None, limit=limit)
    if as_json:
        _print_json([_plain(row) for row in rows])
        return
    # Numbers are copied from here into the next command, so they stay in one piece however narrow the terminal is.
    folded = (Column(name, overflow="fold") for name in ("issued (UTC)", "order", "net", "tax", "total", "paper"))
    table = Table(Column("number", no_wrap=True), *folded)
    for row in rows:
        amounts = [str(Money(amount, row.currency)) for amount in (row.net_minor, row.tax_minor, row.total_minor)]
        paper = row.sha256.hex()[:12] if row.sha256 else "being drawn"
        table.add_row(row.number, f"{row.issued_at:%Y-%m-%d %H:%M}", row.order_id, *amounts, paper)
    out.print(table)


@app.command("show")
def show(
    number: Annotated[str, typer.Argument(help="INV-2026-000042")],
    pdf: Annotated[Path | None, typer.Option("--pdf", help="write the paper to this file")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what a document says and whether it still says it; with --pdf keep its paper.

    Example: backroom invoices show INV-2026-000042 --pdf invoice.pdf
    """
    row = issued.contents_of(connected().db, number)
    unchanged = digest(row.snapshot) == row.snapshot_sha256
    if pdf is not None:
        if row.pdf is None:
            out.print("Its paper is still being drawn.")
            raise typer.Exit(1)
        pdf.write_bytes(row.pdf)
    if as_json:
        _print_json(
            {
                "number": row.number,
                "kind": row.kind,
                "unchanged": unchanged,
                "contents": row.snapshot,
                "contents_sha256": row.snapshot_sha256.hex(),
                "paper_sha256": row.sha256.hex() if row.sha256 else None,
                "drawn_with": row.drawn_with,
            }
        )
    else:
        _show(row.snapshot, row.snapshot_sha256.hex(), row.sha256.hex() if row.sha256 else "being drawn")
    if not unchanged:
        out.print(f"[red]{number} does not say what it said when it was issued.[/]")
        raise typer.Exit(1)


@app.command("verify")
def verify(
    *,
    redraw: Annotated[bool, typer.Option("--redraw", help="also draw every paper again and compare the bytes")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that the numbers have no gap, and that no document, paper or sum was changed. Exit code 1 on any fault.

    Example: backroom invoices verify --redraw
    """
    services = connected()
    with bar("Verifying documents", "documents") as progress:
        found = verify_numbers(services.db, redraw=redraw, progress=progress)
    if as_json:
        _print_json(_verdict(found))
    else:
        _tell(found, redraw=redraw)
    if not found.sound:
        raise typer.Exit(1)


def _tell(found: Verification, *, redraw: bool) -> None:
    for name, last in found.series.items():
        out.print(f"{name}: 1 to {last:,}")
    if redraw:
        other = f", {found.of_another_version:,} were drawn by another version" if found.of_another_version else ""
        out.print(f"{found.redrawn:,} papers drawn again, to the byte{other}")
    if found.sound:
        out.print(f"[green]{found.documents:,} documents, without a gap, nothing changed.[/]")
        return
    out.print(f"[red]The first fault: {found.faults[0]}.[/]")
    for fault in found.faults[1:SHOWN]:
        out.print(f"[red]✗[/] {fault}")
    out.print(f"[red]{len(found.faults) + found.more_faults:,} faults in {found.documents:,} documents.[/]")


def _verdict(found: Verification) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "documents": found.documents,
        "series": found.series,
        "redrawn": found.redrawn,
        "of_another_version": found.of_another_version,
        "faults": found.faults,
        "more_faults": found.more_faults,
    }


def _show(said: dict[str, Any], contents: str, paper: str) -> None:
    currency = said["currency"]
    out.print(f"[bold]{said['number']}[/bold]  {said['kind'].replace('_', ' ')} of {said['issued_on']}")
    out.print(f"order {said['order']['number']}, in {said['locale']}", soft_wrap=True)
    table = Table("item", "quantity", "rate", "amount")
    for line in said["lines"]:
        table.add_row(
            line["name"], str(line["quantity"]), f"{line['rate']} %", str(Money(line["total_minor"], currency))
        )
    out.print(table)
    for tax in said["taxes"]:
        net, part = Money(tax["net_minor"], currency), Money(tax["tax_minor"], currency)
        out.print(f"{tax['rate']} % ({tax['country']}): {part} on {net}")
    out.print(f"total {Money(said['total_minor'], currency)}")
    out.print(f"contents {contents}\npaper    {paper}", soft_wrap=True)


def _plain(row: IssuedDocument) -> dict[str, Any]:
    return {
        "number": row.number,
        "kind": row.kind,
        "order_id": row.order_id,
        "refund_id": row.refund_id,
        "currency": row.currency,
        "net": row.net_minor,
        "tax": row.tax_minor,
        "total": row.total_minor,
        "issued_at": row.issued_at.isoformat(),
        "sha256": row.sha256.hex() if row.sha256 else None,
    }


def _print_json(value: object) -> None:
    out.print_json(json.dumps(value))
