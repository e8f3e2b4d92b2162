"""What follows from an order's state. Each effect has a row with a unique key, so it follows once."""

from collections.abc import Callable, Sequence

from db import outbox
from db.database import Tx
from shop import jobs
from shop.payments.clocks.away import asked_for_by_bank, failed_while_away
from shop.payments.disputes.disputing import DisputeState
from shop.payments.orders.fold import Fact, State
from shop.payments.orders.moves import CALLED_OFF
from shop.payments.queries import disputes, refunds
from shop.payments.queries import facts as log
from shop.payments.refunds.refund_states import RefundState
from shop.payments.rows import Order

DECIDED = {
    "won": "dispute_won",
    "lost": "dispute_lost",
    "warning_closed": "dispute_closed",
    "prevented": "dispute_closed",
}
"""The letters that say how a dispute ended."""


def up(tx: Tx, order: Order, state: State, facts: Sequence[Fact]) -> None:
    """Stage what the state and its facts ask for and nobody has staged before. The caller holds the order's lock."""
    order_id = order.id
    if state.captured > 0:
        if state.stock == "reserved":
            # Captured without us, in the provider's dashboard for instance: the goods are still only set aside.
            _once(
                tx,
                order_id,
                "capture",
                lambda: outbox.stage(tx, jobs.CAPTURE_PAYMENT, order_id=order_id),
                generation="goods",
            )
        _once(tx, order_id, "cart_clear", lambda: outbox.stage(tx, jobs.CLEAR_CART, order_id=order_id))
        _once(tx, order_id, "invoice", lambda: outbox.stage(tx, jobs.ISSUE_INVOICE, order_id=order_id))
        if 0 < order.amount_captured < state.captured:
            # More came in than the first invoice is about; the job finds what is on none.
            outbox.stage(tx, jobs.ISSUE_INVOICE, order_id=order_id)
    elif state.status == "authorized" and state.stock != "lost":
        # Also where the money waits for the shipping: the goods are taken now, their reservation would not last.
        _once(tx, order_id, "capture", lambda: outbox.stage(tx, jobs.CAPTURE_PAYMENT, order_id=order_id))
    if state.status in CALLED_OFF and state.stock in {"reserved", "committed"}:
        _once(tx, order_id, "stock_release", lambda: outbox.stage(tx, jobs.RELEASE_STOCK, order_id=order_id))
    if state.status in {"canceled", "expired"}:
        _mail(tx, order_id, "order_canceled")
    if failed_while_away(facts):
        _mail(tx, order_id, "payment_failed")
    if asked_for_by_bank(state, facts):
        _mail(tx, order_id, "authentication_needed")
    if _rests(order, state):
        _mail(tx, order_id, "order_received")
    _given_back(tx, order_id, state)


def _given_back(tx: Tx, order_id: str, state: State) -> None:
    """What money that went back asks for, whoever sent it: the shop, the provider's dashboard or a bank."""
    for refund in state.refunds:
        if refund.status == "succeeded":
            _refunded(tx, order_id, refund)
        elif refund.status == "failed":
            _failed(tx, order_id, refund)
    for dispute in state.disputes:
        _tell_support(tx, order_id, dispute)


def _rests(order: Order, state: State) -> bool:
    """Whether the customer has done all there is to do, and no receipt follows at once."""
    if state.status == "authorized":
        return order.capture_method == "manual"
    return state.status == "processing" and state.payment is not None and state.payment.status == "processing"


def _mail(tx: Tx, order_id: str, kind: str, *, subject_id: str | None = None) -> None:
    """The letter is written when it is sent, and only if it is true by then. About the order, or one thing of it."""
    about = subject_id or order_id
    key = f"mail:{kind}:{about}"
    _once(
        tx,
        order_id,
        f"mail_{kind}",
        lambda: outbox.stage(tx, jobs.SEND_MAIL, unique_key=key, kind=kind, subject_id=about),
        generation=subject_id or "1",
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


def _failed(tx: Tx, order_id: str, state: RefundState) -> None:
    """The customer did not get it: support has to find another way. A credit note that was issued by then gets its
    counter-document; goods that came back stay where they are.
    """
    refund = refunds.row_of(tx, state)
    if refund is None:
        return
    refund_id = refund.id
    if state.provider_id is not None:
        _once(
            tx,
            order_id,
            "debit_note",
            lambda: outbox.stage(tx, jobs.ISSUE_DEBIT_NOTE, refund_id=refund_id),
            generation=refund_id,
        )
    _mail(tx, order_id, "refund_failed", subject_id=refund_id)


def _tell_support(tx: Tx, order_id: str, dispute: DisputeState) -> None:
    """One letter for each thing that ever happened to it, whatever has become of it since."""
    dispute_id = disputes.dispute_of(tx, dispute.id)
    if dispute_id is None:
        return
    for kind in sorted({"dispute_opened"} | {DECIDED[status] for status in dispute.ever if status in DECIDED}):
        _mail(tx, order_id, kind, subject_id=dispute_id)
    if dispute.escalated:
        _mail(tx, order_id, "dispute_escalated", subject_id=dispute_id)


def _once(tx: Tx, order_id: str, kind: str, stage: Callable[[], str], *, generation: str = "1") -> None:
    if log.claim_effect(tx, order_id, kind, generation):
        log.name_effect_job(tx, order_id, kind, generation, stage())
