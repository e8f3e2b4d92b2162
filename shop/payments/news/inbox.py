"""Reading the provider's news: the object is looked up and is the truth, the notice was only a nudge."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotYet
from shop.payments.cards import methods
from shop.payments.disputes.disputing import dispute_seen
from shop.payments.errors import IllegalMove, Implausible
from shop.payments.news import adopting, give_back
from shop.payments.news.delivery import MoneyBack, summary
from shop.payments.news.receive import OURS
from shop.payments.orders.facts import apply, is_ours, payment_seen, refund_seen
from shop.payments.orders.fold import Fact
from shop.payments.queries import deliveries, orders, orphans, returns, tallies
from shop.payments.queries import facts as log
from shop.payments.rows import Delivery
from shop.payments.settlement import payouts
from shop.ports.gateway import Gateway, GatewayRefused, PaymentSeen

PARKED_FOR = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440, 2880))
"""Most of what cannot be placed is only early; what still cannot after four days is an orphan: a person decides."""

GIVE_UP_AFTER = 40
"""Tries that ended in an error of our own: three jobs that died of it. More will not help, a person has to see it."""


def inbox(db: Database, gateway: Gateway, delivery_id: str) -> str | None:
    """Read one delivery; answers what became of it. Safe to repeat: facts count once."""
    with db.transaction() as tx:
        delivery = deliveries.begin(tx, delivery_id)
        asked_at = orders.clock(tx)
    if delivery is None:
        return None  # settled already
    if delivery.attempts > GIVE_UP_AFTER:
        return _park(db, delivery, f"it could not be read in {GIVE_UP_AFTER} tries: its jobs say why", for_good=True)
    try:
        return _read(db, gateway, delivery, asked_at)
    except NotYet:
        with db.transaction() as tx:
            deliveries.uncount(tx, delivery_id)
        raise
    except GatewayRefused as refused:
        return _park(db, delivery, f"the provider refused the question: {refused.vendor_code}")


def _read(db: Database, gateway: Gateway, delivery: Delivery, asked_at: datetime) -> str:
    kind = delivery.type or ""
    if kind.startswith(payouts.NEWS):
        return _settle(db, delivery, *payouts.take_news(db))
    if delivery.adopt_into is None and not kind.startswith((*OURS, *methods.NEWS)):
        return _settle(db, delivery, "ignored", "not a kind of news that changes an order")
    if delivery.object_id is None:
        return _park(db, delivery, "malformed: it names no object", for_good=True)
    if kind.startswith(methods.NEWS):
        return _take_cards(db, gateway, delivery)
    seen = _look(gateway, delivery)
    if seen is None:
        return _park(db, delivery, "the provider does not know the object")
    return _take(db, gateway, delivery, seen, asked_at)


def _look(gateway: Gateway, delivery: Delivery) -> PaymentSeen | None:
    if delivery.payment_ref is not None:
        return gateway.payment(delivery.payment_ref)
    if delivery.object_kind == "charge" and delivery.object_id is not None:
        return gateway.payment_of_charge(delivery.object_id)
    return None


def _take(db: Database, gateway: Gateway, delivery: Delivery, seen: PaymentSeen, asked_at: datetime) -> str:
    if delivery.adopt_into is not None:
        return _adopt(db, gateway, delivery, seen, asked_at)
    shown = summary(seen, asked_at)
    with db.transaction() as tx:
        # A payment we know is its order's, whatever stands on it by now.
        order_id = log.order_of_payment(tx, seen.id) or (seen.order_id if is_ours(seen.order_id) else None)
        known = order_id is not None and orders.order(tx, order_id) is not None
        back = _on_its_way_back(tx, seen)
    if back is not None:
        return _take_returned(db, gateway, delivery, back, shown)
    if order_id is None:
        return _settle(db, delivery, "ignored", "foreign: the payment carries no order of ours", seen=shown)
    if not known:
        return _park(db, delivery, f"there is no order {order_id[:40]} (yet)", seen=shown)
    facts = _facts(gateway, delivery, seen, asked_at)
    try:
        with db.transaction() as tx:
            orders.lock_order(tx, order_id)
            # Asked again under the order's lock, which whoever gives the money back holds as well: a payment whose
            # money is about to leave must not become the order's.
            back = _on_its_way_back(tx, seen)
            if back is None:
                apply(tx, order_id, facts)
                _end(tx, delivery, "applied", None, order_id=order_id, seen=shown)
    except (IllegalMove, Implausible) as refused:
        return _park(db, delivery, str(refused), order_id=order_id, seen=shown)
    return "applied" if back is None else _take_returned(db, gateway, delivery, back, shown)


def _on_its_way_back(tx: Tx, seen: PaymentSeen) -> MoneyBack | None:
    """The decision to give its money back to the payer, where there is one that stands."""
    back = returns.of_payment(tx, seen.id)
    return back if back is not None and back.outcome in {None, "succeeded"} else None


def _take_returned(
    db: Database, gateway: Gateway, delivery: Delivery, back: MoneyBack, shown: Mapping[str, Any]
) -> str:
    """Its money went back to the payer: nothing more to do, unless the refund bounced."""
    bounced, told = give_back.heard(db, gateway, back)
    if bounced:
        return _park(db, delivery, told, for_good=True, order_id=back.order_id, seen=shown)
    return _settle(db, delivery, "ignored", told, order_id=back.order_id, seen=shown)


def _adopt(db: Database, gateway: Gateway, delivery: Delivery, seen: PaymentSeen, asked_at: datetime) -> str:
    """Make it a payment of the order that a person chose, if it still fits; then read the rest of its news."""
    order_id, shown = str(delivery.adopt_into), summary(seen, asked_at)
    facts = _facts(gateway, delivery, seen, asked_at)
    try:
        with db.transaction() as tx:
            if why := adopting.why_not_now(tx, delivery, shown, seen.id):
                raise Implausible(why)
            apply(tx, order_id, [adopting.adopted(tx, delivery, seen.id, seen.order_id, asked_at), *facts])
            others = orphans.lock(tx, delivery.id, seen.id)
            orphans.reopen(tx, others, attempts=0)
            for other in others:
                outbox.stage(tx, jobs.READ_DELIVERY, delivery_id=other)
            _end(tx, delivery, "applied", None, order_id=order_id, seen=shown)
    except (IllegalMove, Implausible) as refused:
        why = str(refused)
        with db.transaction() as tx:
            apply(tx, order_id, [adopting.refused(tx, delivery, why, asked_at)])
        return _park(db, delivery, f"it could not be adopted: {why}", for_good=True, seen=shown)
    return "applied"


def _take_cards(db: Database, gateway: Gateway, delivery: Delivery) -> str:
    state, reason = methods.take(db, gateway, delivery)
    if state == "parked":
        return _park(db, delivery, reason or "not yet")
    return _settle(db, delivery, state, reason)


def _facts(gateway: Gateway, delivery: Delivery, seen: PaymentSeen, asked_at: datetime) -> list[Fact]:
    """The payment, and all its refunds and disputes where there are any: news of those may name only the charge."""
    key = delivery.event_id or delivery.id
    facts = [payment_seen(seen, source="delivery", key=key, seen_at=asked_at)]
    if seen.refunded > 0 or not (delivery.type or "").startswith("payment_intent."):
        found = gateway.refunds_of(seen.id)
        facts += [refund_seen(refund, source="delivery", key=key, seen_at=asked_at) for refund in found]
    if seen.disputed:
        disputes = gateway.disputes_of(seen.id)
        facts += [dispute_seen(dispute, source="delivery", key=key, seen_at=asked_at) for dispute in disputes]
    return facts


def _settle(
    db: Database,
    delivery: Delivery,
    state: str,
    reason: str | None,
    *,
    order_id: str | None = None,
    seen: Mapping[str, Any] | None = None,
) -> str:
    with db.transaction() as tx:
        _end(tx, delivery, state, reason, order_id=order_id, seen=seen)
    return state


def _end(
    tx: Tx,
    delivery: Delivery,
    state: str,
    reason: str | None,
    *,
    order_id: str | None,
    seen: Mapping[str, Any] | None,
) -> None:
    if deliveries.settle(tx, delivery.id, state=state, reason=reason, order_id=order_id, seen=seen):
        tallies.count(tx, ("state", state))


def _park(
    db: Database,
    delivery: Delivery,
    reason: str,
    *,
    for_good: bool = False,
    order_id: str | None = None,
    seen: Mapping[str, Any] | None = None,
) -> str:
    """Wait for what it needs; after the last delay (or `for_good`) only a person takes it up again."""
    tries = delivery.attempts - 1
    wait = PARKED_FOR[tries] if tries < len(PARKED_FOR) and not for_good else None
    with db.transaction() as tx:
        parked = deliveries.park(
            tx,
            delivery.id,
            reason=reason,
            order_id=order_id,
            wait_s=wait.total_seconds() if wait else None,
            seen=seen,
        )
        if parked and wait is None:
            tallies.count(tx, ("state", "orphan"))
    return "parked" if wait else "orphan"
