"""Everything a document shows, frozen as plain JSON at the moment of issue; the paper is drawn from this alone."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shop.documents.language import Language
from shop.documents.numbers import Number
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import LineRow, OrderRow, RefundRow
from shop.documents.rows import GROSS, NET, credit_rows, invoice_rows
from shop.documents.seller import Seller
from shop.documents.tax import parts_of
from shop.ids import new_id
from shop.tax import Part, TaxLine, shown

Snapshot = dict[str, Any]
"""JSON: text, whole numbers, lists and objects; no fractions, so that it reads back exactly as written."""

FORM = 2
"""Raised when the shape changes. Form 1 had one language, one rate and no twin; none was issued outside tests."""

ADDRESS_ROWS = (("name",), ("line1",), ("line2",), ("postal_code", "city"), ("state",))
"""The names Stripe gives to the parts of an address, in the rows in which they are printed; the country comes last."""


def invoice_snapshot(
    number: Number,
    seller: Seller,
    order: OrderRow,
    lines: Sequence[LineRow],
    frozen: Sequence[TaxLine],
    parts: Sequence[Part],
    before: Sequence[DocumentRow] = (),
) -> Snapshot:
    """`parts` is what is invoiced now, `before` the invoices the order has already."""
    assert order.currency is not None, "an order with money captured has a currency"
    language = Language(order.locale or seller.locale)
    day = _day_in(seller.zone)
    paid_on = day(number.issued_at if before else order.paid_at or number.issued_at)
    prices = GROSS if order.tax_included else NET
    earlier = [(document.number, parts_of([document])) for document in before]
    return {
        "kind": "invoice",
        **_head(number, seller, language),
        "currency": order.currency,
        "prices": prices,
        "buyer": buyer(order, language),
        "order": {
            "id": order.id,
            "number": order.number,
            "placed_on": day(order.created_at),
            "total_minor": order.total_minor,
            "tax_minor": order.tax_minor,
        },
        "supplied_on": paid_on,
        "lines": invoice_rows(language, lines, frozen, parts, earlier, prices=prices),
        **_sums(parts),
        "payment": {"paid_on": paid_on, "method": card(order, language), "last4": order.card_last4 or ""},
    }


def credit_snapshot(
    number: Number,
    seller: Seller,
    refund: RefundRow,
    lines: Sequence[LineRow],
    invoices: Sequence[DocumentRow],
    parts: Sequence[Part],
) -> Snapshot:
    """Who bought and who sold is taken from the invoice: the note speaks of that paper, not of today's data."""
    invoice = invoices[0].snapshot
    language = Language(invoice["locale"])
    whole = not lines and len(invoices) == 1 and refund.amount_minor == invoice["total_minor"]
    return {
        "kind": "credit_note",
        **_head(number, seller, language),
        "seller": invoice["seller"],
        "currency": refund.currency,
        "prices": invoice["prices"] if whole else GROSS,
        "buyer": invoice["buyer"],
        "order": invoice["order"],
        "refund": {"id": refund.id},
        "supplied_on": invoice["supplied_on"],
        "invoice": {"number": invoice["number"], "issued_on": invoice["issued_on"]},
        "invoices": [{"number": one.number, "issued_on": one.snapshot["issued_on"]} for one in invoices],
        "lines": list(invoice["lines"])
        if whole
        else credit_rows(language, refund, lines, parts, invoice["order"]["number"]),
        **_sums(parts),
        "payment": {**invoice["payment"], "paid_on": _day_in(seller.zone)(refund.decided_at)},
    }


def as_document(prefix: str, number: Number, snapshot: Snapshot, *, part: int = 1) -> DocumentRow:
    """The row of a snapshot, with a new id: its columns repeat what is looked for and summed up."""
    return DocumentRow(
        id=new_id(prefix),
        number=number.text,
        series=number.series,
        year=number.year,
        serial=number.serial,
        order_id=snapshot["order"]["id"],
        customer_id=snapshot["buyer"]["customer_id"],
        currency=snapshot["currency"],
        net_minor=snapshot["net_minor"],
        tax_minor=snapshot["tax_minor"],
        total_minor=snapshot["total_minor"],
        snapshot=snapshot,
        snapshot_sha256=digest(snapshot),
        issued_at=number.issued_at,
        part=part,
    )


def digest(snapshot: Mapping[str, Any]) -> bytes:
    """SHA-256 of the snapshot written as canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def buyer(order: OrderRow, language: Language) -> Snapshot:
    """Name, printed lines of the address, its parts for machines, mail address; what nobody gave is left out."""
    given = {name: str(value or "").strip() for name, value in (order.shipping_address or {}).items()}
    name, *rows = (" ".join(given.get(part, "") for part in row).strip() for row in ADDRESS_ROWS)
    country = given.get("country", "")
    printed = [row for row in (*rows, language.country(country) if country else "") if row]
    return {
        "customer_id": order.customer_id,
        "name": name,
        "address": printed,
        "parts": {part: given.get(part, "") for part in ("line1", "line2", "postal_code", "city", "country")},
        "email": order.email or "",
    }


def card(order: OrderRow, language: Language) -> str:
    """`Visa ending in 4242`; empty where no card is known."""
    if order.card_brand is None or order.card_last4 is None:
        return ""
    return language.say("paper.card", brand=order.card_brand.replace("_", " ").title(), last4=order.card_last4)


def _head(number: Number, seller: Seller, language: Language) -> Snapshot:
    return {
        "form": FORM,
        "number": number.text,
        "issued_at": number.issued_at.isoformat(),
        "issued_on": _day_in(seller.zone)(number.issued_at),
        "locale": language.locale,
        "seller": {
            "name": seller.name,
            "address": seller.address,
            "tax_id": seller.tax_id,
            "street": seller.street,
            "postal_code": seller.postal_code,
            "city": seller.city,
            "country": seller.country,
            "email": seller.email,
            "imprint": seller.imprint,
            # The picture itself is kept once, under its digest.
            "logo": seller.logo.sha256.hex() if seller.logo else "",
            "registered": seller.registered,
        },
    }


def _sums(parts: Sequence[Part]) -> Snapshot:
    return {
        "taxes": [shown(part) for part in parts],
        "net_minor": sum(part.net_minor for part in parts),
        "tax_minor": sum(part.tax_minor for part in parts),
        "total_minor": sum(part.gross_minor for part in parts),
    }


def _day_in(zone: ZoneInfo) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(zone).date().isoformat()
