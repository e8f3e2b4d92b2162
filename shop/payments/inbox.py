"""News from the provider: kept as it came, then looked up: the object is the truth, the notice only a nudge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.ids import new_id
from shop.payments import methods
from shop.payments.disputing import dispute_seen
from shop.payments.errors import IllegalMove, Implausible
from shop.payments.facts import apply, is_ours, payment_seen, refund_seen
from shop.payments.fold import Fact
from shop.payments.queries import deliveries, orders
from shop.payments.queries import facts as log
from shop.payments.rows import Delivery
from shop.ports.gateway import Gateway, PaymentSeen
from shop.ports.notices import Event, SignedDelivery

OURS = ("payment_intent.", "charge.", "refund.")
"""Kinds of news that can change an order. The others are kept and put aside."""

PARKED_FOR = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440, 2880))
"""Most of what cannot be placed is only early; what still cannot after four days waits for a person."""

REFUSED_BODY_MAX = 4096
"""Bytes kept of a delivery whose signature is wrong: enough to see what it was, not enough to fill a disk with."""

REFUSED_AN_HOUR = 1000
"""Anybody can send those; beyond this many they are answered but no longer kept."""


@dataclass(frozen=True, slots=True)
class Received:
    """`new` is False for a repeat, which changes nothing."""

    new: bool
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a delivery came; `headers` only those that help to explain it."""

    body: bytes
    headers: Mapping[str, str]
    remote_address: str | None


def receive(db: Database, envelope: Envelope, signed: SignedDelivery) -> Received:
    """Store a delivery, good or bad, and stage the reading of a good one that is new."""
    with db.transaction() as tx:
        if signed.event is None:
            _keep_refused(tx, envelope, signed)
            return Received(new=False, refusal=signed.refusal or "refused")
        new = keep(tx, signed.event, "webhook", secret_label=signed.secret_label, envelope=envelope)
        return Received(new=new, refusal=None)


def keep(
    tx: Tx, event: Event, source: str, *, secret_label: str | None = None, envelope: Envelope | None = None
) -> bool:
    """Put an event into the inbox, whichever way it came. False if it is there already."""
    delivery_id = new_id("whd")
    inserted = deliveries.insert(
        tx,
        delivery_id=delivery_id,
        event=event,
        source=source,
        secret_label=secret_label,
        body=event.body,
        headers=envelope.headers if envelope else {},
        remote_address=envelope.remote_address if envelope else None,
    )
    if not inserted:
        deliveries.count_repeat(tx, event.id)
        return False
    outbox.stage(tx, jobs.READ_DELIVERY, delivery_id=delivery_id)
    return True


def inbox(db: Database, gateway: Gateway, delivery_id: str) -> str | None:
    """Read one delivery; answers what became of it. Safe to repeat: facts count once."""
    with db.transaction() as tx:
        delivery = deliveries.begin(tx, delivery_id)
        asked_at = orders.clock(tx)
    if delivery is None:
        return None  # settled already
    if (delivery.type or "").startswith(methods.NEWS):
        return _take_cards(db, gateway, delivery)
    if not (delivery.type or "").startswith(OURS):
        return _settle(db, delivery, "ignored", "not a kind of news that changes an order")
    seen = _look(gateway, delivery)
    if seen is None:
        return _park(db, delivery, "the provider does not know the object")
    return _take(db, gateway, delivery, seen, asked_at)


def _keep_refused(tx: Tx, envelope: Envelope, signed: SignedDelivery) -> None:
    if deliveries.refused_lately(tx) >= REFUSED_AN_HOUR:
        return
    deliveries.insert_refused(
        tx,
        delivery_id=new_id("whd"),
        reason=signed.refusal or "refused",
        secret_label=signed.secret_label,
        body=envelope.body[:REFUSED_BODY_MAX].decode("utf-8", "replace").replace("\x00", "�"),
        headers=envelope.headers,
        remote_address=envelope.remote_address,
    )


def _look(gateway: Gateway, delivery: Delivery) -> PaymentSeen | None:
    if delivery.payment_ref is not None:
        return gateway.payment(delivery.payment_ref)
    if delivery.object_kind == "charge" and delivery.object_id is not None:
        return gateway.payment_of_charge(delivery.object_id)
    return None


def _take(db: Database, gateway: Gateway, delivery: Delivery, seen: PaymentSeen, asked_at: datetime) -> str:
    with db.transaction() as tx:
        order_id = seen.order_id if is_ours(seen.order_id) else log.order_of_payment(tx, seen.id)
        known = order_id is not None and orders.order(tx, order_id) is not None
    if order_id is None:
        return _settle(db, delivery, "ignored", "foreign: the payment carries no order of ours")
    if not known:
        return _park(db, delivery, f"there is no order {order_id[:40]} (yet)")
    facts = _facts(gateway, delivery, seen, asked_at)
    try:
        with db.transaction() as tx:
            apply(tx, order_id, facts)
            deliveries.settle(tx, delivery.id, state="applied", reason=None, order_id=order_id)
    except (IllegalMove, Implausible) as refused:
        return _park(db, delivery, str(refused), order_id=order_id)
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


def _settle(db: Database, delivery: Delivery, state: str, reason: str | None) -> str:
    with db.transaction() as tx:
        deliveries.settle(tx, delivery.id, state=state, reason=reason, order_id=None)
    return state


def _park(db: Database, delivery: Delivery, reason: str, *, order_id: str | None = None) -> str:
    """Wait for what it needs; after the last delay only a person takes it up again."""
    tries = delivery.attempts - 1
    wait = PARKED_FOR[tries] if tries < len(PARKED_FOR) else None
    with db.transaction() as tx:
        deliveries.park(
            tx,
            delivery.id,
            reason=reason,
            order_id=order_id,
            wait_s=wait.total_seconds() if wait else None,
        )
    return "parked"
