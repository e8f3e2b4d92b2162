"""Taking the money: the goods leave the stock first; if they are gone, the payment is voided instead."""

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.money import Money
from shop.payments.errors import AlreadyCaptured, CaptureTooLarge, NotPayable, OrderNotFound, WrongState
from shop.payments.orders import attempts, cancel
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.orders.fold import Fact
from shop.payments.orders.moves import CALLED_OFF, TAKEN
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import facts as log
from shop.payments.queries import orders
from shop.payments.rows import Order, Payment
from shop.ports.gateway import Gateway, GatewayRefused, OutcomeUnknown, PaymentSeen
from shop.ports.neighbours import Products, ReservationGone

CAPTURABLE = frozenset({"authorized", "capturing"})


def ask_capture(db: Database, order_id: str, *, amount: int | None, actor: str) -> Order:
    """Capture at shipping time. Less than authorised releases the rest.

    Raises OrderNotFound, AlreadyCaptured, WrongState, CaptureTooLarge or NotPayable.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        if order.status in TAKEN or order.status == "capturing":
            raise AlreadyCaptured(order_id)
        if order.status != "authorized":
            raise WrongState(order_id, order.status, "captured")
        payment = log.payment_that_counts(tx, order_id)
        if amount is not None and amount > payment.capturable_minor:
            raise CaptureTooLarge(f"order {order_id}: {payment.capturable_minor} can be captured, not {amount}")
        if amount is not None and not Money(amount, payment.currency).payable:
            raise NotPayable(f"{Money(amount, payment.currency)} cannot be captured: cards know no such fraction of it")
        _wish(tx, payment, amount or payment.capturable_minor, actor=actor)
        key = f"{jobs.CAPTURE_PAYMENT.name}:{order_id}"
        outbox.stage(tx, jobs.CAPTURE_PAYMENT, unique_key=key, order_id=order_id)
        after = orders.order(tx, order_id)
        assert after is not None
        return after


def capture(db: Database, gateway: Gateway, products: Products, order_id: str) -> str | None:
    """Commit the goods, then capture; answers the order's status. Safe to repeat and to run twice at once.

    An order that is captured at shipping time gets its goods when it is authorised: a reservation lasts minutes, the
    way to the shipping table days.
    """
    with db.transaction() as tx:
        order = _claim(tx, order_id)
    if order is None:
        _take_goods_of_paid(db, products, order_id)
        return _settle_leftover(db, gateway, order_id)
    if order.stock == "reserved" and not _commit_stock(db, products, order):
        return "authorized"
    asking = attempts.begin(db, order_id, "capture")
    if asking is None:
        return None
    with attempts.in_doubt(db, asking.attempt):
        seen, outcome, error_code = _ask(db, gateway, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        attempt_rows.close(
            tx, asking.attempt.id, outcome=outcome, provider_object=seen.charge_id, error_code=error_code
        )
        fact = payment_seen(seen, source="answer", key=asking.attempt.id, seen_at=asking.asked_at)
        return apply(tx, order_id, [fact]).state.status


def _claim(tx: Tx, order_id: str) -> Order | None:
    """The order if its goods or its money are to be taken, with the wish for the money written down."""
    order = orders.lock_order(tx, order_id)
    if order is None:
        raise OrderNotFound(order_id)
    if order.status not in CAPTURABLE or order.stock == "lost":
        return None
    if attempt_rows.undecided(tx, order_id, "cancel") is not None:
        return None  # voiding was asked for first; whichever the provider does, the facts will say
    if order.stock == "reserved":
        # Claimed before the Product service is asked: whoever gives goods back sees that they may be gone by now.
        log.claim_effect(tx, order_id, "stock_commit")
    wished = attempt_rows.undecided(tx, order_id, "capture") is not None
    if not wished and (order.capture_method == "automatic" or order.status == "capturing"):
        payment = log.payment_that_counts(tx, order_id)
        _wish(tx, payment, payment.capturable_minor, actor=None)
    return order


def _take_goods_of_paid(db: Database, products: Products, order_id: str) -> None:
    """The money was taken without us, by an adopted payment or in the dashboard: now the goods are due.

    If they are gone the order says so (`stock` is lost), and a person refunds it.
    """
    with db.transaction() as tx:
        order = orders.lock_order(tx, order_id)
        if order is None or order.status not in TAKEN or order.stock != "reserved":
            return
        log.claim_effect(tx, order_id, "stock_commit")
    _commit_stock(db, products, order)


def _settle_leftover(db: Database, gateway: Gateway, order_id: str) -> str | None:
    """The news was quicker than our repeat: the order went on while its capture was undecided. Now it is decided."""
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
    if order is None or order.status in CAPTURABLE:
        return None
    asking = attempts.begin(db, order_id, "capture")
    if asking is None:
        return None
    seen = gateway.payment(asking.attempt.body["intent"])
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        outcome = "succeeded" if seen is not None and seen.captured > 0 else "abandoned"
        attempt_rows.close(tx, asking.attempt.id, outcome=outcome)
        if seen is None:
            return order.status
        fact = payment_seen(seen, source="answer", key=asking.attempt.id, seen_at=asking.asked_at)
        return apply(tx, order_id, [fact]).state.status


def _wish(tx: Tx, payment: Payment, amount: int, *, actor: str | None) -> None:
    attempt = attempts.ensure(tx, payment.order_id, "capture", {"intent": payment.intent_id, "amount": amount})
    fact = Fact(
        kind="capture.asked",
        source="staff" if actor else "system",
        source_key=f"asked:{attempt.id}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=payment.intent_id,
        amount_minor=amount,
        currency=payment.currency,
        data={"attempt": attempt.id},
    )
    apply(tx, payment.order_id, [fact])


def _commit_stock(db: Database, products: Products, order: Order) -> bool:
    """Whether the goods are ours for good. If they are gone, the void is staged with that fact."""
    try:
        products.commit(order.id)
        kind = "stock.committed"
    except ReservationGone:
        kind = "stock.lost"
    with db.transaction() as tx:
        orders.lock_order(tx, order.id)
        log.end_effect(tx, order.id, "stock_commit")
        fact = Fact(kind=kind, source="system", source_key=kind, seen_at=orders.clock(tx))
        status = apply(tx, order.id, [fact]).state.status
        if kind == "stock.lost" and status not in CALLED_OFF | TAKEN:
            _void(tx, order)
    return kind == "stock.committed"


def _void(tx: Tx, order: Order) -> None:
    """The goods are gone: let go of the money before it is taken, so that nobody has to be refunded."""
    if attempt := attempt_rows.undecided(tx, order.id, "capture"):
        attempt_rows.close(tx, attempt.id, outcome="abandoned", error="the goods were gone")
    if log.claim_effect(tx, order.id, "void"):
        cancel.wish(tx, order, "out_of_stock")


def _ask(db: Database, gateway: Gateway, asking: attempts.Asking) -> tuple[PaymentSeen, str, str | None]:
    """The payment afterwards, how it went, and the provider's word where it went wrong."""
    attempt = asking.attempt
    intent, amount = attempt.body["intent"], attempt.body["amount"]
    if asking.look_first:
        return _look(db, gateway, asking, "its key may have been forgotten")
    try:
        return gateway.capture_payment(intent, amount=amount, key=attempt.provider_key), "succeeded", None
    except GatewayRefused as refused:
        # Captured by somebody else, voided, or run out: what it is now decides, not what we wished.
        seen = gateway.payment(intent)
        if seen is None or seen.status == "requires_capture":
            raise
        return seen, "refused", refused.vendor_code
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            return _look(db, gateway, asking, str(unknown))
        raise


def _look(db: Database, gateway: Gateway, asking: attempts.Asking, why: str) -> tuple[PaymentSeen, str, str | None]:
    seen = gateway.payment(asking.attempt.body["intent"])
    if seen is not None and seen.status != "requires_capture":
        return seen, "succeeded", None
    with db.transaction() as tx:
        attempts.renew(tx, asking.attempt, why)
    raise OutcomeUnknown(f"order {asking.attempt.order_id}: asking again under a new key")
