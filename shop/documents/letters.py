"""What each kind of mail says, to whom, with which papers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from db.database import Tx
from shop.documents.errors import NotDrawn, NothingToDocument, UnknownKindOfMail
from shop.documents.queries import issue, mails, reading, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.seller import Seller
from shop.documents.snapshot import buyer
from shop.pages import fill, oneline
from shop.ports.mail import Attachment

TEMPLATES = Path(__file__).parent / "templates"

BECAUSE = MappingProxyType(
    {
        "customer": ", as you asked",
        "out_of_stock": ", because an item in it is no longer in stock",
        "unpaid": ", because it was not paid in time",
        "authorization_expired": ", because your bank's approval of the payment ran out",
    }
)
"""Why an order ended, as its customer may read it; other reasons are between the shop and its staff."""


MOST_A_DAY = 5
"""Mails of a kind about unpaid orders to one address: enough for a customer, too few to plague somebody else with."""

_NAME = re.compile(r"[^\W\d_]+(?:(?:[ '’-]|\. )[^\W\d_]+){0,5}")
"""Words of letters, at most six; a dot only before a space, so that no mail program makes a link of it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before anybody decided to send it. Without a `recipient`, `unsent_because` says why it never will be."""

    recipient: str
    subject: str
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    unsent_because: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every letter needs beside its subject: who writes, and who reads the shop's reports."""

    seller: Seller
    report_to: str
    templates: Path = field(default=TEMPLATES)


def compose(tx: Tx, desk: Desk, kind: str, subject_id: str) -> Draft:
    """The letter of this kind about this order, refund or report.

    Raises UnknownKindOfMail, NothingToDocument for an unknown subject, NotDrawn while a paper it needs is not there.
    """
    writer = WRITERS.get(kind)
    if writer is None:
        raise UnknownKindOfMail(f"there is no mail of kind {kind!r}")
    return writer(tx, desk, subject_id)


def _order_paid(tx: Tx, desk: Desk, order_id: str) -> Draft:
    invoice = issue.invoice_of_order(tx, order_id)
    if invoice is None:
        raise NothingToDocument(f"order {order_id} has no invoice")
    said = invoice.snapshot
    subject = f"Your order {said['order']['number']} is paid"
    return _about_document(tx, desk, "order_paid", invoice, subject)


def _refund_done(tx: Tx, desk: Desk, refund_id: str) -> Draft:
    note = issue.credit_note_of_refund(tx, refund_id)
    if note is None:
        raise NothingToDocument(f"refund {refund_id} has no credit note")
    subject = f"Refund for your order {note.snapshot['order']['number']}"
    return _about_document(tx, desk, "refund_done", note, subject)


def _order_canceled(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.status not in ("canceled", "expired") or order.amount_captured:
        return _untold(f"order is {order.status}, not canceled before payment")
    because = BECAUSE.get(order.status_reason or "", "")
    return _about_order(tx, desk, "order_canceled", order, f"Your order {order.number} was canceled", because=because)


def _payment_failed(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.status not in ("payment_failed", "awaiting_payment") or order.currency is None:
        return _untold(f"order is {order.status} by now")
    subject = f"Payment of your order {order.number} did not go through"
    return _about_order(
        tx, desk, "payment_failed", order, subject, total_minor=order.total_minor, currency=order.currency
    )


def _report(tx: Tx, desk: Desk, report_id: str) -> Draft:
    report = sources.report(tx, report_id)
    if report is None:
        raise NothingToDocument(f"there is no report {report_id}")
    if report.pdf is None or report.csv is None:
        raise NotDrawn(f"report {report_id} is not drawn yet")
    name = f"{report.kind}-report-{report.day.isoformat()}"
    title = f"{report.kind.capitalize()} report for {report.day.isoformat()}"
    values = {
        "title": title,
        "kind": report.kind,
        "report_day": report.day,
        "version": report.version,
        "final": report.final,
    }
    files = (
        Attachment(f"{name}.pdf", "application/pdf", report.pdf),
        Attachment(f"{name}.csv", "text/csv", report.csv),
    )
    return _written(desk, "report", desk.report_to, f"{desk.seller.name}: {title}", values, files)


def _about_document(tx: Tx, desk: Desk, template: str, document: DocumentRow, subject: str) -> Draft:
    pdf = reading.file_bytes(tx, document.id)
    if pdf is None:
        raise NotDrawn(f"{document.number} is not drawn yet")
    files = (Attachment(f"{document.number}.pdf", "application/pdf", pdf),)
    recipient = document.snapshot["buyer"]["email"]
    return _written(desk, template, recipient, subject, {"paper": document.snapshot}, files)


def _about_order(tx: Tx, desk: Desk, template: str, order: sources.OrderRow, subject: str, **values: Any) -> Draft:
    """About an order that nobody paid: anybody may have placed it, with any address and any name."""
    if mails.told_lately(tx, template, order.email or "", but_for=order.id) >= MOST_A_DAY:
        return _untold(f"its address got {MOST_A_DAY} mails of this kind within a day")
    name = _greetable(buyer(order)["name"])
    return _written(desk, template, order.email or "", subject, {"number": order.number, "name": name, **values})


def _written(
    desk: Desk,
    template: str,
    recipient: str,
    subject: str,
    values: dict[str, Any],
    attachments: tuple[Attachment, ...] = (),
) -> Draft:
    if not recipient:
        return _untold("no mail address is known")
    shown = {**values, "seller": desk.seller, "subject": subject, "preview": subject}
    return Draft(
        recipient=recipient,
        subject=oneline(subject),
        text=fill(desk.templates, f"{template}.txt", **shown),
        html=fill(desk.templates, f"{template}.html", **shown),
        attachments=attachments,
    )


def _greetable(name: str) -> str:
    """The name if it can be nothing else: the shop must not carry a stranger's link or advertisement to a third one."""
    return name if _NAME.fullmatch(name) else ""


def _untold(reason: str) -> Draft:
    return Draft(recipient="", subject="", unsent_because=reason)


def _order(tx: Tx, order_id: str) -> sources.OrderRow:
    order = sources.order(tx, order_id)
    if order is None:
        raise NothingToDocument(f"there is no order {order_id}")
    return order


Writer = Callable[[Tx, Desk, str], Draft]
WRITERS: MappingProxyType[str, Writer] = MappingProxyType(
    {
        "order_paid": _order_paid,
        "refund_done": _refund_done,
        "order_canceled": _order_canceled,
        "payment_failed": _payment_failed,
        "report": _report,
    }
)
"""Every kind of mail that the job `documents.mail` may be asked for."""
