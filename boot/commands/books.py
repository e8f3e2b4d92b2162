"""`backroom verify`, `ledger` and `reconcile`: the books proved, shown, and compared with Stripe's."""

import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column, Table

from boot.commands.screen import bar, connected, out
from shop.documents.proof import verify_numbers
from shop.money import Money
from shop.payments import read
from shop.payments.books import digests
from shop.payments.books.proof import Proof, prove
from shop.payments.books.sealing import seal_days
from shop.payments.queries.reconciling import Difference
from shop.payments.settlement.reconcile import Outcome, begin_reconciliation
from shop.payments.settlement.reconcile import reconcile as compare

app = typer.Typer(help="The books: prove them, show balances, seal days.", no_args_is_help=True)

SHOWN = 20
"""Faults printed; `--json` gives all."""

AsJson = Annotated[bool, typer.Option("--json", help="print data instead of a table")]


def verify() -> None:
    """Recompute every sum and every hash, look for gaps between document numbers. Exit code 1 on any fault."""
    services = connected()
    with bar("Checking", "orders") as progress:
        books = prove(services.db, progress)
    papers = verify_numbers(services.db)
    faults = [f"{kind} {name}" for kind, name in books.faults] + list(papers.faults)
    out.print(_sizes(books))
    out.print(f"{papers.documents:,} invoices and credit notes")
    _end(faults)


@app.command("verify")
def verify_ledger(as_json: AsJson = False) -> None:
    """Recompute every sum and every hash of books and log, and compare each sealed day with its rows.

    Names the first bad row of each chain. Exit code 1 on any fault. Example: backroom ledger verify
    """
    services = connected()
    with bar("Checking", "orders") as progress:
        proof = prove(services.db, progress)
    if as_json:
        _print_proof(proof)
        if proof.faults:
            raise typer.Exit(1)
        return
    out.print(_sizes(proof))
    out.print(f"{proof.digests:,} sealed days" + (f", newest digest {proof.head}" if proof.head else ""))
    _end([f"{kind} {name}" for kind, name in proof.faults])


@app.command("balances")
def balances(as_json: AsJson = False) -> None:
    """What each account holds: debit minus credit. Example: backroom ledger balances --json"""
    rows = read.balances(connected().db)
    if as_json:
        told = [
            {"account": row.code, "kind": row.kind, "currency": row.currency, "minor": row.balance_minor}
            for row in rows
        ]
        out.print_json(json.dumps(told))
        return
    table = Table("account", "", "kind")
    table.add_column("balance", justify="right")
    for row in rows:
        table.add_row(row.code, row.name, row.kind, str(Money(row.balance_minor, row.currency)))
    out.print(table)


