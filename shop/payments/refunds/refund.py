"""Giving money back: one refund that was reserved before is asked for under its own key, as often as it takes."""

from db.database import Database
from shop.payments.orders import attempts
from shop.payments.orders.facts import apply, refund_seen
from shop.payments.orders.fold import Fact
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import orders, refunds
from shop.payments.refunds.refunding import LineWish, RefundWish, ask_refund
from shop.payments.rows import Refund
from shop.ports.gateway import CardDeclined, Gateway, GatewayRefused, OutcomeUnknown, RefundSeen

__all__ = ["LineWish", "RefundWish", "ask_refund", "refund"]

DISPUTE_OPEN = "dispute_open"
"""Why a refund that was reserved is not sent any more: the bank was quicker than our job."""


def refund(db: Database, gateway: Gateway, refund_id: str) -> str | None:
    """Ask for one refund, or look what became of a pending one; answers its status. Safe to repeat."""
    with db.transaction() as tx:
        row = refunds.refund(tx, refund_id)
    if row is None:
        return None
    asking = attempts.begin(db, row.order_id, "refund", refund_id=refund_id)
    if asking is None:
        return _look_again(db, gateway, row)
    with attempts.in_doubt(db, asking.attempt):
        seen, refused = _barred(db, asking) or _ask(db, gateway, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, row.order_id)
        outcome = "refused" if refused else "succeeded"
        attempt_rows.close(tx, asking.attempt.id, outcome=outcome, provider_object=seen and seen.id, error_code=refused)
        apply(tx, row.order_id, [_fact(asking, seen, refused)])
        after = refunds.refund(tx, refund_id)
        return after.status if after else None


def _barred(db: Database, asking: attempts.Asking) -> tuple[None, str] | None:
    """A refund that never left is not sent once a bank holds the money; one that may have is asked for again."""
    if asking.attempt.tries > 0:
        return None
    with db.transaction() as tx:
        order = orders.order(tx, asking.attempt.order_id)
    return (None, DISPUTE_OPEN) if order is not None and order.disputed else None


def _ask(db: Database, gateway: Gateway, asking: attempts.Asking) -> tuple[RefundSeen | None, str | None]:
    """The refund as it is now, or the provider's word why there is none."""
    attempt = asking.attempt
    intent = attempt.body["intent"]
    assert attempt.refund_id is not None
    if asking.look_first:
        return _look(db, gateway, asking, "its key may have been forgotten"), None
    try:
        seen = gateway.refund_payment(
            intent,
            amount=attempt.body["amount"],
            order_id=attempt.order_id,
            refund_id=attempt.refund_id,
            key=attempt.provider_key,
        )
    except GatewayRefused as refused:
        return None, refused.vendor_code
    except CardDeclined as declined:
        return None, declined.decline.code
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, asking, str(unknown)), None
        raise
    return seen, None


def _look(db: Database, gateway: Gateway, asking: attempts.Asking, why: str) -> RefundSeen:
    """The refund that carries our id; if there is none, it was never made and may be asked for under a new key."""
    for seen in gateway.refunds_of(asking.attempt.body["intent"]):
        if seen.refund_id == asking.attempt.refund_id:
            return seen
    with db.transaction() as tx:
        attempts.renew(tx, asking.attempt, why)
    raise OutcomeUnknown(f"refund {asking.attempt.refund_id}: asking again under a new key")


def _fact(asking: attempts.Asking, seen: RefundSeen | None, refused: str | None) -> Fact:
    attempt = asking.attempt
    if seen is not None:
        return refund_seen(seen, source="answer", key=attempt.id, seen_at=asking.asked_at)
    return Fact(
        kind="refund.refused",
        source="answer",
        source_key=f"refused:{attempt.id}",
        seen_at=asking.asked_at,
        subject=attempt.body["intent"],
        amount_minor=attempt.body["amount"],
        data={"refund": attempt.refund_id, "payment": attempt.body["intent"], "failure_code": refused},
    )


def _look_again(db: Database, gateway: Gateway, row: Refund) -> str:
    """A refund that was pending when we last heard of it."""
    if row.status != "pending" or row.provider_refund_id is None:
        return row.status
    with db.transaction() as tx:
        asked_at = orders.clock(tx)
    seen = gateway.refund(row.provider_refund_id)
    if seen is None or seen.status in {"pending", "requires_action"}:
        return row.status
    with db.transaction() as tx:
        apply(
            tx, row.order_id, [refund_seen(seen, source="sweep", key=f"look:{asked_at.isoformat()}", seen_at=asked_at)]
        )
        after = refunds.refund(tx, row.id)
    return after.status if after else row.status
