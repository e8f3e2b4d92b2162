"""The tax within what is sold and given back, rate by rate: computed once, when it is booked, and read ever after."""

from decimal import Decimal

from db.database import Tx
from shop.payments.orders.fold import RefundState
from shop.payments.queries import refunds
from shop.payments.queries import taxes as rows
from shop.payments.rows import Order, Refund
from shop.tax import Part, TaxLine, apportion, take


def sold(tx: Tx, order: Order, taken_minor: int) -> tuple[list[Part], int]:
    """What a capture of `taken` sells beyond what was sold before: by rate, and how much of its net is shipping."""
    lines = rows.frozen(tx, order.id)
    before = {part.rate_percent: part for part in _sold_before(tx, order, lines)}
    left = [_without(line.part, before.get(line.rate_percent)) for line in lines]
    return take(left, taken_minor), _shipping(lines, order.amount_captured, taken_minor, order.total_minor)


def given_back(tx: Tx, order: Order, refund: RefundState) -> list[Part]:
    """What a refund credits, by rate: the rates of the lines it names first, the rest out of what is left."""
    lines = rows.frozen(tx, order.id)
    bought = _sold_before(tx, order, lines) if order.amount_captured else []
    bought = rows.booked(tx, order.id, "sale:%") or bought
    credited = {part.rate_percent: part for part in rows.booked(tx, order.id, "credit%")}
    left = [_without(part, _negative(credited.get(part.rate_percent))) for part in bought]
    if sum(part.gross_minor for part in left) < refund.amount:
        # A credit from before there were tax lines was not booked by rate: what it took is not known, so all is left.
        left = bought
    row = refunds.row_of(tx, refund)
    return take(left, refund.amount, _wanted(tx, lines, row) if row else {})


def _wanted(tx: Tx, lines: list[TaxLine], refund: Refund) -> dict[Decimal, int]:
    """What a refund is for, by rate: the lines it names, and shipping as it was spread when the order was placed."""
    wanted = {wish.rate_percent: wish.gross_minor for wish in rows.wanted_rates(tx, refund.id)}
    sent = apportion(refund.shipping_minor, [line.shipping_minor for line in lines])
    for line, shipping in zip(lines, sent, strict=True):
        wanted[line.rate_percent] = wanted.get(line.rate_percent, 0) + shipping
    return wanted


def _sold_before(tx: Tx, order: Order, lines: list[TaxLine]) -> list[Part]:
    booked = rows.booked(tx, order.id, "sale:%")
    # Sold before there were tax lines: by the same arithmetic, from the order's one rate.
    return booked or take([line.part for line in lines], order.amount_captured)


def _without(part: Part, gone: Part | None) -> Part:
    if gone is None:
        return part
    return Part(part.rate_percent, part.country, part.gross_minor - gone.gross_minor, part.tax_minor - gone.tax_minor)


def _negative(part: Part | None) -> Part | None:
    return -part if part else None


def _shipping(lines: list[TaxLine], before_minor: int, taken_minor: int, total_minor: int) -> int:
    """Net shipping within the part of the order that goes from `before` to `before + taken`."""
    included = all(line.goods_minor + line.shipping_minor == line.part.gross_minor for line in lines)
    net = sum(line.shipping_minor - (line.shipping_tax_minor if included else 0) for line in lines)
    upto = [apportion(net, [amount, total_minor - amount])[0] for amount in (before_minor, before_minor + taken_minor)]
    return upto[1] - upto[0]
