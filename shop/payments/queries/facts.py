"""The audit log, and the rows that follow from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from db.ids import new_id
from shop.payments.orders.fold import Fact, PaymentState, weight
from shop.payments.rows import Payment


def append(tx: Tx, order_id: str, fact: Fact) -> bool:
    """False if this very news is in the log already. The trigger numbers and hashes the row."""
    inserted = tx.execute(
        """
        INSERT INTO transactions (id, order_id, seq, kind, source, source_key, actor, subject, amount_minor, currency,
                                  data, seen_at, prev_hash, hash)
        VALUES (%(id)s, %(order_id)s, 1, %(kind)s, %(source)s, %(source_key)s, %(actor)s, %(subject)s,
                %(amount_minor)s, %(currency)s, %(data)s, %(seen_at)s, '', '')
        ON CONFLICT (order_id, source_key) DO NOTHING
        """,
        {
            "id": new_id("txn"),
            "order_id": order_id,
            "kind": fact.kind,
            "source": fact.source,
            "source_key": fact.source_key,
            "actor": fact.actor,
            "subject": fact.subject,
            "amount_minor": fact.amount_minor,
            "currency": fact.currency,
            "data": Jsonb(fact.data),
            "seen_at": fact.seen_at,
        },
    )
    return inserted.rowcount == 1


def note_move(tx: Tx, order_id: str, cause: str, *, before: str, after: str) -> None:
    """A step of the order and the fact (by its `source_key`) that caused it."""
    tx.execute(
        """
        INSERT INTO order_moves (order_id, seq, before, after)
        SELECT order_id, seq, %(before)s, %(after)s FROM transactions
         WHERE order_id = %(order_id)s AND source_key = %(cause)s
        ON CONFLICT (order_id, seq) DO NOTHING
        """,
        {"order_id": order_id, "cause": cause, "before": before, "after": after},
    )


def facts_of(tx: Tx, order_id: str) -> list[Fact]:
    cursor = tx.cursor(row_factory=class_row(Fact))
    return cursor.execute(
        """
        SELECT kind, source, source_key, seen_at, subject, amount_minor, currency, actor, data
          FROM transactions
         WHERE order_id = %(order_id)s
      ORDER BY seq
        """,
        {"order_id": order_id},
    ).fetchall()


def save_payment(tx: Tx, order_id: str, state: PaymentState, fleeting: Mapping[str, Any]) -> None:
    """Write what we know of one payment; the first time makes its row. `fleeting` is kept while it is of use."""
    card = state.card or {}
    decline = state.decline or {}
    next_action = fleeting.get("next_action")
    tx.execute(
        """
        INSERT INTO payments (id, order_id, intent_id, charge_id, client_secret, status, currency, amount_minor,
                              capturable_minor, captured_minor, fee_minor, decline_code, decline_message, next_action,
                              capture_before, card_brand, card_last4, card_exp_month, card_exp_year, method_id,
                              action_since)
        VALUES (%(id)s, %(order_id)s, %(intent_id)s, %(charge_id)s, %(client_secret)s, %(status)s, %(currency)s,
                %(amount)s, %(capturable)s, %(captured)s, %(fee)s, %(decline_code)s, %(decline_message)s,
                %(next_action)s, %(capture_before)s, %(brand)s, %(last4)s, %(exp_month)s, %(exp_year)s, %(method)s,
                CASE WHEN %(acting)s THEN greatest(now(), %(asked_at)s::timestamptz) END)
        ON CONFLICT (intent_id) DO UPDATE
           SET charge_id = EXCLUDED.charge_id, status = EXCLUDED.status,
               client_secret = coalesce(EXCLUDED.client_secret, payments.client_secret),
               capturable_minor = EXCLUDED.capturable_minor, captured_minor = EXCLUDED.captured_minor,
               fee_minor = EXCLUDED.fee_minor, decline_code = EXCLUDED.decline_code,
               decline_message = EXCLUDED.decline_message,
               next_action = CASE WHEN %(acting)s THEN coalesce(EXCLUDED.next_action, payments.next_action) END,
               method_id = EXCLUDED.method_id,
               -- Another way to pay is another try, with a time limit of its own; so is the same way asked for again
               -- since the page was opened.
               action_since = CASE WHEN %(acting)s AND payments.method_id IS NOT DISTINCT FROM EXCLUDED.method_id
                                        AND payments.action_since >= coalesce(%(asked_at)s, payments.action_since)
                                   THEN payments.action_since
                                   ELSE EXCLUDED.action_since END,
               capture_before = EXCLUDED.capture_before, card_brand = EXCLUDED.card_brand,
               card_last4 = EXCLUDED.card_last4, card_exp_month = EXCLUDED.card_exp_month,
               card_exp_year = EXCLUDED.card_exp_year, updated_at = now()
        """,
        {
            "id": new_id("pay"),
            "order_id": order_id,
            "intent_id": state.id,
            "charge_id": state.charge_id,
            "client_secret": fleeting.get("client_secret"),
            "status": state.status,
            "currency": state.currency,
            "amount": state.amount,
            "capturable": state.capturable,
            "captured": state.captured,
            "fee": state.fee,
            "decline_code": decline.get("code"),
            "decline_message": decline.get("message"),
            "next_action": Jsonb(next_action) if next_action is not None else None,
            "capture_before": state.capture_before,
            "brand": card.get("brand"),
            "last4": card.get("last4"),
            "exp_month": card.get("exp_month"),
            "exp_year": card.get("exp_year"),
            "method": state.method,
            "acting": state.status == "requires_action" and not state.lapsed,
            "asked_at": state.asked_at,
        },
    )


def payments_of(tx: Tx, order_ids: Sequence[str]) -> list[Payment]:
    """Oldest first within an order."""
    cursor = tx.cursor(row_factory=class_row(Payment))
    return cursor.execute(
        """
        SELECT id, order_id, intent_id, charge_id, client_secret, status, currency, amount_minor, capturable_minor,
               captured_minor, fee_minor, decline_code, decline_message, next_action, capture_before, card_brand,
               card_last4, card_exp_month, card_exp_year, created_at, updated_at
          FROM payments
         WHERE order_id = ANY(%(order_ids)s)
      ORDER BY order_id, id
        """,
        {"order_ids": list(order_ids)},
    ).fetchall()


def payment_that_counts(tx: Tx, order_id: str) -> Payment:
    """Of an order that has a payment, the one that the fold takes for its own."""
    return max(payments_of(tx, [order_id]), key=lambda payment: weight(payment.status, payment.intent_id))


def order_of_payment(tx: Tx, intent_id: str) -> str | None:
    row = tx.execute("SELECT order_id FROM payments WHERE intent_id = %(id)s", {"id": intent_id}).fetchone()
    return row[0] if row else None


def is_adopted(tx: Tx, order_id: str, intent_id: str) -> bool:
    """Whether a person made this payment one of the order."""
    row = tx.execute(
        """
        SELECT 1 FROM transactions
         WHERE order_id = %(order_id)s AND source_key = 'adopted:' || %(intent_id)s AND kind = 'payment.adopted'
        """,
        {"order_id": order_id, "intent_id": intent_id},
    ).fetchone()
    return row is not None


def claim_effect(tx: Tx, order_id: str, kind: str, generation: str = "1") -> bool:
    """True for the one caller who may have this effect."""
    inserted = tx.execute(
        """
        INSERT INTO effects (order_id, kind, generation) VALUES (%(order_id)s, %(kind)s, %(generation)s)
        ON CONFLICT (order_id, kind, generation) DO NOTHING
        """,
        {"order_id": order_id, "kind": kind, "generation": generation},
    )
    return inserted.rowcount == 1


def name_effect_job(tx: Tx, order_id: str, kind: str, generation: str, job_id: str) -> None:
    tx.execute(
        """
        UPDATE effects SET job_id = %(job_id)s
         WHERE order_id = %(order_id)s AND kind = %(kind)s AND generation = %(generation)s
        """,
        {"order_id": order_id, "kind": kind, "generation": generation, "job_id": job_id},
    )


def end_effect(tx: Tx, order_id: str, kind: str, generation: str = "1") -> None:
    tx.execute(
        """
        UPDATE effects SET done_at = coalesce(done_at, clock_timestamp())
         WHERE order_id = %(order_id)s AND kind = %(kind)s AND generation = %(generation)s
        """,
        {"order_id": order_id, "kind": kind, "generation": generation},
    )


def effects_of(tx: Tx, order_id: str) -> list[tuple[Any, ...]]:
    """`(kind, generation, job_id, claimed_at, done_at)` of each."""
    return tx.execute(
        """
        SELECT kind, generation, job_id, claimed_at, done_at FROM effects
         WHERE order_id = %(order_id)s
      ORDER BY claimed_at
        """,
        {"order_id": order_id},
    ).fetchall()


def effect_is_open(tx: Tx, order_id: str, kind: str, generation: str = "1") -> bool:
    """Whether it was begun and nobody has said yet that it is done."""
    row = tx.execute(
        """
        SELECT 1 FROM effects
         WHERE order_id = %(order_id)s AND kind = %(kind)s AND generation = %(generation)s AND done_at IS NULL
        """,
        {"order_id": order_id, "kind": kind, "generation": generation},
    ).fetchone()
    return row is not None
