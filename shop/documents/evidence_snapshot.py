"""Everything a packet of evidence shows, frozen as plain JSON; PDF and texts for the bank come from this alone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from shop.documents.evidence_story import reason, stamp, story
from shop.documents.queries.evidence_sources import (
    CaseRow,
    FactRow,
    LineRow,
    MailRow,
    PaperRow,
    PastRow,
    RefundRow,
)
from shop.documents.seller import Seller
from shop.pages import day, price
from shop.ports.evidence import CardChecks

Snapshot = dict[str, Any]
Pairs = list[list[str]]

FORM = 1
"""Raised when the shape changes; packets of older forms keep their drawn file."""

TEXT_MOST = 20_000
"""Characters Stripe takes in one field of evidence."""

MAIL_MOST = 6_000
"""Characters of one mail in the packet: a letter has a tenth of it, and a bank reads at most fifty pages."""

ADDRESS_ROWS = (("name",), ("line1",), ("line2",), ("postal_code", "city"), ("state",), ("country",))

CHECKS = {"pass": "passed", "fail": "failed", "unavailable": "not available", "unchecked": "not checked"}

AUTHENTICATION = {
    "authenticated": "passed: the cardholder proved to be the owner of the card",
    "attempt_acknowledged": "attempted; the issuing bank took the liability",
    "exempted": "exempted",
    "failed": "failed",
    "not_supported": "not supported by the issuing bank",
    "processing_error": "not possible because of an error at the bank",
}

CASE = {
    "warning_needs_response": "The bank asks about the payment",
    "warning_under_review": "The bank reviews the answer to its question",
    "warning_closed": "The bank closed its question",
    "needs_response": "The bank waits for evidence",
    "under_review": "The bank reviews the evidence",
    "won": "Decided for the shop",
    "lost": "Decided for the cardholder",
}


@dataclass(frozen=True, slots=True)
class Material:
    """All rows of one case, read in one transaction."""

    case: CaseRow
    lines: Sequence[LineRow]
    facts: Sequence[FactRow]
    refunds: Sequence[RefundRow]
    mails: Sequence[MailRow]
    papers: Sequence[PaperRow]
    past: PastRow


def evidence_snapshot(seller: Seller, terms: str, found: Material, checks: CardChecks, at: datetime) -> Snapshot:
    case = found.case
    shipment = _shipment(case)
    lines = [_line(line, case.currency) for line in found.lines]
    return {
        "kind": "evidence",
        "form": FORM,
        "packet": {"id": case.packet_id, "version": case.version},
        "made_at": at.isoformat(),
        "made_on": stamp(at),
        "seller": {
            "name": seller.name,
            "address": seller.address,
            "tax_id": seller.tax_id,
            "email": seller.email,
            "imprint": seller.imprint,
        },
        "case": _case(case),
        "reason": reason(case.reason),
        "summary": _summary(found, checks),
        "note": case.note or "",
        "order": {"number": case.number, "placed_on": stamp(case.placed_at), "lines": lines, "sums": _sums(case)},
        "customer": _customer(found),
        "address": _address(case),
        "shipment": shipment,
        "payment": _payment(case, checks),
        "story": [[stamp(when), words] for when, words in story(found.facts, found.mails, found.papers, case.currency)],
        "invoices": [_invoice(paper, case.currency) for paper in found.papers],
        "refunds": [_refund(row, case.currency) for row in found.refunds],
        "mails": [_mail(mail) for mail in found.mails],
        "terms": terms.strip(),
        "checks": asdict(checks),
        "texts": _texts(found, terms, shipment),
    }


def _case(case: CaseRow) -> Pairs:
    due = stamp(case.evidence_due_at) if case.evidence_due_at else "no day was named"
    return [
        ["Dispute", case.provider_dispute_id],
        ["State", CASE.get(case.status, case.status.replace("_", " "))],
        ["Reason given", case.reason.replace("_", " ")],
        ["Amount disputed", price(case.amount_minor, case.currency)],
        ["Opened", stamp(case.opened_at)],
        ["Evidence due by", due],
        ["Order", case.number],
        ["Charge", case.charge_id or case.intent_id],
    ]


def _summary(found: Material, checks: CardChecks) -> list[str]:
    """What speaks for the shop, in sentences that the rest of the packet proves."""
    case = found.case
    paid = stamp(case.paid_at) if case.paid_at else stamp(case.placed_at)
    told = [
        f"Order {case.number} was placed on {stamp(case.placed_at)} from the customer's own account and paid on {paid}."
    ]
    if checks.three_d_secure == "authenticated":
        told.append("The cardholder authenticated the payment with 3-D Secure.")
    if checks.security_code == "pass":
        told.append("The card's security code was given and matched.")
    if case.shipping and case.shipping.get("shipped_on"):
        told.append(f"The goods were handed over for shipping on {day(case.shipping['shipped_on'])}.")
    if found.mails:
        times = "one mail" if len(found.mails) == 1 else f"{len(found.mails)} mails"
        told.append(f"The customer was sent {times} about the order, the first on {stamp(found.mails[0].sent_at)}.")
    if found.past.orders and found.past.first_at:
        count = "one earlier order" if found.past.orders == 1 else f"{found.past.orders} earlier orders"
        told.append(f"The same customer paid {count} without dispute, the first on {stamp(found.past.first_at)}.")
    given = sum(row.amount_minor for row in found.refunds if row.status == "succeeded")
    if given:
        told.append(f"Of the payment, {price(given, case.currency)} was refunded already.")
    return told


def _sums(case: CaseRow) -> Pairs:
    rows = [["Goods", price(case.subtotal_minor, case.currency)]]
    if case.shipping_minor:
        rows.append(["Shipping", price(case.shipping_minor, case.currency)])
    label = "of which VAT" if case.tax_included else "VAT"
    rows.append([label, price(case.tax_minor, case.currency)])
    rows.append(["Total of the order", price(case.total_minor, case.currency)])
    if case.captured_minor != case.total_minor:
        rows.append(["Charged to the card", price(case.captured_minor, case.currency)])
    return rows


def _line(line: LineRow, currency: str) -> Snapshot:
    return {
        "name": line.name,
        "product_id": line.product_id,
        "quantity": line.quantity,
        "unit": price(line.unit_price_minor, currency),
        "total": price(line.total_minor, currency),
    }


def _customer(found: Material) -> Pairs:
    case, past = found.case, found.past
    rows = [
        ["Name", str((case.shipping_address or {}).get("name") or "not given")],
        ["Mail address", case.email or "not given"],
        ["Customer number", case.customer_id],
        ["Earlier paid orders without dispute", str(past.orders)],
    ]
    if past.first_at:
        rows.append(["Customer since", stamp(past.first_at)])
    return rows


def _address(case: CaseRow) -> list[str]:
    given = case.shipping_address or {}
    rows = (" ".join(str(given.get(part) or "").strip() for part in row).strip() for row in ADDRESS_ROWS)
    return [row for row in rows if row]


def _shipment(case: CaseRow) -> Pairs:
    told = case.shipping or {}
    names = (("carrier", "Carrier"), ("tracking_number", "Tracking number"))
    rows = [[label, str(told[name])] for name, label in names if told.get(name)]
    return [*rows, ["Handed over on", day(told["shipped_on"])]] if told.get("shipped_on") else rows


def _payment(case: CaseRow, checks: CardChecks) -> Pairs:
    rows = [["Amount charged", price(case.captured_minor, case.currency)]]
    if case.paid_at:
        rows.append(["Charged on", stamp(case.paid_at)])
    if case.card_brand and case.card_last4:
        rows.append(["Card", f"{case.card_brand.replace('_', ' ').title()} ending in {case.card_last4}"])
    if case.card_exp_month and case.card_exp_year:
        rows.append(["Expiry", f"{case.card_exp_month:02d}/{case.card_exp_year}"])
    if checks.country:
        rows.append(["Issued in", checks.country])
    rows.append(["3-D Secure", _authentication(checks)])
    for label, outcome in (
        ("Security code (CVC)", checks.security_code),
        ("Street of the card's address", checks.address_line),
        ("Postal code of the card's address", checks.postal_code),
    ):
        if outcome:
            rows.append([label, CHECKS.get(outcome, outcome)])
    rows += [["Payment", case.intent_id], ["Charge", case.charge_id or "none"]]
    return rows


def _authentication(checks: CardChecks) -> str:
    if checks.three_d_secure is None:
        return "not asked for by the issuing bank"
    words = AUTHENTICATION.get(checks.three_d_secure, checks.three_d_secure.replace("_", " "))
    return f"{words} (version {checks.three_d_secure_version})" if checks.three_d_secure_version else words


def _invoice(paper: PaperRow, currency: str) -> Snapshot:
    said: Mapping[str, Any] = paper.snapshot
    return {
        "title": "Invoice" if paper.kind == "invoice" else "Credit note",
        "number": paper.number,
        "issued_on": stamp(paper.issued_at),
        "buyer": [said["buyer"]["name"], *said["buyer"]["address"]],
        "lines": [
            {"name": row["name"], "quantity": row["quantity"], "total": price(row["total_minor"], currency)}
            for row in said["lines"]
        ],
        "sums": [
            ["Net amount", price(said["net_minor"], currency)],
            *([f"VAT {tax['rate']} %", price(tax["tax_minor"], currency)] for tax in said["taxes"]),
            ["Total", price(said["total_minor"], currency)],
        ],
        "sha256": paper.sha256.hex() if paper.sha256 else "",
    }


def _refund(row: RefundRow, currency: str) -> list[str]:
    state = {"succeeded": "paid out", "failed": "came back", "pending": "under way"}.get(row.status, row.status)
    return [stamp(row.created_at), row.reason, state, price(row.amount_minor, currency)]


def _mail(mail: MailRow) -> Snapshot:
    text = (mail.body_text or "").strip()
    cut = f"{text[:MAIL_MOST]} […]" if len(text) > MAIL_MOST else text
    return {"sent_on": stamp(mail.sent_at), "to": mail.recipient, "subject": mail.subject, "text": cut}


def _texts(found: Material, terms: str, shipment: Pairs) -> dict[str, str]:
    """The bank's form, field by field, in the names of the provider; empty ones are left out."""
    case = found.case
    address = ", ".join(_address(case))
    told = {
        "customer_name": str((case.shipping_address or {}).get("name") or ""),
        "customer_email_address": case.email or "",
        "shipping_address": address,
        "product_description": "; ".join(f"{line.quantity} × {line.name}" for line in found.lines),
        "refund_policy_disclosure": terms.strip(),
        "uncategorized_text": case.note or "",
    }
    known = {row[0]: row[1] for row in shipment}
    told |= {
        "shipping_carrier": known.get("Carrier", ""),
        "shipping_tracking_number": known.get("Tracking number", ""),
        "shipping_date": known.get("Handed over on", ""),
    }
    return {name: value[:TEXT_MOST] for name, value in told.items() if value}
