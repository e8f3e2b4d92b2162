"""Asking for money back: what is wanted is priced, checked and reserved on the order before anybody pays it out.

Four guards keep the sum of all refunds within what was captured, and each would do alone: the order's row lock with
the reservation, the remainder the caller expected (compared in the reserving UPDATE itself), the provider's key made
from the refund's row, and the constraint of the database. tests/shop/payments/test_refund_guards.py shows each alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.ids import new_id
from shop.money import Money
from shop.payments.errors import (
    DisputeOpen,
    NothingToRefund,
    NotPayable,
    OrderNotFound,
    RefundableChanged,
    RefundTooLarge,
    UnknownLine,
    WrongState,
)
from shop.payments.orders import attempts
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import facts as log
from shop.payments.queries import orders, refundable, refunds
from shop.payments.rows import LineLeft, Order, Payment, Refund, RefundLine


@dataclass(frozen=True, slots=True)
class LineWish:
    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RefundWish:
    """`amount` None is the price of `lines` and `shipping`, or without both all that is left.

    `expected_refundable` is what the caller saw: if it is different now, somebody else was quicker. None states nothing
    and leaves it to the other guards. `shipping` is how much of the shipping goes back, in minor units.
    """

    reason: str
    expected_refundable: int | None
    amount: int | None = None
    lines: tuple[LineWish, ...] = ()
    shipping: int = 0
    restock: bool = False


@dataclass(frozen=True, slots=True)
class Priced:
    """A wish with its price: what is reserved, and which part of it is what."""

    amount: int
    shipping: int
    lines: tuple[RefundLine, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a wish would come to now: `left` is what could still be refunded afterwards."""

    priced: Priced
    currency: str
    left: int
    needs_approval: bool


def preview_refund(
    db: Database, order_id: str, wish: RefundWish, *, actor: str, approval_from_minor: int | None = None
) -> Preview:
    """Price a wish and change nothing. Raises what ask_refund raises."""
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        payment = _checked(tx, order, wish)
        priced = price(tx, order, wish)
        waits = _needs_approval(tx, order_id, priced.amount, actor, approval_from_minor)
        return Preview(priced, payment.currency, order.refundable - priced.amount, waits)


