"""Snapshots of documents without a database: pure rows in, the frozen contents out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shop.documents.numbers import Number
from shop.documents.queries.sources import LineRow, OrderRow, RefundRow
from shop.documents.seller import Seller
from shop.documents.snapshot import Snapshot, as_document, credit_snapshot, invoice_snapshot
from shop.tax import take, tax_lines

MOMENT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

SELLER = Seller(
    "Backroom Shop",
    "1 Market Street, 10115 Berlin, Germany",
    "DE123456788",
    ZoneInfo("Europe/Berlin"),
    street="1 Market Street",
    postal_code="10115",
    city="Berlin",
    email="shop@example.com",
    imprint="Managing director: Grace Hopper · Commercial register Berlin HRB 123456",
)

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "postal_code": "10117",
    "city": "Berlin",
    "country": "DE",
}

Good = tuple[str, int, int, str]
"""Name, quantity, unit price, rate."""


def order(
    goods: Sequence[Good] = (("Walnut desk lamp", 2, 4990, "19"),),
    *,
    shipping: int = 490,
    included: bool = True,
    currency: str = "eur",
    captured: int | None = None,
    country: str = "DE",
    locale: str | None = None,
    address: dict[str, Any] | None = None,
) -> tuple[OrderRow, list[LineRow], Any]:
    """The order's row, its lines and its frozen tax lines."""
    lines = [
        LineRow(f"prod_{place}", name, quantity, price, quantity * price, Decimal(rate))
        for place, (name, quantity, price, rate) in enumerate(goods, 1)
    ]
    priced = [(line.tax_rate_percent or Decimal(0), line.total_minor) for line in lines]
    frozen = tax_lines(priced, shipping, country=country, included=included)
    total = sum(line.part.gross_minor for line in frozen)
    row = OrderRow(
        id="ord_1",
        number="B100001",
        customer_id="user_ada",
        email="ada@example.com",
        status="paid",
        status_reason=None,
        currency=currency,
        shipping_minor=shipping,
        tax_minor=sum(line.tax_minor for line in frozen),
        tax_rate_percent=Decimal(19),
        total_minor=total,
        amount_captured=total if captured is None else captured,
        shipping_address=ADDRESS if address is None else address,
        created_at=MOMENT,
        paid_at=MOMENT,
        card_brand="visa",
        card_last4="4242",
        decline_message=None,
        tax_included=included,
        locale=locale,
    )
    return row, lines, frozen


def invoice(*args: Any, seller: Seller = SELLER, **kwargs: Any) -> Snapshot:
    row, lines, frozen = order(*args, **kwargs)
    parts = [part for part in take([line.part for line in frozen], row.amount_captured) if part.gross_minor]
    return invoice_snapshot(Number("INV", 2026, 42, MOMENT), seller, row, lines, frozen, parts)


def credit_note(
    said: Snapshot, amount: int, *, lines: Sequence[LineRow] = (), shipping: int = 0, seller: Seller = SELLER
) -> Snapshot:
    """Of a refund of `amount` of what this invoice was about."""
    issued = as_document("inv", Number("INV", 2026, 42, MOMENT), said)
    refund = RefundRow("ref_1", "ord_1", "succeeded", amount, shipping, said["currency"], MOMENT)
    wanted: dict[Decimal, int] = {}
    for line in lines:
        rate = line.tax_rate_percent or Decimal(0)
        wanted[rate] = wanted.get(rate, 0) + line.total_minor
    parts = [part for part in take(_parts(said), amount, wanted) if part.gross_minor]
    return credit_snapshot(Number("CRN", 2026, 7, MOMENT), seller, refund, lines, [issued], parts)


def returned(line: LineRow, quantity: int) -> LineRow:
    return replace(line, quantity=quantity, total_minor=quantity * line.unit_price_minor)


def _parts(said: Snapshot) -> list[Any]:
    from shop.tax import read_part

    return [read_part(tax) for tax in said["taxes"]]
