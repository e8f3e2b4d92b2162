"""Revenue is the orders to the last cent: whatever was bought, captured in parts, given back, bounced and disputed."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from db.database import Database, Tx
from shop.analytics.days import Period
from shop.analytics.queries import money
from shop.analytics.queries.money import Moved
from shop.ids import new_id
from shop.payments.books import ledger
from shop.payments.disputes.disputing import DisputeState, Movement
from shop.payments.orders.fold import PaymentState, State
from shop.payments.queries import orders
from shop.payments.queries import taxes as tax_rows
from shop.payments.refunds.refund_states import RefundState
from shop.tax import TaxLine, tax_lines

FIRST = date(2025, 1, 1)
ORDERS = 120
NOW = "2026-11-23T12:00:00Z"


@dataclass(slots=True)
class Bought:
    """What happened to one generated order; amounts in whole minor units."""

    id: str
    day: date
    currency: str
    lines: tuple[TaxLine, ...]
    captured: int = 0
    refunded: int = 0
    fee: int = 0
    disputed: int = 0
    refunds: list[RefundState] = field(default_factory=list[RefundState])

    @property
    def total(self) -> int:
        return sum(line.part.gross_minor for line in self.lines)


def test_the_lines_of_every_order_add_up_to_it_in_both_views(db: Database) -> None:
    chance = random.Random(20261123)
    with db.transaction() as tx:
        shop = [generated(tx, chance, number) for number in range(ORDERS)]
        for order in shop:
            lived(tx, chance, order)
    periods = [a_day(order.day) for order in shop]
    now = datetime.now(UTC) + timedelta(minutes=1)
    with db.transaction() as tx:
        by_order = {row.day: row for row in money.moved(tx, periods, view="order_day", as_of=now)}
        today = a_day(datetime.now(UTC).date())
        both = Period(today.day, today.start - timedelta(days=1), today.end + timedelta(days=1))
        booked = money.moved(tx, [both], view="booking_day", as_of=now)
        assert money.moved(tx, periods, view="order_day", as_of=today.start - timedelta(days=1)) == []

    for order in shop:
        agrees(order, by_order.get(order.day))
    assert len({order.currency for order in shop}) == len(booked) == 2
    for row in booked:
        rows = [one for one in by_order.values() if one.currency == row.currency]
        for name in ("gross", "refunds", "net", "goods", "shipping", "tax", "fees", "disputes", "orders"):
            assert getattr(row, name) == sum(getattr(one, name) for one in rows), (row.currency, name)
    # The histories are worth the name: each kind of thing happened, and not to everybody.
    for happened in (
        [order.captured < order.total for order in shop],
        [order.captured > 0 for order in shop],
        [order.captured and order.refunded == order.captured for order in shop],
        [0 < order.refunded < order.captured for order in shop],
        [any(refund.status == "failed" for refund in order.refunds) for order in shop],
        [order.disputed > 0 for order in shop],
    ):
        assert 3 <= sum(map(bool, happened)) < ORDERS


def agrees(order: Bought, row: Moved | None) -> None:
    if row is None:
        assert order.captured == 0
        return
    assert row.currency == order.currency
    assert (row.gross, row.refunds, row.fees, row.disputes) == (
        order.captured,
        order.refunded,
        order.fee,
        order.disputed,
    )
    assert row.net + row.tax == row.gross - row.refunds
    if order.captured == order.total:
        sold_tax = sum(line.tax_minor for line in order.lines)
        assert row.goods + row.shipping + sold_tax == order.total
        if not order.refunded:
            assert row.tax == sold_tax
            assert row.net == row.goods + row.shipping
    if order.refunded == order.captured:
        assert (row.net, row.tax) == (0, 0)


def a_day(day: date) -> Period:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Period(day, start, start + timedelta(days=1))


def generated(tx: Tx, chance: random.Random, number: int) -> Bought:
    """An order on a day of its own, as placing leaves it: priced, with its tax frozen rate by rate."""
    day, included = FIRST + timedelta(days=number), chance.random() < 0.6
    goods = [
        (Decimal(chance.choice((19, 7, 0))), chance.randint(1, 4) * chance.choice((1, 99, 333, 1070, 4999, 120_001)))
        for _ in range(chance.randint(1, 4))
    ]
    shipping = chance.choice((0, 0, 490, 1))
    lines = tax_lines(goods, shipping, country="DE", included=included)
    order = Bought(new_id("ord"), day, chance.choice(("eur", "eur", "jpy")), lines)
    tx.execute(
        "INSERT INTO orders (id, customer_id, cart_id, status, currency, subtotal_minor, shipping_minor, tax_minor,"
        " total_minor, tax_included, expires_at, paid_at, created_at, updated_at)"
        " VALUES (%(id)s, 'cust', 'cart', 'paid', %(currency)s, %(goods)s, %(shipping)s, %(tax)s, %(total)s,"
        " %(included)s, %(at)s, %(at)s, %(at)s, %(at)s)",
        {
            "id": order.id,
            "currency": order.currency,
            "goods": sum(amount for _, amount in goods),
            "shipping": shipping,
            "tax": sum(line.tax_minor for line in lines),
            "total": order.total,
            "included": included,
            "at": a_day(day).start + timedelta(hours=chance.randint(0, 23)),
        },
    )
    tax_rows.freeze(tx, order.id, lines)
    return order


def lived(tx: Tx, chance: random.Random, order: Bought) -> None:
    """Captures, then refunds of which some bounce, then perhaps a dispute: each booked by the shop's own books."""
    if chance.random() < 0.1:
        return
    whole = chance.random() < 0.7
    for upto in sorted({chance.randint(1, order.total), order.total} if whole else {chance.randint(1, order.total)}):
        booked(tx, order, captured=upto)
    order.fee = chance.randint(1, 90)
    booked(tx, order)
    while order.refunded < order.captured and chance.random() < 0.6:
        left = order.captured - order.refunded
        amount = left if chance.random() < 0.5 else chance.randint(1, left)
        refund = RefundState(new_id("ref"), None, "pi", "succeeded", amount)
        order.refunds.append(refund)
        order.refunded += amount
        booked(tx, order)
        if chance.random() < 0.3:
            order.refunds[-1] = RefundState(refund.key, None, "pi", "failed", amount, "closed account")
            order.refunded -= amount
            booked(tx, order)
    if chance.random() < 0.2:
        taken = order.captured - order.refunded
        order.disputed = taken + 1500
        booked(tx, order, moved=[Movement(f"mov_{order.id}", -taken, 1500, order.currency)])


