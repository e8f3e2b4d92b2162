"""What puts right by itself what stands still: lost news, stuck orders, unknown outcomes, unpaid orders."""

from collections.abc import Iterable
from functools import partial

from db import outbox
from db.database import Database, Tx
from db.outbox import Job
from shop import jobs
from shop.payments.clocks.turns import Turns
from shop.payments.errors import IllegalMove, Implausible
from shop.payments.news import give_back
from shop.payments.news.catching_up import catch_up
from shop.payments.orders import cancel
from shop.payments.orders.attempts import JOBS
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.queries import deliveries, orders, returns, sweeping
from shop.ports.gateway import Gateway
from shop.progress import Progress, unheard

BITE = 200
"""Rows of a kind in one sweep: a few seconds of work; the next sweep takes the rest."""

QUIET_S = 120.0
"""Longer than a job may run: whatever stood still for this long is not just being worked on."""

PENDING_REFUND_S = 3600.0
"""Banks take days; an hour is often enough to look."""

FEE_QUIET_S = 60.0
"""Stripe knows the fee a moment after the capture."""

FEE_AGAIN_S = 6 * 3600.0
"""What is not known by then is settled in another currency, most likely: a few more looks are enough."""

UNPAID = frozenset({"awaiting_payment", "requires_action", "payment_failed"})


def sweep(db: Database, gateway: Gateway, progress: Progress = unheard) -> dict[str, int]:
    """Look everywhere once; answers how much of each kind was found. Needs no lock: all it does is idempotent.

    What needs the provider comes last, so that the rest is done while the provider is away. Raises what the gateway
    raises then, and OrdersFailed at the end if something was wrong with some orders.
    """
    turns = Turns()
    with db.transaction() as tx:
        found = _restage(tx)
    found["overdue"] = _call_off_overdue(db, turns)
    found["strays"] = _void_strays(db, turns)
    found |= catch_up(db, gateway, progress)
    found["fees"] = _fetch_fees(db, gateway, turns)
    turns.end()
    return found


def _restage(tx: Tx) -> dict[str, int]:
    placing = sweeping.stuck_placing(tx, quiet_s=QUIET_S, limit=BITE)
    capturing = sweeping.stuck_capturing(tx, quiet_s=QUIET_S, limit=BITE)
    unreleased = sweeping.unreleased(tx, quiet_s=QUIET_S, limit=BITE)
    pending = sweeping.pending_refunds(tx, quiet_s=PENDING_REFUND_S, limit=BITE)
    return {
        "deliveries": _restage_deliveries(tx),
        "returns": _restage_returns(tx),
        "placing": _stage_all(tx, jobs.PLACE_ORDER, placing),
        "capturing": _stage_all(tx, jobs.CAPTURE_PAYMENT, capturing),
        "unreleased": _stage_all(tx, jobs.RELEASE_STOCK, unreleased),
        "refunds_pending": _stage_refunds(tx, pending),
        "undecided": _restage_attempts(tx),
    }


def _restage_deliveries(tx: Tx) -> int:
    waiting = deliveries.waiting(tx, received_for_s=QUIET_S, limit=BITE)
    for delivery_id in waiting:
        key = f"{jobs.READ_DELIVERY.name}:{delivery_id}"
        outbox.stage(tx, jobs.READ_DELIVERY, unique_key=key, delivery_id=delivery_id)
    return len(waiting)


def _restage_returns(tx: Tx) -> int:
    waiting = returns.undecided(tx, quiet_s=QUIET_S, limit=BITE)
    for return_id in waiting:
        give_back.stage(tx, return_id)
    return len(waiting)


def _restage_attempts(tx: Tx) -> int:
    attempts = sweeping.undecided(tx, quiet_s=QUIET_S, limit=BITE)
    for attempt in attempts:
        if attempt.refund_id is not None:
            _stage_refunds(tx, [attempt.refund_id])
        else:
            _stage_all(tx, JOBS[attempt.operation], [attempt.order_id])
    return len(attempts)


def _stage_all(tx: Tx, job: Job, order_ids: Iterable[str]) -> int:
    staged = 0
    for order_id in order_ids:
        outbox.stage(tx, job, unique_key=f"{job.name}:{order_id}", order_id=order_id)
        staged += 1
    return staged


def _stage_refunds(tx: Tx, refund_ids: Iterable[str]) -> int:
    staged = 0
    for refund_id in refund_ids:
        key = f"{jobs.REFUND_PAYMENT.name}:{refund_id}"
        outbox.stage(tx, jobs.REFUND_PAYMENT, unique_key=key, refund_id=refund_id)
        staged += 1
    return staged


def _call_off_overdue(db: Database, turns: Turns) -> int:
    with db.transaction() as tx:
        overdue = sweeping.overdue(tx, limit=BITE)
    return sum(turns.take(order_id, partial(_call_off, db, order_id)) for order_id in overdue)


def _call_off(db: Database, order_id: str) -> bool:
    """One order in one transaction: whatever is wrong with it holds up no other."""
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None or order.status not in UNPAID:
            return False
        cancel.wish(tx, order, "unpaid")
        return True


def _void_strays(db: Database, turns: Turns) -> int:
    """A second payment of an order that was paid: nobody shall hold money for it."""
    with db.transaction() as tx:
        strays = sweeping.strays(tx, quiet_s=QUIET_S, limit=BITE)
    return sum(turns.take(order_id, partial(_void_stray, db, order_id, intent_id)) for order_id, intent_id in strays)


def _void_stray(db: Database, order_id: str, intent_id: str) -> bool:
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            return False
        cancel.wish(tx, order, "superseded", intent_id=intent_id)
        return True


def _fetch_fees(db: Database, gateway: Gateway, turns: Turns) -> int:
    with db.transaction() as tx:
        wanted = sweeping.without_fee(tx, quiet_s=FEE_QUIET_S, again_s=FEE_AGAIN_S, limit=BITE)
    return sum(
        turns.take(order_id, partial(_fetch_fee, db, gateway, order_id, payment_id)) for order_id, payment_id in wanted
    )


def _fetch_fee(db: Database, gateway: Gateway, order_id: str, payment_id: str) -> bool:
    with db.transaction() as tx:
        asked_at = orders.clock(tx)
    seen = gateway.payment(payment_id)
    if seen is None or seen.fee is None:
        with db.transaction() as tx:
            sweeping.note_fee_look(tx, payment_id)
        return False
    try:
        with db.transaction() as tx:
            apply(tx, order_id, [payment_seen(seen, source="sweep", key="fee", seen_at=asked_at)])
    except (IllegalMove, Implausible):
        return False  # the reconciliation shows it to a person
    return True
