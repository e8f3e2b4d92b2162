"""The second pair of eyes on a refund: an admin who did not ask for it lets it go, or says no and why."""

from db.database import Database, Tx
from shop.errors import NotFound
from shop.payments.errors import DisputeOpen, OwnRequest, WrongState
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import facts as log
from shop.payments.queries import orders, refunds
from shop.payments.refunds.refunding import send
from shop.payments.rows import Order, Refund


def approve_refund(db: Database, refund_id: str, *, actor: str, reason: str | None = None) -> Refund:
    """Send a requested refund on its way. One that this admin has approved already stays as it is.

    Raises NotFound, OwnRequest, DisputeOpen, or WrongState for a refund that does not wait.
    """
    with db.transaction() as tx:
        order, row = _locked(tx, refund_id)
        if row.approved_by == actor:
            return row
        _check(row, actor)
        if order.disputed:
            raise DisputeOpen(f"order {order.id}: the bank holds its money, or keeps it")
        fact = _decision(tx, row, "refund.approved", actor, reason)
        refunds.note_approval(tx, refund_id, actor=actor, reason=reason)
        apply(tx, order.id, [fact])
        send(tx, order.id, refund_id, str(fact.subject), row.amount_minor)
        return _again(tx, refund_id)


def decline_refund(db: Database, refund_id: str, *, actor: str, reason: str) -> Refund:
    """Say no to a requested refund and free what it reserved. Raises NotFound, OwnRequest or WrongState."""
    with db.transaction() as tx:
        order, row = _locked(tx, refund_id)
        if row.declined_by == actor:
            return row
        _check(row, actor)
        fact = _decision(tx, row, "refund.declined", actor, reason)
        refunds.note_decline(tx, refund_id, actor=actor, reason=reason)
        apply(tx, order.id, [fact])
        return _again(tx, refund_id)


def _locked(tx: Tx, refund_id: str) -> tuple[Order, Refund]:
    """The refund as it is once its order is locked."""
    known = refunds.refund(tx, refund_id)
    order = orders.lock_order(tx, known.order_id) if known else None
    if order is None:
        raise NotFound(f"there is no refund {refund_id}")
    return order, _again(tx, refund_id)


def _check(row: Refund, actor: str) -> None:
    if row.status != "requested":
        raise WrongState(row.order_id, f"not waiting for a decision about refund {row.id} ({row.status})", "decided")
    if row.requested_by == actor:
        raise OwnRequest(f"refund {row.id} was asked for by you: somebody else has to decide about it")


def _decision(tx: Tx, row: Refund, kind: str, actor: str, reason: str | None) -> Fact:
    (intent,) = [paid.intent_id for paid in log.payments_of(tx, [row.order_id]) if paid.id == row.payment_id]
    return Fact(
        kind=kind,
        source="staff",
        source_key=f"{kind.removeprefix('refund.')}:{row.id}",
        seen_at=orders.clock(tx),
        actor=actor,
        subject=intent,
        amount_minor=row.amount_minor,
        currency=row.currency,
        data={"refund": row.id, "payment": intent, "reason": reason},
    )


def _again(tx: Tx, refund_id: str) -> Refund:
    row = refunds.refund(tx, refund_id)
    assert row is not None, "rows of refunds are never removed"
    return row
