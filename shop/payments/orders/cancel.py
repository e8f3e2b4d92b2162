"""Calling an order off before its money is taken: the payment is voided, the goods go back."""

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.payments.errors import AlreadyCaptured, OrderNotFound, WrongState
from shop.payments.orders import attempts
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.orders.fold import Fact
from shop.payments.orders.moves import CALLED_OFF, TAKEN
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import facts as log
from shop.payments.queries import orders
from shop.payments.rows import Order
from shop.ports.gateway import Gateway, GatewayRefused, OutcomeUnknown, PaymentSeen


def ask_cancel(db: Database, order_id: str, *, reason: str, actor: str) -> Order:
    """Wish to call the order off; one that is off already stays as it is. `reason` is customer or support.

    Raises OrderNotFound, AlreadyCaptured, or WrongState while it is still being placed.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        if order.status in TAKEN or order.status == "capturing":
            raise AlreadyCaptured(order_id)
        if order.status == "placing":
            raise WrongState(order_id, order.status, "canceled yet")
        if order.status not in CALLED_OFF:
            wish(tx, order, reason, source="customer" if reason == "customer" else "staff", actor=actor)
        after = orders.order(tx, order_id)
        assert after is not None
        return after


def wish(
    tx: Tx, order: Order, reason: str, *, source: str = "system", actor: str | None = None, intent_id: str | None = None
) -> None:
    """Write the attempt, the fact and the job, for the payment that counts or the one named. The caller holds the
    order's lock.
    """
    intent_id = intent_id or log.payment_that_counts(tx, order.id).intent_id
    body = {"intent": intent_id, "reason": reason, "wish": attempts.new_wish()}
    attempt = attempts.ensure(tx, order.id, "cancel", body)
    fact = Fact(
        kind="cancel.asked",
        source=source,
        source_key=f"asked:{attempt.body['wish']}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=attempt.body["intent"],
        data={"wish": attempt.body["wish"], "reason": reason},
    )
    apply(tx, order.id, [fact])
    outbox.stage(tx, jobs.CANCEL_ORDER, unique_key=f"{jobs.CANCEL_ORDER.name}:{order.id}", order_id=order.id)


def cancel(db: Database, gateway: Gateway, order_id: str) -> str | None:
    """Void the payment; answers the order's status. Raises AlreadyCaptured if the money was taken meanwhile."""
    asking = attempts.begin(db, order_id, "cancel")
    if asking is None:
        return None
    with attempts.in_doubt(db, asking.attempt):
        seen, outcome, error_code = _ask(db, gateway, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        attempt_rows.close(tx, asking.attempt.id, outcome=outcome, provider_object=seen.id, error_code=error_code)
        change = apply(tx, order_id, _facts(asking, seen))
        if outcome == "succeeded" and change.state.status not in TAKEN | CALLED_OFF:
            # A second payment of the same order is still open: it goes the same way.
            wish(tx, change.before, asking.attempt.body["reason"])
        elif change.state.status == "authorized":
            # The capture stood back for the cancellation; now it may go on.
            key = f"{jobs.CAPTURE_PAYMENT.name}:{order_id}"
            outbox.stage(tx, jobs.CAPTURE_PAYMENT, unique_key=key, order_id=order_id)
    if outcome == "refused" and change.state.status in TAKEN:
        raise AlreadyCaptured(order_id)
    return change.state.status


def _ask(db: Database, gateway: Gateway, asking: attempts.Asking) -> tuple[PaymentSeen, str, str | None]:
    attempt = asking.attempt
    intent, reason = attempt.body["intent"], attempt.body["reason"]
    if reason == "unpaid":
        # Nobody asked for it but the clock: a payment that came at the last minute is better than none.
        seen = gateway.payment(intent)
        if seen is not None and seen.status in {"processing", "requires_capture", "succeeded", "canceled"}:
            return seen, "succeeded" if seen.status == "canceled" else "abandoned", None
    elif asking.look_first:
        return _look(db, gateway, asking, "its key may have been forgotten")
    try:
        return gateway.cancel_payment(intent, reason=reason, key=attempt.provider_key), "succeeded", None
    except GatewayRefused as refused:
        seen = gateway.payment(intent)
        if seen is None or seen.status not in {"succeeded", "canceled", "processing"}:
            raise
        return seen, "succeeded" if seen.status == "canceled" else "refused", refused.vendor_code
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, asking, str(unknown))
        raise


def _look(db: Database, gateway: Gateway, asking: attempts.Asking, why: str) -> tuple[PaymentSeen, str, str | None]:
    seen = gateway.payment(asking.attempt.body["intent"])
    if seen is not None and seen.status in {"canceled", "succeeded"}:
        return seen, "succeeded" if seen.status == "canceled" else "refused", None
    with db.transaction() as tx:
        attempts.renew(tx, asking.attempt, why)
    raise OutcomeUnknown(f"order {asking.attempt.order_id}: asking again under a new key")


def _facts(asking: attempts.Asking, seen: PaymentSeen) -> list[Fact]:
    attempt = asking.attempt
    facts = [payment_seen(seen, source="answer", key=attempt.id, seen_at=asking.asked_at)]
    if seen.status != "canceled":
        dropped = {"wish": attempt.body["wish"]}
        facts.append(Fact("cancel.dropped", "system", f"dropped:{attempt.id}", asking.asked_at, data=dropped))
    return facts
