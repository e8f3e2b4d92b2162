"""Money that belongs to no order goes back to its payer: refunded where it was captured, voided where it is held."""

from datetime import datetime

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.payments.news.delivery import MoneyBack
from shop.payments.orders.attempts import REPLAY_FOR
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import facts as log
from shop.payments.queries import orders, orphans, returns, tallies
from shop.ports.gateway import CardDeclined, Gateway, GatewayRefused, OutcomeUnknown, PaymentSeen, RefundSeen

BOUNCED = frozenset({"failed", "canceled"})


def give_back(db: Database, gateway: Gateway, return_id: str) -> str | None:
    """Look at the payment, decide what it needs, ask for it; answers what became of it. Safe to repeat.

    The plan and its key are committed before the provider is asked; a repeat within a day sends the same again, a later
    one looks first.
    """
    with db.transaction() as tx:
        back = returns.one(tx, return_id)
        owner = log.order_of_payment(tx, back.payment_ref) if back else None
    if back is None or back.outcome is not None:
        return None
    if owner is not None:
        return _close(db, back, "refused", error=f"the payment is order {owner}'s by now: refund the order")
    if back.operation is None:
        seen = gateway.payment(back.payment_ref)
        if ended := _plan(db, back, seen):
            return ended
    return _ask(db, gateway, return_id)


def heard(db: Database, gateway: Gateway, back: MoneyBack) -> tuple[bool, str]:
    """What news of such a payment mean: whether its refund bounced and a person must look again; and a sentence."""
    if back.outcome is None:
        return False, f"its money is on its way back ({back.id})"
    if back.operation == "refund" and back.provider_object is not None:
        refund = gateway.refund(back.provider_object)
        if refund is not None:
            bounced = refund.status in BOUNCED
            with db.transaction() as tx:
                outcome = "failed" if bounced else "succeeded"
                returns.note_status(tx, back.id, status=refund.status, outcome=outcome, error=refund.failure_code)
            if bounced:
                return True, f"its refund bounced: {refund.failure_code or refund.status} ({back.id})"
    return False, f"its money went back to the payer ({back.id})"


def stage(tx: Tx, return_id: str) -> None:
    outbox.stage(tx, jobs.GIVE_BACK, unique_key=f"{jobs.GIVE_BACK.name}:{return_id}", return_id=return_id)


def _plan(db: Database, back: MoneyBack, seen: PaymentSeen | None) -> str | None:
    """Write down what to ask for; answers the end if there is nothing to ask for."""
    if seen is None:
        return _close(db, back, "refused", error="the provider does not know the payment")
    if seen.disputed:
        return _close(db, back, "refused", error="the payment is disputed: the bank decides where its money goes")
    if seen.status == "canceled":
        return _close(db, back, "succeeded", provider_status="canceled", error="it was voided already")
    left = seen.captured - seen.refunded
    if seen.status == "succeeded" and left <= 0:
        return _close(db, back, "succeeded", provider_status="succeeded", error="all of it was refunded already")
    operation, amount = ("refund", left) if seen.status == "succeeded" else ("void", seen.amount)
    with db.transaction() as tx:
        returns.plan(tx, back.id, operation=operation, amount=amount, currency=seen.currency)
    return None


def _ask(db: Database, gateway: Gateway, return_id: str) -> str | None:
    with db.transaction() as tx:
        times = returns.begin(tx, return_id, replay_for_s=REPLAY_FOR.total_seconds())
        back = returns.one(tx, return_id)
    if times is None or back is None:
        return None
    if back.tries > 1 and _is_late(*times):
        return _look(db, gateway, back, "its key may have been forgotten")
    try:
        if back.operation == "refund":
            return _refunded(db, back, _refund(gateway, back))
        seen = gateway.cancel_payment(back.payment_ref, reason="orphan", key=str(back.provider_key))
    except (GatewayRefused, CardDeclined) as refused:
        return _refused(db, gateway, back, str(refused))
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, back, str(unknown))
        raise
    return _close(db, back, "succeeded", provider_object=seen.id, provider_status=seen.status)


def _is_late(asked_at: datetime, deadline: datetime) -> bool:
    return asked_at > deadline


def _refund(gateway: Gateway, back: MoneyBack) -> RefundSeen:
    assert back.amount_minor is not None
    return gateway.refund_payment(
        back.payment_ref, amount=back.amount_minor, order_id=None, refund_id=back.id, key=str(back.provider_key)
    )


def _refunded(db: Database, back: MoneyBack, refund: RefundSeen) -> str:
    if refund.status in BOUNCED:
        why = f"the refund is {refund.status}: {refund.failure_code or 'no reason given'}"
        return _close(db, back, "refused", provider_object=refund.id, provider_status=refund.status, error=why)
    return _close(db, back, "succeeded", provider_object=refund.id, provider_status=refund.status)


def _refused(db: Database, gateway: Gateway, back: MoneyBack, why: str) -> str:
    """What the payment is now decides: voided by somebody else is as good, captured meanwhile needs a refund."""
    seen = gateway.payment(back.payment_ref) if back.operation == "void" else None
    if seen is not None and seen.status == "canceled":
        return _close(db, back, "succeeded", provider_object=seen.id, provider_status=seen.status)
    if seen is not None and seen.status == "succeeded":
        _again(db, back)
        raise OutcomeUnknown(f"{back.id}: the payment was captured meanwhile, so it is refunded instead")
    return _close(db, back, "refused", error=why)


def _look(db: Database, gateway: Gateway, back: MoneyBack, why: str) -> str:
    """The refund that carries our id; if there is none it was never made, and the payment is looked at anew."""
    if back.operation == "refund":
        for refund in gateway.refunds_of(back.payment_ref):
            if refund.refund_id == back.id:
                return _refunded(db, back, refund)
    _again(db, back)
    raise OutcomeUnknown(f"{back.id}: asking again under a new key ({why})")


def _again(db: Database, back: MoneyBack) -> None:
    with db.transaction() as tx:
        returns.renew(tx, back.id)


def _close(
    db: Database,
    back: MoneyBack,
    outcome: str,
    *,
    provider_object: str | None = None,
    provider_status: str | None = None,
    error: str | None = None,
) -> str:
    """Write the end: for the deliveries that wait for it, and as a fact where the payment names an order of ours."""
    with db.transaction() as tx:
        if back.order_id is not None:
            orders.lock_order(tx, back.order_id)
        closed = returns.close(
            tx,
            back.id,
            outcome=outcome,
            provider_object=provider_object,
            provider_status=provider_status,
            error=error,
        )
        if not closed:
            return outcome
        if back.order_id is not None:
            data = {"return": back.id, "operation": back.operation, "outcome": outcome, "reason": error}
            fact = Fact(
                kind="return.ended",
                source="answer",
                source_key=f"ended:{back.id}",
                seen_at=orders.clock(tx),
                subject=back.payment_ref,
                amount_minor=back.amount_minor,
                currency=back.currency,
                data=data,
            )
            apply(tx, back.order_id, [fact])
        _release(tx, back, outcome, error)
    return outcome


def _release(tx: Tx, back: MoneyBack, outcome: str, error: str | None) -> None:
    waiting = orphans.returning(tx, back.payment_ref)
    if outcome == "succeeded":
        state, reason = "returned", f"its money went back to the payer ({back.id}){f': {error}' if error else ''}"
    else:
        state, reason = "orphan", f"its money could not be given back: {error} ({back.id})"
    if ended := orphans.close(tx, waiting, state=state, reason=reason):
        tallies.count_many(tx, {("state", state): ended})