@app.command("digests")
def show_digests(
    seal: Annotated[bool, typer.Option("--seal", help="first seal every day that is over")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 14,
    as_json: AsJson = False,
) -> None:
    """The daily seals, newest first. Keep one elsewhere: it proves later what was there before.

    Exit code 1 if a seal does not follow from the one before. Example: backroom ledger digests --limit 3
    """
    services = connected()
    if seal:
        seal_days(services.db)
    rows = digests.sealed(services.db, before=None, limit=limit)
    if as_json:
        out.print_json(
            json.dumps([{"day": row.day.isoformat(), "digest": row.digest.hex(), "sound": row.sound} for row in rows])
        )
    else:
        table = Table("day (UTC)", "facts", "entries", "digest")
        for row in rows:
            table.add_row(row.day.isoformat(), f"{row.facts:,}", f"{row.entries:,}", row.digest.hex())
        out.print(table if rows else "No day is sealed yet.")
    if not all(row.sound for row in rows):
        raise typer.Exit(1)


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only list; change no order, book nothing")] = False,
    start: Annotated[datetime | None, typer.Option("--from", help="UTC; without it, eight days ago")] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="UTC; without it, now")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare orders, payments, refunds, disputes, fees and payouts with Stripe's own books. Differences come first.

    Exit code 1 if anything is unexplained. Example: backroom reconcile --dry-run --from 2026-11-01
    """
    services = connected()
    wanted = begin_reconciliation(
        services.db,
        dry_run=dry_run,
        actor=f"cli:{getpass.getuser()}",
        start=start and start.replace(tzinfo=UTC),
        end=end and end.replace(tzinfo=UTC),
    )
    with bar("Comparing", "objects") as progress:
        outcome = compare(services.db, services.gateway, services.settlements, wanted, progress)
    if as_json:
        out.print_json(json.dumps(_told(outcome)))
    else:
        _show(outcome)
    if outcome.unexplained or any(line["unexplained"] for line in _lines(outcome, "equation")):
        raise typer.Exit(1)


def _sizes(proof: Proof) -> str:
    return f"{proof.entries:,} ledger entries with {proof.lines:,} lines, {proof.facts:,} facts"


def _end(faults: Sequence[str]) -> None:
    for fault in faults[:SHOWN]:
        out.print(f"[red]✗[/] {fault}")
    if faults:
        out.print(f"[red]{len(faults)} faults.[/]")
        raise typer.Exit(1)
    out.print("[green]Balanced, without a gap, nothing changed.[/]")


def _print_proof(proof: Proof) -> None:
    told = {
        "ok": not proof.faults,
        "entries": proof.entries,
        "lines": proof.lines,
        "facts": proof.facts,
        "digests": proof.digests,
        "head": proof.head,
        "faults": [{"kind": kind, "id": name} for kind, name in proof.faults],
    }
    out.print_json(json.dumps(told))


def _show(outcome: Outcome) -> None:
    _show_differences(outcome.differences)
    moved = Table("movement", "currency", "number", "matched", "amount", "fee", "net")
    for line in _lines(outcome, "movements"):
        matched = line["number"] - line["open"]
        amounts = (str(Money(line[name], line["currency"])) for name in ("amount", "fee", "net"))
        moved.add_row(line["type"], line["currency"], str(line["number"]), str(matched), *amounts)
    out.print(moved)
    for line in _lines(outcome, "equation"):
        money = {name: str(Money(line[name], line["currency"])) for name in line if name != "currency"}
        colour = "red" if line["unexplained"] else "green"
        out.print(
            f"{line['currency']}: ours {money['ours']} + explained {money['explained']} "
            f"+ [{colour}]unexplained {money['unexplained']}[/] = Stripe's {money['theirs']} "
            f"(available {money['available']}, pending {money['pending']})"
        )
    row = outcome.reconciliation
    out.print(
        f"{row.id}: {row.orders_checked:,} orders, {row.payments_checked:,} payments, {row.refunds_checked:,} refunds; "
        f"{outcome.explained} differences explained, {outcome.unexplained} unexplained"
    )


def _show_differences(found: Sequence[Difference]) -> None:
    if not found:
        out.print("[green]No differences.[/]")
        return
    # What is the matter may not be cut short where the terminal is narrow.
    table = Table(*(Column(name, overflow="fold") for name in ("no.", "kind", "object", "ours", "theirs", "why")))
    for each in found:
        why = escape(each.explanation) if each.explanation else "[red]unexplained[/]"
        said = (escape(text or "") for text in (each.object_id, each.ours, each.theirs))
        table.add_row(str(each.position), each.kind, *said, why)
    out.print(table)


def _lines(outcome: Outcome, name: str) -> Sequence[Mapping[str, Any]]:
    return outcome.reconciliation.totals.get(name, ())


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.reconciliation.id,
        "dry_run": outcome.reconciliation.dry_run,
        "explained": outcome.explained,
        "unexplained": outcome.unexplained,
        "differences": [
            {
                "number": each.position,
                "kind": each.kind,
                "order": each.order_id,
                "object": each.object_id,
                "ours": each.ours,
                "theirs": each.theirs,
                "explanation": each.explanation,
                "amount": each.amount_minor,
                "currency": each.currency,
            }
            for each in outcome.differences
        ],
        "movements": list(_lines(outcome, "movements")),
        "equation": list(_lines(outcome, "equation")),
    }