def booked(tx: Tx, order: Bought, *, captured: int | None = None, moved: list[Movement] | None = None) -> None:
    row = orders.order(tx, order.id)
    assert row is not None
    order.captured = order.captured if captured is None else captured
    ledger.book(tx, row, state(order, moved or []))
    tx.execute("UPDATE orders SET amount_captured = %s WHERE id = %s", (order.captured, order.id))


def state(order: Bought, moved: list[Movement]) -> State:
    payment = PaymentState(
        id=f"pi_{order.id}",
        status="succeeded",
        amount=order.total,
        currency=order.currency,
        capturable=0,
        captured=order.captured,
        charge_id=f"ch_{order.id}",
        capture_before=None,
        card=None,
        decline=None,
        fee=order.fee or None,
        disputed=bool(moved),
        cancellation_reason=None,
        authorised=True,
    )
    return State(
        status="paid",
        status_reason=None,
        stock="committed",
        rejection=None,
        captured=order.captured,
        refunded=order.refunded,
        reserved=0,
        disputed=bool(moved),
        payment=payment,
        payments=[payment],
        refunds=order.refunds,
        disputes=[_lost(order, moved)] if moved else [],
    )


def _lost(order: Bought, moved: list[Movement]) -> DisputeState:
    return DisputeState(
        id=f"dp_{order.id}",
        payment_id=f"pi_{order.id}",
        status="lost",
        reason="fraudulent",
        amount=1,
        currency=order.currency,
        evidence_due_at=None,
        evidence_submitted=False,
        opened_at=NOW,
        movements=moved,
    )
