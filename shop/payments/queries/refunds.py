"""Refunds and which lines they are for."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from db.ids import new_id
from shop.payments.orders.fold import RefundState
from shop.payments.rows import Order, Refund, RefundLine


def insert_refund(
    tx: Tx,
    *,
    refund_id: str,
    order_id: str,
    payment_id: str,
    amount_minor: int,
    shipping_minor: int,
    currency: str,
    reason: str,
    restock: bool,
    requested_by: str,
) -> None:
    tx.execute(
        """
        INSERT INTO refunds (id, order_id, payment_id, amount_minor, shipping_minor, currency, reason, restock,
                             requested_by)
        VALUES (%(id)s, %(order_id)s, %(payment_id)s, %(amount)s, %(shipping)s, %(currency)s, %(reason)s, %(restock)s,
                %(by)s)
        """,
        {
            "id": refund_id,
            "order_id": order_id,
            "payment_id": payment_id,
            "amount": amount_minor,
            "shipping": shipping_minor,
            "currency": currency,
            "reason": reason,
            "restock": restock,
            "by": requested_by,
        },
    )


def insert_refund_lines(tx: Tx, lines: Sequence[RefundLine]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO refund_lines (refund_id, line_id, quantity, amount_minor)
            VALUES (%(refund_id)s, %(line_id)s, %(quantity)s, %(amount)s)
            """,
            [
                {
                    "refund_id": line.refund_id,
                    "line_id": line.line_id,
                    "quantity": line.quantity,
                    "amount": line.amount_minor,
                }
                for line in lines
            ],
        )


def save_states(tx: Tx, order: Order, states: Sequence[RefundState]) -> None:
    """Write what the facts say of each refund; one that was not asked for here gets its row now, once."""
    for state in states:
        if state.provider_id is not None:
            _adopt(tx, order, state)
        _save_state(tx, state)


def _adopt(tx: Tx, order: Order, state: RefundState) -> None:
    tx.execute(
        """
        INSERT INTO refunds (id, order_id, payment_id, provider_refund_id, amount_minor, currency, reason, origin)
        SELECT %(id)s, order_id, id, %(provider_id)s, %(amount)s, %(currency)s, 'made at the payment provider',
               'provider'
          FROM payments
         WHERE intent_id = %(intent_id)s AND order_id = %(order_id)s
           AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.id = %(key)s)
        ON CONFLICT (provider_refund_id) DO NOTHING
        """,
        {
            "id": new_id("ref"),
            "key": state.key,
            "provider_id": state.provider_id,
            "amount": state.amount,
            "currency": order.currency,
            "intent_id": state.payment_id,
            "order_id": order.id,
        },
    )


def _save_state(tx: Tx, state: RefundState) -> None:
    tx.execute(
        """
        UPDATE refunds
           SET status = %(status)s, provider_refund_id = coalesce(%(provider_id)s, provider_refund_id),
               failure_code = %(failure_code)s, updated_at = now()
         WHERE (id = %(key)s OR provider_refund_id = %(provider_id)s)
           AND (status, provider_refund_id, failure_code)
               IS DISTINCT FROM (%(status)s, coalesce(%(provider_id)s, provider_refund_id), %(failure_code)s)
        """,
        {
            "key": state.key,
            "status": state.status,
            "provider_id": state.provider_id,
            "failure_code": state.failure_code,
        },
    )


def refund(tx: Tx, refund_id: str) -> Refund | None:
    cursor = tx.cursor(row_factory=class_row(Refund))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_refund_id, status, amount_minor, shipping_minor, currency, reason,
               restock, origin, requested_by, approved_by, declined_by, decided_at, decision_reason, failure_code,
               failure_message, created_at, updated_at
          FROM refunds
         WHERE id = %(id)s
        """,
        {"id": refund_id},
    ).fetchone()


def row_of(tx: Tx, state: RefundState) -> Refund | None:
    """By our id, or by the provider's for one that was made over there."""
    cursor = tx.cursor(row_factory=class_row(Refund))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_refund_id, status, amount_minor, shipping_minor, currency, reason,
               restock, origin, requested_by, approved_by, declined_by, decided_at, decision_reason, failure_code,
               failure_message, created_at, updated_at
          FROM refunds
         WHERE id = %(key)s OR provider_refund_id = %(provider_id)s
        """,
        {"key": state.key, "provider_id": state.provider_id},
    ).fetchone()


def refunds_of(tx: Tx, order_id: str) -> list[Refund]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Refund))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_refund_id, status, amount_minor, shipping_minor, currency, reason,
               restock, origin, requested_by, approved_by, declined_by, decided_at, decision_reason, failure_code,
               failure_message, created_at, updated_at
          FROM refunds
         WHERE order_id = %(order_id)s
      ORDER BY id DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def lines_of_refunds(tx: Tx, refund_ids: Sequence[str]) -> list[RefundLine]:
    cursor = tx.cursor(row_factory=class_row(RefundLine))
    return cursor.execute(
        """
        SELECT refund_id, line_id, quantity, amount_minor FROM refund_lines
         WHERE refund_id = ANY(%(ids)s)
      ORDER BY refund_id, line_id
        """,
        {"ids": list(refund_ids)},
    ).fetchall()


def note_approval(tx: Tx, refund_id: str, *, actor: str, reason: str | None) -> None:
    tx.execute(
        """
        UPDATE refunds SET approved_by = %(actor)s, decided_at = now(), decision_reason = %(reason)s, updated_at = now()
         WHERE id = %(id)s
        """,
        {"id": refund_id, "actor": actor, "reason": reason},
    )


def note_decline(tx: Tx, refund_id: str, *, actor: str, reason: str) -> None:
    tx.execute(
        """
        UPDATE refunds SET declined_by = %(actor)s, decided_at = now(), decision_reason = %(reason)s, updated_at = now()
         WHERE id = %(id)s
        """,
        {"id": refund_id, "actor": actor, "reason": reason},
    )


def requested(tx: Tx, *, before_id: str | None, limit: int) -> list[Refund]:
    """Those that wait for a second person, newest first."""
    cursor = tx.cursor(row_factory=class_row(Refund))
    return cursor.execute(
        """
        SELECT id, order_id, payment_id, provider_refund_id, status, amount_minor, shipping_minor, currency, reason,
               restock, origin, requested_by, approved_by, declined_by, decided_at, decision_reason, failure_code,
               failure_message, created_at, updated_at
          FROM refunds
         WHERE status = 'requested' AND id < coalesce(%(before_id)s, '~')
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {"before_id": before_id, "limit": limit},
    ).fetchall()
