"""The one way an order changes: append facts, fold them all, write what they add up to, stage what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.database import Tx
from shop.payments.books import ledger
from shop.payments.errors import IllegalMove, Implausible, OrderNotFound
from shop.payments.orders import follow
from shop.payments.orders.fold import Fact, State, UnknownWord, fold, in_time, is_corrected
from shop.payments.orders.moves import reachable
from shop.payments.queries import disputes, orders, refunds
from shop.payments.queries import facts as log
from shop.payments.rows import Order
from shop.ports.gateway import PaymentSeen, RefundSeen

LONGEST_ID = 40
"""Characters the database gives an id; ours have 30."""


@dataclass(frozen=True, slots=True)
class Change:
    """The order as it was and the state it is in now."""

    before: Order
    state: State

    @property
    def moved(self) -> bool:
        return self.before.status != self.state.status


def apply(tx: Tx, order_id: str, facts: Sequence[Fact]) -> Change:
    """Take facts into account; each counts once, whenever it comes.

    The order's row is locked until the caller's transaction ends, so two at once apply one after the other. Raises
    OrderNotFound, IllegalMove or Implausible; then nothing is written.
    """
    order = orders.lock_order(tx, order_id)
    if order is None:
        raise OrderNotFound(order_id)
    new: list[Fact] = []
    for fact in facts:
        _check(tx, order, fact)
        if log.append(tx, order_id, fact):
            new.append(fact)
    known = in_time(log.facts_of(tx, order_id))
    state = _folded(order_id, known)
    if not reachable(order.status, state.status, corrected=is_corrected(known)):
        raise IllegalMove(order.id, order.status, state.status)
    _save(tx, order, state, {fact.subject: fact.fleeting for fact in facts if fact.subject})
    ledger.book(tx, order, state)
    follow.up(tx, order, state, known)
    if order.status != state.status:
        cause = _cause(known, new, state.status)
        log.note_move(tx, order_id, cause.source_key, before=order.status, after=state.status)
        orders.tell_change(tx, order_id)
    return Change(order, state)


def would_change(tx: Tx, order_id: str, fact: Fact) -> bool:
    """Whether the fact says anything new. A look that finds what is known already needs no row in a log that stays
    for ever. The caller holds the order's lock.
    """
    known = in_time(log.facts_of(tx, order_id))
    return _folded(order_id, known) != _folded(order_id, in_time([*known, fact]))


def is_ours(order_id: str | None) -> bool:
    """Whether what stands as order on a payment is an id of ours: other shops on the account use that name too."""
    return order_id is not None and order_id.startswith("ord_") and len(order_id) <= LONGEST_ID


def is_our_refund(refund_id: str | None) -> bool:
    """The same of a refund: two that another program made may well carry one name, and are two all the same."""
    return refund_id is not None and refund_id.startswith("ref_") and len(refund_id) <= LONGEST_ID


def payment_seen(seen: PaymentSeen, *, source: str, key: str, seen_at: datetime, wish: str | None = None) -> Fact:
    """The fact that a payment looked like this. `key` names the news at its source, `wish` the try it decides."""
    return Fact(
        kind="payment.seen",
        source=source,
        source_key=f"{key}:{seen.id}",
        seen_at=seen_at,
        subject=seen.id,
        amount_minor=seen.captured or seen.amount,
        currency=seen.currency,
        data=_payment_data(seen) | ({"wish": wish} if wish else {}),
        # Both hold the client secret, the second one in the address of the bank's page.
        fleeting={"client_secret": seen.client_secret, "next_action": seen.next_action},
    )


def refund_seen(seen: RefundSeen, *, source: str, key: str, seen_at: datetime) -> Fact:
    """The fact that a refund looked like this. One made elsewhere goes by the provider's id."""
    return Fact(
        kind="refund.seen",
        source=source,
        source_key=f"{key}:{seen.id}",
        seen_at=seen_at,
        subject=seen.id,
        amount_minor=seen.amount,
        currency=seen.currency,
        data={
            "refund": seen.refund_id if is_our_refund(seen.refund_id) else seen.id,
            "payment": seen.payment_id,
            "status": seen.status,
            "failure_code": seen.failure_code,
        },
    )


