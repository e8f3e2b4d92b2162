"""Looking at the provider because nobody has told us: what became of an order's payments."""

from datetime import datetime, timedelta

from db import outbox
from db.database import Database
from shop import jobs
from shop.payments.orders.attempts import JOBS
from shop.payments.orders.facts import apply, payment_seen, would_change
from shop.payments.queries import facts as log
from shop.payments.queries import orders, watching
from shop.payments.read import OrderView
from shop.ports.gateway import Gateway

AT_MOST_EVERY_S = 30.0
"""How often readers of one order make somebody look. Stripe allows 100 looks a second for the whole shop."""

ENDED = frozenset({"succeeded", "canceled"})

OPEN = frozenset({"awaiting_payment", "requires_action", "processing", "payment_failed", "authorized", "capturing"})


def is_stale(view: OrderView, now: datetime) -> bool:
    """Whether a look may bring something new. A glance at what was read anyway; `ask_look` decides."""
    quiet = now - view.order.updated_at > timedelta(seconds=AT_MOST_EVERY_S)
    return quiet and (bool(view.doubts) or view.order.status in OPEN)


def ask_look(db: Database, order_id: str, status: str) -> bool:
    """Whether a look was staged. Somebody reads the order: what may be stale or is unknown is looked up now, though
    not for each reader. Nothing is asked of the provider here.
    """
    with db.transaction() as tx:
        unknown = watching.take_look(tx, order_id, every_s=AT_MOST_EVERY_S)
        for operation in unknown:
            job = JOBS[operation]
            outbox.stage(tx, job, unique_key=f"{job.name}:{order_id}", order_id=order_id)
        stale = status in OPEN and watching.take_payment_look(tx, order_id, every_s=AT_MOST_EVERY_S)
        if stale:
            key = f"{jobs.LOOK_AT_PAYMENTS.name}:{order_id}"
            outbox.stage(tx, jobs.LOOK_AT_PAYMENTS, unique_key=key, order_id=order_id)
        return bool(unknown) or stale


def look(db: Database, gateway: Gateway, order_id: str) -> str | None:
    """Ask for each payment of the order that is not over; answers the order's status. Only what is new is kept."""
    with db.transaction() as tx:
        payments = log.payments_of(tx, [order_id])
    for payment in payments:
        if payment.status not in ENDED:
            _look_at(db, gateway, order_id, payment.intent_id)
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
    return order.status if order else None


def _look_at(db: Database, gateway: Gateway, order_id: str, payment_id: str) -> None:
    with db.transaction() as tx:
        asked_at = orders.clock(tx)
    seen = gateway.payment(payment_id)
    if seen is None:
        return
    fact = payment_seen(seen, source="sweep", key=f"look:{asked_at.isoformat()}", seen_at=asked_at)
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        if would_change(tx, order_id, fact):
            apply(tx, order_id, [fact])
