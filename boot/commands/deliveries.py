"""`backroom deliveries …`: Stripe's news as they came, and deciding about those that nobody could place."""

import getpass
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from boot.commands.screen import connected, out
from shop.money import Money
from shop.payments.news import delivered, endpoint, orphans
from shop.payments.news.delivery import KeptDelivery

app = typer.Typer(help="See and decide about Stripe's deliveries.", no_args_is_help=True)

STATES = ("received", "applied", "ignored", "parked", "orphan", "refused", "dismissed", "returning", "returned")

Id = Annotated[str, typer.Argument(metavar="DELIVERY", help="whd_…, as the list shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
Reason = Annotated[str, typer.Option(help="why; kept for ever with your login name")]


@app.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help=", ".join(STATES))] = None,
    payment: Annotated[str | None, typer.Option(help="only news of this payment, pi_…")] = None,
    order: Annotated[str | None, typer.Option(help="only news of this order, ord_…")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Deliveries, newest first; without options those that wait for a person.

    Example: backroom deliveries list --state parked
    """
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"{state} is no state; there are {', '.join(STATES)}")
    if not (state or payment or order):
        state = "orphan"
    found = delivered.listed(connected().db, state=state, payment=payment, order_id=order, limit=limit)
    if as_json:
        _print_json([asdict(delivery) for delivery in found])
        return
    # Ids are copied from here into the next command, so they stay in one piece however narrow the terminal is.
    folded = (Column(name, overflow="fold") for name in ("type", "state", "payment", "why", "received (UTC)"))
    table = Table(Column("delivery", no_wrap=True), *folded)
    for row in found:
        received = f"{row.received_at:%m-%d %H:%M:%S}"
        table.add_row(row.id, row.type or "", row.state, _money(row), row.reason or "", received)
    out.print(table if found else f"No delivery is {state}." if state else "There is no such delivery.")


@app.command("show")
def show(delivery_id: Id, as_json: AsJson = False) -> None:
    """One delivery with all that was done about it, and its body without client secrets.

    Example: backroom deliveries show whd_01j…
    """
    services = connected()
    view = delivered.delivery_view(services.db, delivery_id)
    kept = delivered.contents(services.db, view.delivery)
    whole = asdict(view.delivery) | {
        "acts": [asdict(act) for act in view.acts],
        "money_back": asdict(view.money_back) if view.money_back else None,
        "headers": dict(kept.headers),
        "body": kept.body,
    }
    if as_json:
        _print_json(whole)
        return
    for name, value in whole.items():
        if value not in (None, [], {}):
            shown = json.dumps(value, indent=2, default=str) if isinstance(value, dict | list) else str(value)
            out.print(f"{name}: {shown}", markup=False, soft_wrap=True)


@app.command("retry")
def retry(delivery_id: Id, reason: Annotated[str | None, typer.Option(help="why")] = None) -> None:
    """Read a parked, orphaned or ignored delivery again, now.

    Example: backroom deliveries retry whd_01j…
    """
    orphans.retry(connected().db, delivery_id, actor=_actor(), reason=reason)
    out.print(f"{delivery_id} is read again; backroom deliveries show {delivery_id} tells what became of it.")


@app.command("adopt")
def adopt(
    delivery_id: Id,
    order_id: Annotated[str, typer.Argument(metavar="ORDER", help="ord_…, which then has this payment")],
    reason: Reason,
) -> None:
    """Make its payment one of an order's: the same amount and currency, and the order still waits for its money.

    Example: backroom deliveries adopt whd_01j… ord_01j… --reason "paid by telephone"
    """
    orphans.adopt(connected().db, delivery_id, order_id, actor=_actor(), reason=reason)
    out.print(f"{order_id} adopts the payment of {delivery_id} as soon as Stripe has confirmed how it is.")


@app.command("dismiss")
def dismiss(delivery_id: Id, reason: Reason) -> None:
    """Close it and all other waiting news of its payment, for good.

    Example: backroom deliveries dismiss whd_01j… --reason "a test of the other shop"
    """
    orphans.dismiss(connected().db, delivery_id, actor=_actor(), reason=reason)
    out.print(f"{delivery_id} is dismissed.")


@app.command("refund")
def refund(delivery_id: Id, reason: Reason) -> None:
    """Give the money of a payment that belongs to no order back: refunded, or voided if it is only held.

    Example: backroom deliveries refund whd_01j… --reason "no such order"
    """
    orphans.refund(connected().db, delivery_id, actor=_actor(), reason=reason)
    out.print(f"The money of {delivery_id} goes back; backroom deliveries show {delivery_id} tells when it is.")


@app.command("secrets")
def secrets(as_json: AsJson = False) -> None:
    """Which webhook secrets verify, when each did last, and which can be retired. Exit code 0 whatever is found.

    Example: backroom deliveries secrets
    """
    services = connected()
    uses = endpoint.secrets(services.db, services.notices)
    if as_json:
        _print_json([asdict(use) for use in uses])
        return
    table = Table("secret", "place", "deliveries", "last verified (UTC)", "")
    for use in uses:
        last = f"{use.last_verified_at:%Y-%m-%d %H:%M:%S}" if use.last_verified_at else "never"
        place = str(use.place) if use.place else "not configured"
        table.add_row(use.label, place, f"{use.count:,}", last, "can be retired" if use.retire_ok else "")
    out.print(table)


def _money(delivery: KeptDelivery) -> str:
    if delivery.seen is None:
        return delivery.payment_ref or ""
    seen = delivery.seen
    return f"{delivery.payment_ref} {Money(seen['amount'], seen['currency'])} {seen['status']}"


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _print_json(value: list[dict[str, Any]] | Mapping[str, Any]) -> None:
    out.print(json.dumps(value, indent=2, default=_text), markup=False, soft_wrap=True)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
