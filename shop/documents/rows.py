"""The rows a document prints: goods, shipping, and what makes them add up to the money that moved, rate by rate.

Each row has its amount as it is priced, and what that is without and in tax; within a rate the rows share the tax that
was booked, to the last cent.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from shop.documents.language import Language
from shop.documents.queries.sources import LineRow, RefundRow
from shop.tax import Part, TaxLine, rate_text, spread

Row = dict[str, Any]

GROSS, NET = "gross", "net"


def invoice_rows(
    language: Language,
    lines: Sequence[LineRow],
    frozen: Sequence[TaxLine],
    parts: Sequence[Part],
    before: Sequence[tuple[str, Sequence[Part]]],
    *,
    prices: str,
) -> list[Row]:
    """`parts` is what the invoice is about, `before` what earlier invoices of the order (number, parts) were about."""
    only = frozen[0].rate_percent
    goods = [_goods(line, line.tax_rate_percent if line.tax_rate_percent is not None else only) for line in lines]
    sent = [
        _words("shipping", language.say("paper.shipping"), tax.shipping_minor, tax.rate_percent)
        for tax in frozen
        if tax.shipping_minor
    ]
    earlier = [
        _words("before", language.say("paper.invoiced_before", number=number), -priced(part, prices), part.rate_percent)
        for number, said in before
        for part in said
        if part.gross_minor
    ]
    return _closed(goods + sent + earlier, parts, prices, lambda _rest: language.say("paper.not_charged"))


def credit_rows(
    language: Language, refund: RefundRow, lines: Sequence[LineRow], parts: Sequence[Part], order_number: str
) -> list[Row]:
    """Always with tax included: a refund is an amount of money, whichever way the goods were priced."""
    first = max(parts, key=lambda part: part.rate_percent).rate_percent
    goods = [_goods(line, line.tax_rate_percent if line.tax_rate_percent is not None else first) for line in lines]
    rest = refund.amount_minor - sum(line.total_minor for line in lines)

    def name(amount: int) -> str:
        if refund.shipping_minor and rest == refund.shipping_minor:
            return language.say("paper.shipping")
        if not lines:
            return language.say("paper.part_of_price", number=order_number)
        return language.say("paper.further" if amount > 0 else "paper.kept")

    return _closed(goods, parts, GROSS, name)


def priced(part: Part, prices: str) -> int:
    """A part as its document prices things."""
    return part.gross_minor if prices == GROSS else part.net_minor


def _closed(rows: list[Row], parts: Sequence[Part], prices: str, name: Callable[[int], str]) -> list[Row]:
    """With one row more for each rate whose rows come to something else than its part, and tax for every row."""
    by_rate = {rate_text(part.rate_percent): part for part in parts}
    for rate in dict.fromkeys([*by_rate, *(row["rate"] for row in rows)]):
        part = by_rate.get(rate) or Part(Decimal(rate), "", 0, 0)
        of_rate = [row for row in rows if row["rate"] == rate]
        rest = priced(part, prices) - sum(row["total_minor"] for row in of_rate)
        if rest:
            of_rate.append(_words("rest", name(rest), rest, part.rate_percent))
            rows = [*rows, of_rate[-1]]
        for row, tax in zip(of_rate, spread(part.tax_minor, [row["total_minor"] for row in of_rate]), strict=True):
            row["tax_minor"] = tax
            row["net_minor"] = row["total_minor"] - (tax if prices == GROSS else 0)
    return rows


def _goods(line: LineRow, rate: Decimal) -> Row:
    even = line.total_minor % line.quantity == 0
    return {
        "kind": "goods",
        "product_id": line.product_id,
        "name": line.name,
        "quantity": line.quantity,
        # What was given back for pieces need not be a whole amount a piece.
        "unit_minor": line.total_minor // line.quantity if even else None,
        "total_minor": line.total_minor,
        "rate": rate_text(rate),
    }


def _words(kind: str, name: str, amount_minor: int, rate: Decimal) -> Row:
    return {
        "kind": kind,
        "product_id": None,
        "name": name,
        "quantity": 1,
        "unit_minor": amount_minor,
        "total_minor": amount_minor,
        "rate": rate_text(rate),
    }
