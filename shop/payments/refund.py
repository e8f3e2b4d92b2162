"""Giving money back: reserved on the order before it is asked for, so that two at once never exceed what was taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.ids import new_id
from shop.payments import attempts
from shop.payments.errors import (
    DisputeOpen,
    NothingToRefund,
    OrderNotFound,
    RefundableChanged,
    RefundTooLarge,
    WrongState,
)
from shop.payments.facts import apply, refund_seen
from shop.payments.fold import Fact
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import facts as log
from shop.payments.queries import orders, refunds
from shop.payments.rows import Order, Payment, Refund, RefundLine
from shop.ports.gateway import CardDeclined, Gateway, GatewayRefused, OutcomeUnknown, RefundSeen


@dataclass(frozen=True, slots=True)
class LineWish:
    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RefundWish:
    """`amount` None is the price of `lines`, or without lines all that is left.

    `expected_refundable` is what the caller saw: if it is different now, somebody else was quicker.
    """

    reason: str
    expected_refundable: int
    amount: int | None = None
    lines: tuple[LineWish, ...] = ()
    restock: bool = False


def ask_refund(db: Database, order_id: str, wish: RefundWish, *, actor: str) -> Refund:
    """Reserve the amount and stage the refund.

    Raises OrderNotFound, WrongState, DisputeOpen, RefundableChanged, RefundTooLarge or NothingToRefund.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        payment = _refundable_payment(tx, order)
        if order.disputed:
            raise DisputeOpen(f"order {order_id}: the bank holds its money, or keeps it")
        if wish.expected_refundable != order.refundable:
            raise RefundableChanged(order_id, wish.expected_refundable, order.refundable)
        lines = _lines(tx, order, wish)
        amount = _amount(order, wish, lines)
        return _reserve(tx, order, payment, wish, amount, lines, actor)


def refund(db: Database, gateway: Gateway, refund_id: str) -> str | None:
    """Ask for one refund, or look what became of a pending one; answers its status. Safe to repeat."""
    with db.transaction() as tx:
        row = refunds.refund(tx, refund_id)
    if row is None:
        return None
    asking = attempts.begin(db, row.order_id, "refund", refund_id=refund_id)
    if asking is None:
        return _look_again(db, gateway, row)
    seen, refused = _ask(db, gateway, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, row.order_id)
        outcome = "refused" if refused else "succeeded"
        attempt_rows.close(tx, asking.attempt.id, outcome=outcome, provider_object=seen and seen.id, error_code=refused)
        apply(tx, row.order_id, [_fact(asking, seen, refused)])
        after = refunds.refund(tx, refund_id)
        return after.status if after else None


def _refundable_payment(tx: Tx, order: Order) -> Payment:
    if order.amount_captured == 0:
        raise WrongState(order.id, order.status, "refunded: nothing was captured")
    return max(log.payments_of(tx, [order.id]), key=lambda payment: payment.captured_minor)


def _lines(tx: Tx, order: Order, wish: RefundWish) -> list[RefundLine]:
    """The wanted pieces, each no more than was bought and not yet refunded. `refund_id` is filled in later."""
    bought = {line.id: line for line in orders.lines_of(tx, [order.id])}
    gone = refunds.refunded_pieces(tx, order.id)
    wanted: dict[str, int] = {}
    for line in wish.lines:
        wanted[line.line_id] = wanted.get(line.line_id, 0) + line.quantity
    if not wanted and wish.restock:
        # Without a word about lines everything goes back on the shelf that has not gone back before.
        wanted = {line.id: line.quantity - gone.get(line.id, 0) for line in bought.values()}
    found: list[RefundLine] = []
    for line_id, quantity in wanted.items():
        line = bought.get(line_id)
        if line is None or quantity > line.quantity - gone.get(line_id, 0):
            raise RefundTooLarge(f"order {order.id}: line {line_id} has not {quantity} pieces left to refund")
        if quantity > 0:
            found.append(RefundLine("", line_id, quantity, line.unit_price_minor * quantity))
    return found


def _amount(order: Order, wish: RefundWish, lines: Sequence[RefundLine]) -> int:
    amount = wish.amount
    if amount is None:
        amount = sum(line.amount_minor for line in lines) if wish.lines else order.refundable
    if amount <= 0:
        raise NothingToRefund(f"order {order.id}: there is nothing to refund")
    if amount > order.refundable:
        raise RefundTooLarge(f"order {order.id}: {order.refundable} is left to refund, not {amount}")
    return amount


