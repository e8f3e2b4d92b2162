"""What each kind of mail says, to whom, with which papers."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from db.database import Tx
from shop.documents.errors import NotDrawn, NothingToDocument, UnknownKindOfMail
from shop.documents.language import Language
from shop.documents.queries import issue, mails, reading, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.rows import Row
from shop.documents.seller import Seller
from shop.documents.snapshot import buyer
from shop.documents.support_letters import SUPPORT_LETTERS, support_letter
from shop.pages import fill, oneline
from shop.ports.mail import Attachment

TEMPLATES = Path(__file__).parent / "templates"

TOLD = frozenset({"customer", "out_of_stock", "unpaid", "authorization_expired"})
"""Why an order ended, as its customer may read it; other reasons are between the shop and its staff."""

UNDER_WAY = frozenset({"authorized", "processing"})
"""States in which an order is safe and its money has not come: its customer is told that we have it."""

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
    """What every letter needs beside its subject: who writes, who reads the shop's reports, and on which page of the
    shop a customer goes on with an order.
    """

    seller: Seller
    report_to: str
    support_to: str = ""
    checkout_url: str = ""
    templates: Path = field(default=TEMPLATES)


def compose(tx: Tx, desk: Desk, kind: str, subject_id: str) -> Draft:
    """The letter of this kind about this order, refund or report.

    Raises UnknownKindOfMail, NothingToDocument for an unknown subject, NotDrawn while a paper it needs is not there.
    """
    writer = WRITERS.get(kind)
    if writer is None:
        raise UnknownKindOfMail(f"there is no mail of kind {kind!r}")
    return writer(tx, desk, subject_id)


def _order_paid(tx: Tx, desk: Desk, subject_id: str) -> Draft:
    """The receipt of an order, or of one invoice of an order that was paid in parts."""
    if subject_id.startswith("inv_"):
        invoice = issue.invoice(tx, subject_id)
    else:
        invoice = next(iter(issue.invoices_of_order(tx, subject_id)), None)
    if invoice is None:
        raise NothingToDocument(f"there is no invoice of {subject_id}")
    method = invoice.snapshot["payment"]["method"]
    words = "order_paid.words_by" if method else "order_paid.words"
    return _about_document(tx, desk, "order_paid", invoice, words, {"method": method})


def _refund_done(tx: Tx, desk: Desk, refund_id: str) -> Draft:
    note = issue.credit_note_of_refund(tx, refund_id)
    if note is None:
        raise NothingToDocument(f"refund {refund_id} has no credit note")
    said = note.snapshot
    method = said["payment"]["method"]
    amount = Language(said["locale"]).price(said["total_minor"], said["currency"])
    values = {"method": method, "amount": amount, "invoice": said["invoice"]["number"]}
    words = "refund_done.words_to" if method else "refund_done.words"
    return _about_document(tx, desk, "refund_done", note, words, values)


def _order_received(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.amount_captured:
        return _untold("it is paid by now, and its receipt says so")
    if order.status not in UNDER_WAY or order.currency is None:
        return _untold(f"order is {order.status} by now")
    lines = [
        {"kind": "goods", "name": line.name, "quantity": line.quantity, "total_minor": line.total_minor}
        for line in sources.order_lines(tx, order_id)
    ]
    language = _language(desk, order)
    if order.shipping_minor:
        name = language.say("paper.shipping")
        lines.append({"kind": "shipping", "name": name, "quantity": 1, "total_minor": order.shipping_minor})
    bought = {
        "lines": lines,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "tax_minor": order.tax_minor,
        "prices": "gross" if order.tax_included else "net",
    }
    return _about_order(tx, desk, "order_received", order, f"words_{order.status}", paper=bought)


def _order_canceled(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.status not in ("canceled", "expired") or order.amount_captured:
        return _untold(f"order is {order.status}, not canceled before payment")
    words = f"words_{order.status_reason}" if order.status_reason in TOLD else "words"
    return _about_order(tx, desk, "order_canceled", order, words)


def _payment_failed(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.status not in ("payment_failed", "awaiting_payment") or order.currency is None:
        return _untold(f"order is {order.status} by now")
    amount = _language(desk, order).price(order.total_minor, order.currency)
    return _about_order(tx, desk, "payment_failed", order, "words", values={"amount": amount})


def _authentication_needed(tx: Tx, desk: Desk, order_id: str) -> Draft:
    order = _order(tx, order_id)
    if order.status != "requires_action" or order.currency is None:
        return _untold(f"order is {order.status} by now")
    amount = _language(desk, order).price(order.total_minor, order.currency)
    values = {"amount": amount, "url": f"{desk.checkout_url}?order={order_id}"}
    return _about_order(tx, desk, "authentication_needed", order, "words", values=values)


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


def _about_document(
    tx: Tx, desk: Desk, kind: str, document: DocumentRow, words: str, values: Mapping[str, str]
) -> Draft:
    pdf = reading.file_bytes(tx, document.id)
    if pdf is None:
        raise NotDrawn(f"{document.number} is not drawn yet")
    said = document.snapshot
    files = (Attachment(f"{document.number}.pdf", "application/pdf", pdf),)
    told = {"number": said["order"]["number"], "paper": document.number, **values}
    language, name = Language(said["locale"]), said["buyer"]["name"]
    paper = {**said, "lines": _bought(said["lines"])}
    return _told(desk, kind, language, said["buyer"]["email"], name, words, told, paper=paper, files=files)


def _bought(rows: Sequence[Row]) -> list[Row]:
    """The rows of a document for a mail: what is no goods stands once, not once for each tax rate."""
    together: dict[str, Row] = {}
    for place, row in enumerate(rows):
        key = f"goods {place}" if row["kind"] == "goods" else row["name"]
        before = together.get(key, {"total_minor": 0})
        together[key] = {**row, "total_minor": before["total_minor"] + row["total_minor"]}
    return list(together.values())


def _about_order(
    tx: Tx,
    desk: Desk,
    kind: str,
    order: sources.OrderRow,
    words: str,
    *,
    values: Mapping[str, str] = MappingProxyType({}),
    paper: Mapping[str, Any] | None = None,
) -> Draft:
    """About an order that nobody paid: anybody may have placed it, with any address and any name."""
    if mails.told_lately(tx, kind, order.email or "", but_for=order.id) >= MOST_A_DAY:
        return _untold(f"its address got {MOST_A_DAY} mails of this kind within a day")
    language = _language(desk, order)
    name = _greetable(buyer(order, language)["name"])
    told = {"number": order.number, **values}
    return _told(desk, kind, language, order.email or "", name, f"{kind}.{words}", told, paper=paper)


def _told(
    desk: Desk,
    kind: str,
    language: Language,
    recipient: str,
    name: str,
    words: str,
    values: Mapping[str, str],
    *,
    paper: Mapping[str, Any] | None,
    files: tuple[Attachment, ...] = (),
) -> Draft:
    """A letter to a customer, in the customer's language. `words` names the paragraph that says what happened."""
    shown = {
        "kind": kind,
        "language": language,
        "greeting": language.say("mail.dear", name=name) if name else language.say("mail.hello"),
        "words": words,
        "values": values,
        "paper": paper,
        "why": language.say("mail.because_order", number=values["number"]),
    }
    subject = language.say(f"{kind}.subject", **values)
    return _written(desk, "letter", recipient, subject, shown, files)


def _language(desk: Desk, order: sources.OrderRow) -> Language:
    return Language(order.locale or desk.seller.locale)


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


def _to_support(kind: str, tx: Tx, desk: Desk, subject_id: str) -> Draft:
    letter = support_letter(tx, kind, subject_id)
    if letter.unsent_because:
        return _untold(letter.unsent_because)
    recipient = desk.support_to or desk.report_to
    return _written(desk, "support_letter", recipient, f"{desk.seller.name}: {letter.subject}", letter.values)


Writer = Callable[[Tx, Desk, str], Draft]
WRITERS: MappingProxyType[str, Writer] = MappingProxyType(
    {
        "order_received": _order_received,
        "order_paid": _order_paid,
        "refund_done": _refund_done,
        "order_canceled": _order_canceled,
        "payment_failed": _payment_failed,
        "authentication_needed": _authentication_needed,
        "report": _report,
        **{kind: partial(_to_support, kind) for kind in SUPPORT_LETTERS},
    }
)
"""Every kind of mail that the job `documents.mail` may be asked for."""
