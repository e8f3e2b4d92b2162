"""What follows from an order's state. Each effect has a row with a unique key, so it follows once."""

from collections.abc import Callable, Sequence

from db import outbox
from db.database import Tx
from shop import jobs
from shop.payments.away import failed_while_away
from shop.payments.fold import Fact, RefundState, State
from shop.payments.moves import CALLED_OFF
from shop.payments.queries import facts as log
from shop.payments.queries import refunds
from shop.payments.rows import Order


def up(tx: Tx, order: Order, state: State, facts: Sequence[Fact]) -> None:
    """Stage what the state and its facts ask for and nobody has staged before. The caller holds the order's lock."""
    order_id = order.id
    if state.captured > 0:
        _once(tx, order_id, "cart_clear", lambda: outbox.stage(tx, jobs.CLEAR_CART, order_id=order_id))
        _once(tx, order_id, "invoice", lambda: outbox.stage(tx, jobs.ISSUE_INVOICE, order_id=order_id))
    elif state.status == "authorized" and state.stock != "lost":
        # Also where the money waits for the shipping: the goods are taken now, their reservation would not last.
        _once(tx, order_id, "capture", lambda: outbox.stage(tx, jobs.CAPTURE_PAYMENT, order_id=order_id))
    if state.status in CALLED_OFF and state.stock in {"reserved", "committed"}:
        _once(tx, order_id, "stock_release", lambda: outbox.stage(tx, jobs.RELEASE_STOCK, order_id=order_id))
    if state.status in {"canceled", "expired"}:
        _mail(tx, order_id, "order_canceled")
    if failed_while_away(facts):
        _mail(tx, order_id, "payment_failed")
    for refund in state.refunds:
        if refund.status == "succeeded":
            _refunded(tx, order_id, refund)


def _mail(tx: Tx, order_id: str, kind: str) -> None:
    """The letter is written when it is sent, and only if it is true by then."""
    key = f"mail:{kind}:{order_id}"
    _once(
        tx,
        order_id,
        f"mail_{kind}",
        lambda: outbox.stage(tx, jobs.SEND_MAIL, unique_key=key, kind=kind, subject_id=order_id),
    )


def _refunded(tx: Tx, order_id: str, state: RefundState) -> None:
    refund = refunds.row_of(tx, state)
    if refund is None:
        return
    refund_id = refund.id
    _once(
        tx,
        order_id,
        "credit_note",
        lambda: outbox.stage(tx, jobs.ISSUE_CREDIT_NOTE, refund_id=refund_id),
        generation=refund_id,
    )
    if refund.restock:
        _once(
            tx,
            order_id,
            "restock",
            lambda: outbox.stage(tx, jobs.RELEASE_STOCK, order_id=order_id, refund_id=refund_id),
            generation=refund_id,
        )


def _once(tx: Tx, order_id: str, kind: str, stage: Callable[[], str], *, generation: str = "1") -> None:
    if log.claim_effect(tx, order_id, kind, generation):
        log.name_effect_job(tx, order_id, kind, generation, stage())
