"""What people do about news that could not be placed: look again, give it an order, close it, give the money back.

Each act is a row with who and why, and a fact in the log of the order it is about, where there is one.
"""

from collections.abc import Sequence
from typing import Any

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotFound, Rejected
from shop.ids import new_id
from shop.payments.errors import OrderNotFound
from shop.payments.news import give_back
from shop.payments.news.adopting import why_not
from shop.payments.news.delivery import KeptDelivery
from shop.payments.news.inbox import PARKED_FOR
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import facts as log
from shop.payments.queries import orders, orphans, returns, tallies

WAITING = frozenset({"parked", "orphan"})
"""News that nobody has settled. Both may be decided about: a person need not wait four days."""

RETRIABLE = WAITING | {"ignored"}
"""Also what was put aside: a newer version may know what to do with it."""

ONE_MORE = len(PARKED_FOR)
"""Tries that count as made when a person has it read again: it does not wait another four days to come back."""


NOTED = {"retry": "delivery.retried", "dismiss": "delivery.dismissed", "refund": "return.asked"}
"""The fact of each act, in the log of the order that the delivery is about."""


class DeliverySettled(Rejected):
    """The delivery is in a state in which nothing can be decided about it any more."""

    code = "delivery_settled"

    def __init__(self, delivery: KeptDelivery, wish: str) -> None:
        super().__init__(f"delivery {delivery.id} is {delivery.state} and cannot be {wish}")


class NotAdoptable(Rejected):
    """The payment does not fit the order, or has an owner."""

    code = "not_adoptable"


class NotReturnable(Rejected):
    """There is no money to give back, or it is an order's: then the order is refunded."""

    code = "not_returnable"


def retry(db: Database, delivery_id: str, *, actor: str, reason: str | None = None) -> KeptDelivery:
    """Have it read again now. Raises NotFound or DeliverySettled."""
    with db.transaction() as tx:
        delivery = _found(tx, delivery_id, RETRIABLE, "read again")
        _act(tx, [delivery_id], "retry", actor=actor, reason=reason, order_id=delivery.order_id)
        orphans.reopen(tx, [delivery_id], attempts=ONE_MORE)
        outbox.stage(tx, jobs.READ_DELIVERY, delivery_id=delivery_id)
        return _read(tx, delivery_id)