def ask_refund(
    db: Database, order_id: str, wish: RefundWish, *, actor: str, approval_from_minor: int | None = None
) -> Refund:
    """Reserve the amount and stage the refund, or leave it `requested` for somebody else to approve.

    `approval_from_minor`: from this sum on a second person has to agree; it counts what the same actor has had refunded
    of the order alone, so that a large refund cannot be cut into small ones. None: nobody has to.

    Raises OrderNotFound, WrongState, DisputeOpen, RefundableChanged, and what `price` raises.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        payment = _checked(tx, order, wish)
        priced = price(tx, order, wish)
        waits = _needs_approval(tx, order_id, priced.amount, actor, approval_from_minor)
        refund_id = reserve(tx, payment, wish, priced, actor, needs_approval=waits)
        if not waits:
            send(tx, order_id, refund_id, payment.intent_id, priced.amount)
        row = refunds.refund(tx, refund_id)
        assert row is not None, "it was inserted in this transaction"
        return row


def _checked(tx: Tx, order: Order, wish: RefundWish) -> Payment:
    payment = _refundable_payment(tx, order)
    if order.disputed:
        raise DisputeOpen(f"order {order.id}: the bank holds its money, or keeps it")
    if wish.expected_refundable not in (None, order.refundable):
        raise RefundableChanged(order.id, wish.expected_refundable, order.refundable)
    return payment


def price(tx: Tx, order: Order, wish: RefundWish) -> Priced:
    """What the wish comes to. Raises RefundTooLarge for more than is left, NothingToRefund for nothing, UnknownLine,
    and NotPayable for a fraction that no card takes back.
    """
    left = {line.id: line for line in refundable.lines_left(tx, order.id)}
    lines = _lines(order, wish, left)
    shipping_left = refundable.shipping_left(tx, order.id)
    if wish.shipping > shipping_left:
        raise RefundTooLarge(f"order {order.id}: {shipping_left} of the shipping is left to refund")
    amount = wish.amount
    if amount is None and (wish.lines or wish.shipping):
        amount = sum(line.amount_minor for line in lines) + wish.shipping
    everything = amount is None
    amount = order.refundable if amount is None else amount
    if amount <= 0:
        raise NothingToRefund(f"order {order.id}: there is nothing to refund")
    if amount > order.refundable:
        raise RefundTooLarge(f"order {order.id}: {order.refundable} is left to refund, not {amount}")
    assert order.currency is not None, "an order whose money was taken has a price"
    asked = Money(amount, order.currency)
    if not asked.payable:
        raise NotPayable(f"order {order.id}: {asked} cannot be refunded: cards know no such fraction of it")
    return Priced(amount, min(shipping_left, amount) if everything else wish.shipping, tuple(lines))


def reserve(
    tx: Tx, payment: Payment, wish: RefundWish, priced: Priced, actor: str, *, needs_approval: bool = False
) -> str:
    """Hold the amount on the order and write down who asked; answers the refund's id.

    Asks nothing but what its UPDATE compares, so the caller decides beforehand whether the amount may be refunded.
    Raises RefundableChanged.
    """
    order_id = payment.order_id
    if not refundable.hold(tx, order_id, amount=priced.amount, expected=wish.expected_refundable):
        now = orders.order(tx, order_id)
        raise RefundableChanged(order_id, wish.expected_refundable, now.refundable if now else 0)
    refund_id = new_id("ref")
    refunds.insert_refund(
        tx,
        refund_id=refund_id,
        order_id=order_id,
        payment_id=payment.id,
        amount_minor=priced.amount,
        shipping_minor=priced.shipping,
        currency=payment.currency,
        reason=wish.reason,
        restock=wish.restock,
        requested_by=actor,
    )
    named = [RefundLine(refund_id, line.line_id, line.quantity, line.amount_minor) for line in priced.lines]
    refunds.insert_refund_lines(tx, named)
    fact = Fact(
        kind="refund.asked",
        source="staff",
        source_key=f"asked:{refund_id}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=payment.intent_id,
        amount_minor=priced.amount,
        currency=payment.currency,
        data={"refund": refund_id, "payment": payment.intent_id, "reason": wish.reason, "waits": needs_approval},
    )
    apply(tx, order_id, [fact])
    return refund_id


def send(tx: Tx, order_id: str, refund_id: str, intent_id: str, amount: int) -> None:
    """Write the attempt whose key the provider will see, and stage its job."""
    attempts.ensure(tx, order_id, "refund", {"intent": intent_id, "amount": amount}, refund_id=refund_id)
    outbox.stage(tx, jobs.REFUND_PAYMENT, unique_key=f"{jobs.REFUND_PAYMENT.name}:{refund_id}", refund_id=refund_id)


def _refundable_payment(tx: Tx, order: Order) -> Payment:
    if order.amount_captured == 0:
        raise WrongState(order.id, order.status, "refunded: nothing was captured")
    return max(log.payments_of(tx, [order.id]), key=lambda payment: payment.captured_minor)


def _needs_approval(tx: Tx, order_id: str, amount: int, actor: str, from_minor: int | None) -> bool:
    return from_minor is not None and amount + refundable.given_alone(tx, order_id, actor) >= from_minor


def _lines(order: Order, wish: RefundWish, left: Mapping[str, LineLeft]) -> Sequence[RefundLine]:
    """The wanted pieces, each no more than was bought and not yet refunded. `refund_id` is filled in later."""
    wanted: dict[str, int] = {}
    for line in wish.lines:
        wanted[line.line_id] = wanted.get(line.line_id, 0) + line.quantity
    if not wanted and wish.restock:
        # Without a word about lines everything goes back on the shelf that has not gone back before.
        wanted = {line.id: line.pieces_left for line in left.values()}
    found: list[RefundLine] = []
    for line_id, quantity in wanted.items():
        line = left.get(line_id)
        if line is None:
            raise UnknownLine(order.id, line_id)
        if quantity > line.pieces_left:
            raise RefundTooLarge(f"order {order.id}: line {line_id} has not {quantity} pieces left to refund")
        if quantity > 0:
            found.append(RefundLine("", line_id, quantity, line.price_of(quantity)))
    return found
