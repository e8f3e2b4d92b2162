"""A payment that names no order becomes one of an order's payments: whether it may, and the fact that it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from db.database import Tx
from shop.payments.news.delivery import Act
from shop.payments.orders.fold import Fact
from shop.payments.queries import facts as log
from shop.payments.queries import orders, orphans
from shop.payments.rows import Delivery, Order

OPEN_FOR_MONEY = frozenset({"awaiting_payment", "requires_action", "processing", "payment_failed"})
"""Priced, and nothing has paid for it yet. A payment given to any other order would be its second one, or come after
its end: that money goes back instead."""

WORTH_ADOPTING = frozenset({"requires_capture", "succeeded", "processing"})
"""Payments with money in them, or about to have it. The others pay for nothing."""


def why_not(order: Order, seen: Mapping[str, Any]) -> str | None:
    """What speaks against giving the payment to the order; `seen` as `delivery.summary` makes it."""
    if order.status not in OPEN_FOR_MONEY:
        return f"order {order.id} is {order.status}: no payment can be added to it"
    ours, theirs = (order.total_minor, order.currency), (seen["amount"], seen["currency"])
    if ours != theirs:
        return f"the payment is of {theirs[0]} {theirs[1]}, the order of {ours[0]} {ours[1]}"
    if seen["status"] not in WORTH_ADOPTING:
        return f"the payment is {str(seen['status'])[:40]}: it would pay for nothing"
    if seen["refunded"]:
        return "part of the payment was refunded already"
    if seen["disputed"]:
        return "the payment is disputed"
    return None


def why_not_now(tx: Tx, delivery: Delivery, seen: Mapping[str, Any], payment: str) -> str | None:
    """The same, asked by the job in the transaction that would do it. Takes the locks: the order first."""
    order = orders.lock_order(tx, str(delivery.adopt_into))
    orphans.lock(tx, delivery.id, payment)
    if order is None:
        return f"there is no order {delivery.adopt_into}"
    owner = log.order_of_payment(tx, payment)
    if owner == order.id:
        return None
    if owner is not None:
        return f"the payment is order {owner}'s by now"
    return why_not(order, seen)


def adopted(tx: Tx, delivery: Delivery, payment: str, named: str | None, at: datetime) -> Fact:
    """The fact, with who decided it and why."""
    act = _decision(tx, delivery)
    return Fact(
        kind="payment.adopted",
        source="operator",
        source_key=f"adopted:{payment}",
        seen_at=at,
        actor=act.actor,
        subject=payment,
        data={"delivery": delivery.id, "reason": act.reason, "named": named[:60] if named else None},
    )


def refused(tx: Tx, delivery: Delivery, why: str, at: datetime) -> Fact:
    """The fact that it could not be done."""
    act = _decision(tx, delivery)
    return Fact(
        kind="adoption.refused",
        source="system",
        source_key=f"refused:{act.id}",
        seen_at=at,
        subject=delivery.payment_ref,
        data={"delivery": delivery.id, "reason": why[:300]},
    )


def _decision(tx: Tx, delivery: Delivery) -> Act:
    return next(act for act in reversed(orphans.acts_of(tx, delivery.id)) if act.act == "adopt")