def _folded(order_id: str, known: Sequence[Fact]) -> State:
    try:
        return fold(known)
    except UnknownWord as unknown:
        raise Implausible(f"order {order_id}: {unknown}") from unknown


def _cause(known: Sequence[Fact], new: Sequence[Fact], status: str) -> Fact:
    """The fact that took the order to this status: of several learnt at once, the first one that leads there."""
    if len(new) == 1:
        return new[0]
    unseen = {fact.source_key for fact in new}
    so_far = [fact for fact in known if fact.source_key not in unseen]
    for fact in new:
        so_far.append(fact)
        if fold(so_far).status == status:
            return fact
    return new[-1] if new else known[-1]


def _payment_data(seen: PaymentSeen) -> dict[str, Any]:
    return {
        "status": seen.status,
        "amount": seen.amount,
        "currency": seen.currency,
        "order": seen.order_id,
        "capturable": seen.capturable,
        "captured": seen.captured,
        "charge_id": seen.charge_id,
        "capture_before": seen.capture_before.isoformat() if seen.capture_before else None,
        "card": _card(seen),
        "decline": {"code": seen.decline.code, "message": seen.decline.message} if seen.decline else None,
        "fee": seen.fee,
        "disputed": seen.disputed,
        "cancellation_reason": seen.cancellation_reason,
        "method": seen.method_id,
    }


def _card(seen: PaymentSeen) -> Mapping[str, Any] | None:
    if seen.card is None:
        return None
    card = seen.card
    return {"brand": card.brand, "last4": card.last4, "exp_month": card.exp_month, "exp_year": card.exp_year}


def _check(tx: Tx, order: Order, fact: Fact) -> None:
    """Amount, currency and order of every provider fact are compared with ours: a wrong one pays for nothing.

    A payment that a person gave to this order (`payment.adopted`) may name another one, or none.
    """
    if fact.kind == "payment.seen":
        ours = (order.total_minor, order.currency, order.id)
        named = fact.data["order"]
        if named != order.id and log.is_adopted(tx, order.id, str(fact.subject)):
            named = order.id
        theirs = (fact.data["amount"], fact.data["currency"], named)
        if ours != theirs:
            raise Implausible(f"order {order.id}: payment {fact.subject} says {theirs}, we say {ours}")
        if fact.data["captured"] > order.total_minor:
            raise Implausible(f"order {order.id}: more was captured than it costs")
    if fact.kind == "refund.seen" and fact.currency != order.currency:
        raise Implausible(f"order {order.id}: refund {fact.subject} is in {fact.currency}")


def _save(tx: Tx, order: Order, state: State, fleeting: Mapping[str, Mapping[str, Any]]) -> None:
    if state.captured < order.amount_captured:
        raise Implausible(f"order {order.id}: money that was captured stays captured; a refund gives it back")
    if state.captured > order.total_minor:
        raise Implausible(f"order {order.id}: its payments together captured more than it costs")
    if state.refunded + state.reserved > state.captured:
        raise Implausible(f"order {order.id}: more refunded than captured")
    for payment in state.payments:
        log.save_payment(tx, order.id, payment, fleeting.get(payment.id, {}))
    refunds.save_states(tx, order, state.refunds)
    disputes.save_states(tx, order.id, state.disputes)
    saved = orders.save_state(
        tx,
        order.id,
        before=order.status,
        status=state.status,
        status_reason=state.status_reason,
        stock=state.stock,
        rejection_code=state.rejection[0] if state.status == "rejected" and state.rejection else None,
        rejection_detail=state.rejection[1] if state.status == "rejected" and state.rejection else None,
        captured=state.captured,
        refunded=state.refunded,
        reserved=state.reserved,
        disputed=state.disputed,
        declined_tries=state.declined_tries,
    )
    assert saved, "the row is locked since it was read"
