"""The clocks of orders: a bank's page that nobody comes back from, a card's deadline, outcomes that nobody knows."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from db import outbox
from db.database import Database, Tx
from db.outbox import Job
from shop import jobs
from shop.payments.clocks.guards import DECLINES_OF_ORDER
from shop.payments.clocks.turns import Turns
from shop.payments.orders import cancel
from shop.payments.orders.fact import Fact
from shop.payments.orders.facts import apply
from shop.payments.queries import facts as log
from shop.payments.queries import orders, watching
from shop.payments.terms import Terms

Act = Callable[..., bool]
"""Takes a transaction and the names of what was found, answers whether it did anything."""

BITE = 200
"""Rows of a kind in one run: the next minute takes the rest."""

WORKER_S = 150.0
"""Longer than a job may run (120 s): a worker that has not answered by then is gone."""

DEADLINE_NEAR = timedelta(hours=24)
"""A working day to pack and capture, or to ask the customer for another card."""

OVER_FOR_S = 300.0
"""Stripe voids a payment within minutes of its deadline and says so; after that we ask."""

LOOK_AGAIN_S = 3600.0

SETUPS_KEPT = timedelta(days=30)
"""Stripe forgets an unfinished SetupIntent no sooner; nobody finishes one by then."""


def watch(db: Database, terms: Terms) -> dict[str, int]:
    """Look everywhere once; answers how much of each kind was found. It asks nobody outside; the jobs it stages do.

    Raises OrdersFailed at the end if something was wrong with some orders.
    """
    turns = Turns()
    found = {
        "lapsed": _each(db, turns, _lapsed(db, terms), _call_try_off),
        "card_testers": _each(db, turns, _card_testers(db), _call_order_off),
        "deadlines": _watch_deadlines(db),
        "looks": _stage_looks(db),
        "unknown": _note_lost_workers(db),
        "setups": _delete_setups(db),
    }
    turns.end()
    return found


def _lapsed(db: Database, terms: Terms) -> list[tuple[str, str, str | None]]:
    with db.transaction() as tx:
        return watching.waiting_at_bank(tx, longer_than_s=terms.authenticates.total_seconds(), limit=BITE)


def _call_try_off(tx: Tx, order_id: str, payment_id: str, method: str | None) -> bool:
    """The bank's page stays open over there as long as the payment does: who finishes there late has paid after all."""
    order = orders.lock_order(tx, order_id)
    if order is None or order.status != "requires_action":
        return False
    at = orders.clock(tx)
    lapse = Fact(
        kind="action.lapsed",
        source="system",
        source_key=f"lapsed:{payment_id}:{at.isoformat()}",
        seen_at=at,
        subject=payment_id,
        data={"method": method},
    )
    return apply(tx, order_id, [lapse]).moved


def _card_testers(db: Database) -> list[tuple[str]]:
    with db.transaction() as tx:
        return [(order_id,) for order_id in watching.card_testers(tx, declines=DECLINES_OF_ORDER, limit=BITE)]


def _call_order_off(tx: Tx, order_id: str) -> bool:
    """Its payment can be tried from any browser that has the secret, past our own limits: only voiding it ends that."""
    order = orders.lock_order(tx, order_id)
    if order is None or order.status not in {"awaiting_payment", "requires_action", "payment_failed"}:
        return False
    cancel.wish(tx, order, "too_many_declines")
    return True


def _watch_deadlines(db: Database) -> int:
    with db.transaction() as tx:
        near = watching.running_out(tx, within_s=DEADLINE_NEAR.total_seconds(), limit=BITE)
        for order_id, capture_method in near:
            if capture_method == "automatic":
                _stage(tx, jobs.CAPTURE_PAYMENT, [order_id])
            _warn(tx, order_id)
    return len(near)


def _warn(tx: Tx, order_id: str) -> None:
    """Staff, once: the goods are packed in time or the money is gone."""
    if log.claim_effect(tx, order_id, "mail_capture_due"):
        key = f"mail:capture_due:{order_id}"
        job_id = outbox.stage(tx, jobs.SEND_MAIL, unique_key=key, kind="capture_due", subject_id=order_id)
        log.name_effect_job(tx, order_id, "mail_capture_due", "1", job_id)


def _stage_looks(db: Database) -> int:
    with db.transaction() as tx:
        stale = watching.being_decided(tx, limit=BITE)
        stale += watching.run_out(tx, for_s=OVER_FOR_S, again_s=LOOK_AGAIN_S, limit=BITE)
        return _stage(tx, jobs.LOOK_AT_PAYMENTS, stale)


def _note_lost_workers(db: Database) -> int:
    with db.transaction() as tx:
        return watching.given_up_by_workers(tx, quiet_s=WORKER_S, limit=BITE)


def _delete_setups(db: Database) -> int:
    with db.transaction() as tx:
        return watching.delete_dead_setups(tx, older_than_s=SETUPS_KEPT.total_seconds(), limit=BITE)


def _stage(tx: Tx, job: Job, order_ids: Iterable[str]) -> int:
    staged = 0
    for order_id in order_ids:
        outbox.stage(tx, job, unique_key=f"{job.name}:{order_id}", order_id=order_id)
        staged += 1
    return staged


def _each(db: Database, turns: Turns, found: Iterable[tuple[str, *tuple[str | None, ...]]], act: Act) -> int:
    """One order, the first of its names, in one transaction: whatever is wrong with it holds up no other."""
    return sum(turns.take(names[0], partial(_act, db, act, names)) for names in found)


def _act(db: Database, act: Act, names: tuple[str | None, ...]) -> bool:
    with db.transaction() as tx:
        return act(tx, *names)
