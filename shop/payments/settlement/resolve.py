"""A person's word on a difference: accepted with a reason, or the provider's state taken over. Rows are only added."""

from dataclasses import dataclass
from typing import Literal

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.books.entries import Posting
from shop.payments.errors import AlreadyResolved, NotResolvable
from shop.payments.orders.correction import Correction, correct
from shop.payments.orders.fold import Fact
from shop.payments.queries import ledger as books
from shop.payments.queries import orders, settling
from shop.payments.queries import payouts as house
from shop.payments.queries import resolving as rows
from shop.payments.queries.payouts import HouseFact
from shop.payments.queries.reconciling import Difference
from shop.payments.settlement.balancing import likeness
from shop.payments.settlement.comparing import facts_of, look_at
from shop.payments.settlement.reconcile import Outcome, read_reconciliation
from shop.ports.gateway import Gateway

Action = Literal["accept", "take_over", "force"]
"""accept: it is so, and here is why; money is booked to the account `corrections`. take_over: look at the provider
again and take its state over as facts. force: the same, and the order may take a step that only a person may.
"""

MONEY = frozenset({"movement_unknown", "movement_foreign", "movement_differs", "entry_alone", "balance"})
"""Kinds of difference that are an amount: accepting one books it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who decides what about which difference, and why."""

    reconciliation_id: str
    position: int
    action: Action
    reason: str
    actor: str


def accept(db: Database, wish: Wish) -> Outcome:
    """It is so, and here is why; answers the reconciliation as it is then. Raises NotFound or AlreadyResolved."""
    with db.transaction() as tx:
        difference = _difference(tx, wish.reconciliation_id, wish.position)
        _decide(tx, wish, difference, difference.order_id, [])
    return read_reconciliation(db, wish.reconciliation_id)


def ask_resolution(db: Database, wish: Wish) -> str:
    """Write down a wish that needs a look at the provider and stage its job; answers the job. Raises NotFound."""
    key = new_id("wsh")
    with db.transaction() as tx:
        difference = _difference(tx, wish.reconciliation_id, wish.position)
        fact = HouseFact(
            chain="house",
            kind="difference.asked",
            source="operator",
            source_key=key,
            seen_at=orders.clock(tx),
            actor=wish.actor,
            subject=difference.object_id,
            data={
                "reconciliation": wish.reconciliation_id,
                "difference": wish.position,
                "action": wish.action,
                "reason": wish.reason,
            },
        )
        house.append(tx, fact)
        return outbox.stage(tx, jobs.RESOLVE_DIFFERENCE, wish_key=key)


def resolve(db: Database, gateway: Gateway, wish_key: str) -> Outcome:
    """Take the provider's state over, as somebody wished. Raises NotFound, NotResolvable, AlreadyResolved, and what
    facts raise that do not fit (IllegalMove, Implausible): then nothing is written. Safe to repeat.
    """
    with db.transaction() as tx:
        wish = _wish(tx, wish_key)
        difference = _difference(tx, wish.reconciliation_id, wish.position)
        if rows.is_resolved_so(tx, wish.reconciliation_id, wish.position, action=wish.action, reason=wish.reason):
            return read_reconciliation(db, wish.reconciliation_id)
        now = orders.clock(tx)
        payment_id = _payment(tx, difference)
    theirs = look_at(gateway, payment_id) if payment_id else None
    if theirs is None:
        raise NotResolvable("there is no payment over there whose state could be taken over: accept it instead")
    order_id = difference.order_id or theirs.payment.order_id
    if order_id is None:
        raise NotResolvable("the payment carries no order of ours: accept it instead")
    facts = facts_of(theirs, key=f"resolved:{wish.reconciliation_id}:{wish.position}", seen_at=now)
    with db.transaction() as tx:
        _decide(tx, wish, difference, order_id, facts)
    return read_reconciliation(db, wish.reconciliation_id)


def _difference(tx: Tx, reconciliation_id: str, position: int) -> Difference:
    found = rows.difference(tx, reconciliation_id, position)
    if found is None:
        raise NotFound(f"reconciliation {reconciliation_id} has no difference {position}")
    return found


def _wish(tx: Tx, key: str) -> Wish:
    fact = house.fact(tx, "house", key)
    if fact is None:
        raise NotFound(f"there is no wish {key}")
    said = fact.data or {}
    action: Action = "force" if said["action"] == "force" else "take_over"
    return Wish(said["reconciliation"], said["difference"], action, said["reason"], str(fact.actor))


def _payment(tx: Tx, difference: Difference) -> str | None:
    """The payment at the provider that a difference is about."""
    object_id = difference.object_id or ""
    if difference.kind.startswith("movement"):
        return settling.payment_of(tx, object_id)
    return object_id if object_id.startswith("pi_") else rows.payment_of_order(tx, difference.order_id or "")


def _decide(tx: Tx, wish: Wish, difference: Difference, order_id: str | None, facts: list[Fact]) -> None:
    if order_id is not None and orders.lock_order(tx, order_id) is None:
        order_id = None
    if order_id is None:
        house.hold(tx)
    entry_id = _book(tx, wish, difference, order_id) if wish.action == "accept" else None
    inserted = rows.insert_resolution(
        tx,
        resolution_id=new_id("rsl"),
        reconciliation_id=wish.reconciliation_id,
        position=wish.position,
        action=wish.action,
        reason=wish.reason,
        actor=wish.actor,
        likeness=likeness(difference),
        entry_id=entry_id,
    )
    if not inserted:
        raise AlreadyResolved(wish.reconciliation_id, wish.position)
    _write_down(tx, wish, difference, order_id, entry_id, facts)


def _book(tx: Tx, wish: Wish, difference: Difference, order_id: str | None) -> str | None:
    if difference.kind not in MONEY or not difference.amount_minor or difference.currency is None:
        return None
    subject = difference.object_id or ""
    cause = f"balance:{subject}:{wish.reconciliation_id}" if difference.kind == "balance" else subject
    lines = [
        Posting("stripe", difference.currency, difference.amount_minor),
        Posting("corrections", difference.currency, -difference.amount_minor),
    ]
    memo = f"{wish.actor}: {wish.reason}"
    return books.enter(tx, order_id=order_id, kind="correction", cause=f"correction:{cause}", lines=lines, memo=memo)


def _write_down(
    tx: Tx, wish: Wish, difference: Difference, order_id: str | None, entry_id: str | None, facts: list[Fact]
) -> None:
    """In the order's own log where it is about one, where its timeline shows it; else in the log of the house."""
    detail = {
        "reconciliation": wish.reconciliation_id,
        "difference": wish.position,
        "kind": difference.kind,
        "ours": difference.ours,
        "theirs": difference.theirs,
        "entry": entry_id,
    }
    what = "follow_provider" if wish.action == "force" else "booked" if entry_id else "explained"
    if order_id is not None:
        correct(tx, order_id, Correction(what, wish.actor, wish.reason, difference.object_id, detail), facts=facts)
        return
    fact = HouseFact(
        chain="house",
        kind="difference.resolved",
        source="operator",
        source_key=f"{wish.reconciliation_id}:{wish.position}",
        seen_at=orders.clock(tx),
        actor=wish.actor,
        subject=difference.object_id,
        amount_minor=difference.amount_minor,
        currency=difference.currency,
        data={"what": what, "reason": wish.reason, "detail": detail},
    )
    house.append(tx, fact)
