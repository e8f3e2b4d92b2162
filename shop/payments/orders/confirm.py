"""Paying on the server: the wish to charge a payment method, and the job that asks for it once."""

from dataclasses import dataclass
from typing import Any

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.payments.clocks.guards import Guards
from shop.payments.errors import OrderNotFound, PaymentInProgress, WrongState
from shop.payments.orders import attempts
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.orders.fold import Fact
from shop.payments.orders.tries import UNTRIED
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import facts as log
from shop.payments.queries import methods, orders
from shop.payments.rows import Attempt, Order
from shop.payments.terms import Terms
from shop.ports.gateway import CardDeclined, Gateway, GatewayRefused, OutcomeUnknown, PaymentSeen

ASKS = "authentication_required"
"""The bank's word for: not without the customer."""

PAYABLE = frozenset({"awaiting_payment", "payment_failed", "requires_action"})


def ask_confirm(
    db: Database,
    terms: Terms,
    order_id: str,
    *,
    method: str,
    actor: str,
    guards: Guards | None = None,
    off_session: bool = False,
) -> Order:
    """Charge this payment method; `off_session`: without the customer, who gets a mail if the bank wants to see them.

    Raises OrderNotFound, PaymentInProgress, WrongState, or what the guards raise where there are any.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        if order.status == "processing":
            raise PaymentInProgress(order_id)
        if order.status not in PAYABLE:
            raise WrongState(order_id, order.status, "paid")
        if guards is not None:
            guards.check_try(tx, order.customer_id)
        wish(tx, order, method, terms.return_url, actor=actor, off_session=off_session)
        after = orders.order(tx, order_id)
        assert after is not None
        return after


def wish(tx: Tx, order: Order, method: str, return_url: str, *, actor: str | None, off_session: bool = False) -> None:
    """Write the attempt, the fact, and the job. The caller holds the order's lock.

    `method` is a token of the provider's, or our id of a card that the order's customer saved.
    """
    order_id = order.id
    payment = log.payment_that_counts(tx, order_id)
    saved = methods.card_to_pay_with(tx, order.customer_id, method)
    token = saved.provider_method_id if saved else method
    body: dict[str, Any] = {
        "intent": payment.intent_id,
        "method": token,
        "return_url": return_url,
        "wish": attempts.new_wish(),
    }
    if saved is not None:
        body["customer"] = saved.provider_customer_id
    if off_session:
        body["off_session"] = True
    attempt = attempts.ensure(tx, order_id, "confirm", body)
    fact = Fact(
        kind="confirm.asked",
        source="customer" if actor else "system",
        source_key=f"asked:{attempt.body['wish']}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=payment.intent_id,
        data={"wish": attempt.body["wish"], "method": method} | ({"off_session": True} if off_session else {}),
    )
    apply(tx, order_id, [fact])
    key = f"{jobs.CONFIRM_PAYMENT.name}:{order_id}"
    outbox.stage(tx, jobs.CONFIRM_PAYMENT, unique_key=key, order_id=order_id)


def confirm(db: Database, gateway: Gateway, order_id: str) -> str | None:
    """Ask for the undecided try to pay; answers the order's status. Safe to repeat: one attempt is one key."""
    asking = attempts.begin(db, order_id, "confirm")
    if asking is None:
        return None
    with attempts.in_doubt(db, asking.attempt):
        answer = _ask(db, gateway, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        attempt_rows.close(tx, asking.attempt.id, outcome=answer.outcome, error_code=answer.code)
        change = apply(tx, order_id, [_fact(asking, answer)])
        if asking.attempt.body.get("off_session") and answer.code == ASKS and change.state.status == "payment_failed":
            _ask_customer(tx, change.before, asking.attempt)
        return change.state.status


def _ask_customer(tx: Tx, order: Order, attempt: Attempt) -> None:
    """The bank wants to see the customer, and nobody is there: the same card again, with the bank's page this time.
    The payment waits there (`requires_action`), and a mail tells the customer the way.
    """
    wish(tx, order, attempt.body["method"], attempt.body["return_url"], actor=None)


@dataclass(frozen=True, slots=True)
class _Answer:
    """`seen` is the payment afterwards, None where the provider did not even try."""

    seen: PaymentSeen | None
    outcome: str
    code: str | None = None


def _ask(db: Database, gateway: Gateway, asking: attempts.Asking) -> _Answer:
    attempt = asking.attempt
    intent = attempt.body["intent"]
    if asking.look_first:
        return _look(db, gateway, attempt, "its key may have been forgotten")
    try:
        seen = gateway.confirm_payment(
            intent,
            method=attempt.body["method"],
            return_url=attempt.body["return_url"],
            key=attempt.provider_key,
            customer=attempt.body.get("customer"),
            off_session=attempt.body.get("off_session", False),
        )
    except CardDeclined as declined:
        return _Answer(declined.seen or gateway.payment(intent), "declined", declined.decline.code)
    except GatewayRefused as refused:
        # Paid in the browser meanwhile, perhaps: then what it is now counts, not that we came too late.
        seen = gateway.payment(intent)
        return _Answer(seen if seen and seen.status not in UNTRIED else None, "refused", refused.vendor_code)
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, attempt, str(unknown))
        raise
    return _Answer(seen, "succeeded")


def _look(db: Database, gateway: Gateway, attempt: Attempt, why: str) -> _Answer:
    """The key is of no more use: see what became of it, and try afresh if nothing did."""
    seen = gateway.payment(attempt.body["intent"])
    if seen is not None and (seen.decline or seen.status not in UNTRIED):
        return _Answer(seen, "succeeded")
    with db.transaction() as tx:
        attempts.renew(tx, attempt, why)
    raise OutcomeUnknown(f"order {attempt.order_id}: asking again under a new key")


def _fact(asking: attempts.Asking, answer: _Answer) -> Fact:
    attempt = asking.attempt
    wish_id = attempt.body["wish"]
    if answer.seen is not None:
        return payment_seen(answer.seen, source="answer", key=attempt.id, seen_at=asking.asked_at, wish=wish_id)
    return Fact(
        kind="confirm.refused",
        source="answer",
        source_key=f"refused:{attempt.id}",
        seen_at=asking.asked_at,
        data={"wish": wish_id, "code": answer.code},
    )
