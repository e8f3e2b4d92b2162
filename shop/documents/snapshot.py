"""Everything a document shows, frozen as plain JSON at the moment of issue; the paper is drawn from this alone."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shop.documents.numbers import Number
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import LineRow, OrderRow, RefundRow
from shop.documents.seller import Seller
from shop.documents.tax import Split
from shop.ids import new_id

Snapshot = dict[str, Any]
"""JSON: text, whole numbers, lists and objects; no fractions, so that it reads back exactly as written."""

FORM = 1
"""Raised when the shape changes; papers of older forms keep their own template."""

ADDRESS_ROWS = (("name",), ("line1",), ("line2",), ("postal_code", "city"), ("state",), ("country",))
"""The names Stripe gives to the parts of an address, in the rows in which they are printed."""

SHIPPING = "Shipping"


def invoice_snapshot(
    number: Number, seller: Seller, order: OrderRow, lines: Sequence[LineRow], split: Split
) -> Snapshot:
    assert order.currency is not None, "an order with money captured has a currency"
    day = _day_in(seller.zone)
    paid_on = day(order.paid_at or number.issued_at)
    return {
        "form": FORM,
        "kind": "invoice",
        **_head(number, seller),
        "currency": order.currency,
        "buyer": buyer(order),
        "order": {
            "id": order.id,
            "number": order.number,
            "placed_on": day(order.created_at),
            "total_minor": order.total_minor,
            "tax_minor": order.tax_minor,
        },
        "supplied_on": paid_on,
        "lines": _invoice_lines(order, lines),
        **_sums(split),
        "payment": {"paid_on": paid_on, "method": card(order)},
    }


def credit_snapshot(
    number: Number, seller: Seller, refund: RefundRow, lines: Sequence[LineRow], invoice: Snapshot, split: Split
) -> Snapshot:
    """Who bought and who sold is taken from the invoice: the note speaks of that paper, not of today's data."""
    return {
        "form": FORM,
        "kind": "credit_note",
        **_head(number, seller),
        "seller": invoice["seller"],
        "currency": refund.currency,
        "buyer": invoice["buyer"],
        "order": invoice["order"],
        "refund": {"id": refund.id},
        "invoice": {"number": invoice["number"], "issued_on": invoice["issued_on"]},
        "lines": _credit_lines(refund, lines, invoice),
        **_sums(split),
        "payment": {"paid_on": _day_in(seller.zone)(refund.decided_at), "method": invoice["payment"]["method"]},
    }


def as_document(prefix: str, number: Number, snapshot: Snapshot) -> DocumentRow:
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
    )


def digest(snapshot: Mapping[str, Any]) -> bytes:
    """SHA-256 of the snapshot written as canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(snapshot, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def buyer(order: OrderRow) -> dict[str, Any]:
    """Name, printed lines of the address, mail address; parts that nobody gave are left out."""
    given = order.shipping_address or {}
    name, *rows = (" ".join(str(given.get(part) or "").strip() for part in row).strip() for row in ADDRESS_ROWS)
    address = [row for row in rows if row]
    return {"customer_id": order.customer_id, "name": name, "address": address, "email": order.email or ""}


def card(order: OrderRow) -> str:
    """`Visa ending in 4242`; empty where no card is known."""
    if order.card_brand is None or order.card_last4 is None:
        return ""
    return f"{order.card_brand.replace('_', ' ').title()} ending in {order.card_last4}"


def rate_text(rate: Decimal) -> str:
    """`19.00` → `19`, `7.70` → `7.7`."""
    return f"{rate.normalize():f}"


def _head(number: Number, seller: Seller) -> Snapshot:
    return {
        "number": number.text,
        "issued_at": number.issued_at.isoformat(),
        "issued_on": _day_in(seller.zone)(number.issued_at),
        "seller": {"name": seller.name, "address": seller.address, "tax_id": seller.tax_id},
    }


def _sums(split: Split) -> Snapshot:
    tax = {
        "rate": rate_text(split.rate_percent),
        "net_minor": split.net_minor,
        "tax_minor": split.tax_minor,
        "gross_minor": split.gross_minor,
    }
    return {
        "taxes": [tax],
        "net_minor": split.net_minor,
        "tax_minor": split.tax_minor,
        "total_minor": split.gross_minor,
    }


def _invoice_lines(order: OrderRow, lines: Sequence[LineRow]) -> list[Snapshot]:
    rate = rate_text(order.tax_rate_percent)
    printed = [_line(line, rate) for line in lines]
    if order.shipping_minor:
        printed.append(_words(SHIPPING, order.shipping_minor, rate))
    if order.amount_captured != order.total_minor:
        # Less than the order was charged at shipping time; the lines still have to add up to what was.
        printed.append(_words("Not charged", order.amount_captured - order.total_minor, rate))
    return printed


def _credit_lines(refund: RefundRow, lines: Sequence[LineRow], invoice: Snapshot) -> list[Snapshot]:
    if not lines and refund.amount_minor == invoice["total_minor"]:
        return list(invoice["lines"])
    rate = invoice["taxes"][0]["rate"]
    printed = [_line(line, rate) for line in lines]
    rest = refund.amount_minor - sum(line.total_minor for line in lines)
    if rest:
        printed.append(_words(_name_of_rest(rest, invoice, alone=not lines), rest, rate))
    return printed


def _name_of_rest(rest_minor: int, invoice: Snapshot, *, alone: bool) -> str:
    """What a refund gave back beside the lines it names."""
    if any(line["name"] == SHIPPING and line["total_minor"] == rest_minor for line in invoice["lines"]):
        return SHIPPING
    if alone:
        return f"Part of the price of order {invoice['order']['number']}"
    return "Further amount" if rest_minor > 0 else "Kept by agreement"


def _line(line: LineRow, rate: str) -> Snapshot:
    return {
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        "unit_minor": line.unit_price_minor,
        "total_minor": line.total_minor,
        "rate": rate,
    }


def _words(name: str, amount_minor: int, rate: str) -> Snapshot:
    return {
        "product_id": None,
        "name": name,
        "quantity": 1,
        "unit_minor": amount_minor,
        "total_minor": amount_minor,
        "rate": rate,
    }


def _day_in(zone: ZoneInfo) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(zone).date().isoformat()