def adopt(db: Database, delivery_id: str, order_id: str, *, actor: str, reason: str) -> KeptDelivery:
    """Make its payment one of the order's, by a job that looks at the payment again.

    Amount, currency, the payment's state and the order's are compared first. Raises NotFound, OrderNotFound,
    DeliverySettled or NotAdoptable.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        delivery = _found(tx, delivery_id, RETRIABLE, "adopted", order_id=order_id)
        payment = _free_payment(tx, delivery)
        if delivery.seen is None:
            raise NotAdoptable(f"delivery {delivery_id}: nobody has seen its payment yet; have it read again first")
        if why := why_not(order, delivery.seen):
            raise NotAdoptable(why)
        act_id = _act(tx, [delivery_id], "adopt", actor=actor, reason=reason, order_id=order_id, noted=False)
        data = {"delivery": delivery_id, "reason": reason[:500]}
        apply(tx, order_id, [_fact(tx, "adoption.asked", act_id, actor, payment, data)])
        orphans.reopen(tx, [delivery_id], attempts=ONE_MORE, adopt_into=order_id)
        outbox.stage(tx, jobs.READ_DELIVERY, delivery_id=delivery_id)
        return _read(tx, delivery_id)


def dismiss(db: Database, delivery_id: str, *, actor: str, reason: str) -> KeptDelivery:
    """Close it and all waiting news of its payment, for good. Raises NotFound or DeliverySettled."""
    with db.transaction() as tx:
        delivery = _found(tx, delivery_id, WAITING, "dismissed")
        ids = [delivery_id, *orphans.lock(tx, delivery_id, delivery.payment_ref)]
        _act(tx, ids, "dismiss", actor=actor, reason=reason, order_id=delivery.order_id)
        closed = orphans.close(tx, ids, state="dismissed", reason=f"dismissed by {actor}: {reason}")
        tallies.count_many(tx, {("state", "dismissed"): closed})
        return _read(tx, delivery_id)


def refund(db: Database, delivery_id: str, *, actor: str, reason: str) -> KeptDelivery:
    """Give the payment's money back by a job: refunded if it was captured, voided if it is only held.

    For money that belongs to no order. Raises NotFound, DeliverySettled or NotReturnable.
    """
    with db.transaction() as tx:
        delivery = _found(tx, delivery_id, WAITING, "given back")
        payment = delivery.payment_ref
        if payment is None or delivery.seen is None:
            raise NotReturnable(f"delivery {delivery_id}: the provider knows of no payment of it")
        if owner := log.order_of_payment(tx, payment):
            raise NotReturnable(f"the payment is order {owner}'s: refund the order")
        ids = [delivery_id, *orphans.lock(tx, delivery_id, payment)]
        return_id = new_id("orf")
        made = returns.insert(
            tx,
            return_id=return_id,
            payment=payment,
            delivery_id=delivery_id,
            order_id=delivery.order_id,
            actor=actor,
            reason=reason,
        )
        if not made or orphans.being_adopted(tx, payment):
            raise NotReturnable("the payment is being adopted, or its money is on its way back already")
        _act(tx, ids, "refund", actor=actor, reason=reason, order_id=delivery.order_id)
        orphans.close(tx, ids, state="returning", reason=f"its money is on its way back ({return_id}): {reason}")
        give_back.stage(tx, return_id)
        return _read(tx, delivery_id)


def _found(tx: Tx, delivery_id: str, states: frozenset[str], wish: str, *, order_id: str | None = None) -> KeptDelivery:
    """The delivery with its order and its payment's others held, if something may be decided about it."""
    delivery = orphans.one(tx, delivery_id)
    if delivery is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    named = delivery.order_id or (delivery.seen or {}).get("names_order")
    if order_id is None and named is not None:
        # Also an order that nobody knew when its news came: the job that reads them holds it while it decides.
        orders.lock_order(tx, named)
    orphans.lock(tx, delivery_id, delivery.payment_ref)
    delivery = _read(tx, delivery_id)
    if delivery.state not in states:
        raise DeliverySettled(delivery, wish)
    return delivery


def _free_payment(tx: Tx, delivery: KeptDelivery) -> str:
    payment = delivery.payment_ref
    if payment is None:
        raise NotAdoptable(f"delivery {delivery.id} is about no payment")
    if owner := log.order_of_payment(tx, payment) or orphans.being_adopted(tx, payment):
        raise NotAdoptable(f"the payment is order {owner}'s already")
    back = returns.of_payment(tx, payment)
    if back is not None and back.outcome in {None, "succeeded"}:
        raise NotAdoptable(f"the payment's money is on its way back, or is back ({back.id})")
    return payment


def _act(
    tx: Tx,
    delivery_ids: Sequence[str],
    act: str,
    *,
    actor: str,
    reason: str | None,
    order_id: str | None,
    noted: bool = True,
) -> str:
    """Write the act down for each delivery, and as a fact of the order; answers the first one's id."""
    acts = [(new_id("act"), delivery_id) for delivery_id in delivery_ids]
    orphans.insert_acts(tx, acts, act=act, actor=actor, reason=reason, order_id=order_id)
    act_id, delivery_id = acts[0]
    if noted and order_id is not None:
        data = {"delivery": delivery_id, "reason": reason and reason[:500]}
        apply(tx, order_id, [_fact(tx, NOTED[act], act_id, actor, None, data)])
    return act_id


def _fact(tx: Tx, kind: str, act_id: str, actor: str, payment: str | None, data: dict[str, Any]) -> Fact:
    return Fact(
        kind=kind,
        source="operator",
        source_key=f"act:{act_id}",
        seen_at=orders.clock(tx),
        actor=actor[:200],
        subject=payment,
        data=data,
    )


def _read(tx: Tx, delivery_id: str) -> KeptDelivery:
    found = orphans.one(tx, delivery_id)
    assert found is not None, "deliveries are not deleted while somebody decides about them"
    return found
