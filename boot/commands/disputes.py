"""`backroom disputes …`: what banks took back or ask about, and answering them."""

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from boot.commands.screen import connected, out
from boot.house import seller
from boot.services import Services
from shop.documents.evidence import Shopkeeper, evidence, evidence_paper
from shop.money import Money
from shop.payments.disputes import disputed
from shop.payments.disputes.answering import EvidenceWish, ask_evidence, packets
from shop.payments.disputes.disputing import TIER, blocks
from shop.payments.rows import Dispute

app = typer.Typer(help="See disputes and answer them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="DISPUTE", help="dsp_…, as the list shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]


@app.command("list")
def list_disputes(
    status: Annotated[str | None, typer.Option(help=", ".join(TIER))] = None,
    order: Annotated[str | None, typer.Option(help="only those of this order, ord_…")] = None,
    due_within: Annotated[
        int | None, typer.Option(min=0, max=365, metavar="DAYS", help="only those that must be answered until then")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Disputes, newest first.

    Example: backroom disputes list --due-within 3
    """
    if status is not None and status not in TIER:
        raise typer.BadParameter(f"{status} is no status; there are {', '.join(TIER)}")
    found = disputed.listed(
        connected().db, status=status, order_id=order, due_within_days=due_within, before_id=None, limit=limit
    )
    if as_json:
        out.print_json(json.dumps([asdict(row) for row in found], default=str))
        return
    out.print(_table(found) if found else "There is no such dispute.")


@app.command("show")
def show(dispute_id: Id, as_json: AsJson = False) -> None:
    """One dispute with the answers that were made for it.

    Example: backroom disputes show dsp_01j…
    """
    services = connected()
    row = disputed.dispute(services.db, dispute_id)
    answers = packets(services.db, dispute_id)
    if as_json:
        told = asdict(row) | {"packets": [asdict(answer) for answer in answers]}
        out.print_json(json.dumps(told, default=str))
        return
    out.print(_table([row]))
    out.print("refunds are blocked" if blocks(row.status, row.provider_refundable) else "refunds are allowed")
    for answer in answers:
        state = answer.outcome or ("on its way" if answer.submit else "drawn" if answer.drawn else "being drawn")
        out.print(f"packet {answer.version}: {state} {answer.error_code or ''}".rstrip(), markup=False)


@app.command("evidence")
def answer(
    dispute_id: Id,
    note: Annotated[str | None, typer.Option(help="what the shop says to the bank")] = None,
    submit: Annotated[bool, typer.Option("--submit", help="send it to the bank: once, and for good")] = False,
    file: Annotated[Path | None, typer.Option("--out", help="where the PDF goes; without it, beside you")] = None,
) -> None:
    """Draw the packet of evidence of a dispute here and now; with --submit a worker sends it to the bank.

    Example: backroom disputes evidence dsp_01j… --note "Delivered and signed for." --submit
    """
    services = connected()
    wish = EvidenceWish(note=note, submit=submit)
    asked = ask_evidence(services.db, dispute_id, wish, actor=f"cli:{getpass.getuser()}")
    evidence(services.db, services.evidence, _keeper(services), asked.packet.id)
    paper = evidence_paper(services.db, dispute_id)
    path = file or Path(f"{paper.number}.pdf")
    path.write_bytes(paper.pdf)
    out.print(f"{path}, SHA-256 {paper.sha256}", soft_wrap=True, markup=False)
    if submit:
        out.print("A worker sends it now; “backroom disputes show” tells when the bank has it.")


def _keeper(services: Services) -> Shopkeeper:
    return Shopkeeper(seller(services.settings), services.settings.shop_terms)


def _table(found: Sequence[Dispute]) -> Table:
    # Ids are copied from here into the next command, so they stay in one piece however narrow the terminal is.
    table = Table(Column("dispute", no_wrap=True), "order", "status", "amount", "taken + fee", "due (UTC)", "answered")
    for row in found:
        taken = Money(row.withdrawn_minor + row.fee_minor, row.currency)
        due = f"{row.evidence_due_at:%Y-%m-%d %H:%M}" if row.evidence_due_at else ""
        answered = "yes" if row.evidence_submitted else "no"
        amount = str(Money(row.amount_minor, row.currency))
        table.add_row(row.id, row.order_id, f"{row.status} ({row.reason})", amount, str(taken), due, answered)
    return table
