"""What follows from an order's state. Each effect has a row with a unique key, so it follows once."""

from db import outbox
from db.database import Tx
from db.outbox import Job
from shop import jobs
from shop.payments.fold import State
from shop.payments.queries import facts as log
from shop.payments.queries import refunds
from shop.payments.rows import Order


def up(tx: Tx, order: Order, state: State) -> None:
    """Stage what the state asks for and nobody has staged before. The caller holds the order's lock."""
    if state.captured > 0:
        _once(tx, order, "cart_clear", jobs.CLEAR_CART, order_id=order.id)
        _once(tx, order, "invoice", jobs.ISSUE_INVOICE, order_id=order.id)
    elif state.status == "authorized" and order.capture_method == "automatic" and state.stock != "lost":
        _once(tx, order, "capture", jobs.CAPTURE_PAYMENT, order_id=order.id)
    if state.status in {"rejected", "canceled", "expired"} and state.stock in {"reserved", "committed"}:
        _once(tx, order, "stock_release", jobs.RELEASE_STOCK, order_id=order.id)
    for refund in state.refunds:
        if refund.status == "succeeded":
            _refunded(tx, order, refund.key)


def _refunded(tx: Tx, order: Order, key: str) -> None:
    refund = refunds.refund_by_key(tx, key)
    if refund is None:
        return
    _once(tx, order, "credit_note", jobs.ISSUE_CREDIT_NOTE, generation=refund.id, refund_id=refund.id)
    if refund.restock:
        _once(tx, order, "restock", jobs.RELEASE_STOCK, generation=refund.id, order_id=order.id, refund_id=refund.id)


def _once(tx: Tx, order: Order, kind: str, job: Job, *, generation: str = "1", **args: str) -> None:
    if log.claim_effect(tx, order.id, kind, generation):
        job_id = outbox.stage(tx, job, unique_key=f"{job.name}:{order.id}:{generation}", **args)
        log.name_effect_job(tx, order.id, kind, generation, job_id)