def _reserve(
    tx: Tx,
    order: Order,
    payment: Payment,
    wish: RefundWish,
    amount: int,
    lines: Sequence[RefundLine],
    actor: str,
) -> Refund:
    refund_id = new_id("ref")
    refunds.insert_refund(
        tx,
        refund_id=refund_id,
        order_id=order.id,
        payment_id=payment.id,
        amount_minor=amount,
        currency=payment.currency,
        reason=wish.reason,
        restock=wish.restock,
        requested_by=actor,
    )
    refunds.insert_refund_lines(
        tx, [RefundLine(refund_id, line.line_id, line.quantity, line.amount_minor) for line in lines]
    )
    attempts.ensure(tx, order.id, "refund", {"intent": payment.intent_id, "amount": amount}, refund_id=refund_id)
    apply(tx, order.id, [_asked(tx, refund_id, payment, amount, wish.reason, actor)])
    outbox.stage(tx, jobs.REFUND_PAYMENT, unique_key=f"{jobs.REFUND_PAYMENT.name}:{refund_id}", refund_id=refund_id)
    row = refunds.refund(tx, refund_id)
    assert row is not None, "it was inserted in this transaction"
    return row


def _asked(tx: Tx, refund_id: str, payment: Payment, amount: int, reason: str, actor: str) -> Fact:
    return Fact(
        kind="refund.asked",
        source="staff",
        source_key=f"asked:{refund_id}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=payment.intent_id,
        amount_minor=amount,
        currency=payment.currency,
        data={"refund": refund_id, "payment": payment.intent_id, "reason": reason},
    )


def _ask(db: Database, gateway: Gateway, asking: attempts.Asking) -> tuple[RefundSeen | None, str | None]:
    """The refund as it is now, or the provider's word why there is none."""
    attempt = asking.attempt
    intent = attempt.body["intent"]
    assert attempt.refund_id is not None
    if asking.look_first:
        return _look(db, gateway, asking, "its key may have been forgotten"), None
    try:
        seen = gateway.refund_payment(
            intent,
            amount=attempt.body["amount"],
            order_id=attempt.order_id,
            refund_id=attempt.refund_id,
            key=attempt.provider_key,
        )
    except GatewayRefused as refused:
        return None, refused.vendor_code
    except CardDeclined as declined:
        return None, declined.decline.code
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, asking, str(unknown)), None
        raise
    return seen, None


def _look(db: Database, gateway: Gateway, asking: attempts.Asking, why: str) -> RefundSeen:
    """The refund that carries our id; if there is none, it was never made and may be asked for under a new key."""
    for seen in gateway.refunds_of(asking.attempt.body["intent"]):
        if seen.refund_id == asking.attempt.refund_id:
            return seen
    with db.transaction() as tx:
        attempts.renew(tx, asking.attempt, why)
    raise OutcomeUnknown(f"refund {asking.attempt.refund_id}: asking again under a new key")


def _fact(asking: attempts.Asking, seen: RefundSeen | None, refused: str | None) -> Fact:
    attempt = asking.attempt
    if seen is not None:
        return refund_seen(seen, source="answer", key=attempt.id, seen_at=asking.asked_at)
    return Fact(
        kind="refund.refused",
        source="answer",
        source_key=f"refused:{attempt.id}",
        seen_at=asking.asked_at,
        subject=attempt.body["intent"],
        amount_minor=attempt.body["amount"],
        data={"refund": attempt.refund_id, "payment": attempt.body["intent"], "failure_code": refused},
    )


def _look_again(db: Database, gateway: Gateway, row: Refund) -> str:
    """A refund that was pending when we last heard of it."""
    if row.status != "pending" or row.provider_refund_id is None:
        return row.status
    with db.transaction() as tx:
        asked_at = orders.clock(tx)
    seen = gateway.refund(row.provider_refund_id)
    if seen is None or seen.status in {"pending", "requires_action"}:
        return row.status
    with db.transaction() as tx:
        apply(
            tx, row.order_id, [refund_seen(seen, source="sweep", key=f"look:{asked_at.isoformat()}", seen_at=asked_at)]
        )
        after = refunds.refund(tx, row.id)
    return after.status if after else row.status
