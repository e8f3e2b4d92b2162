"""Our side of a comparison with the provider's books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Reconciliation:
    id: str
    state: str
    dry_run: bool
    requested_by: str | None
    from_at: datetime
    to_at: datetime
    orders_checked: int
    payments_checked: int
    refunds_checked: int
    created_at: datetime
    finished_at: datetime | None
    totals: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Difference:
    """`explanation` None: nobody knows why. `amount_minor` is what it makes the provider's balance greater than ours,
    where it is about money. `position` is its number within its reconciliation, 0 before it has one.
    """

    kind: str
    order_id: str | None
    object_id: str | None
    ours: str | None
    theirs: str | None
    explanation: str | None
    amount_minor: int | None = None
    currency: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class OurPayment:
    """`booked_minor` is what the ledger says Stripe holds for the order, fees taken off, disputes left out. `disputes`
    are ids and statuses.
    """

    intent_id: str
    order_id: str
    status: str
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    reserved_minor: int
    fee_minor: int | None
    booked_minor: int
    working: bool
    updated_at: datetime
    disputes: str = ""


def insert(tx: Tx, reconciliation_id: str, *, dry_run: bool, actor: str | None, start: datetime, end: datetime) -> None:
    tx.execute(
        """
        INSERT INTO reconciliations (id, dry_run, requested_by, from_at, to_at)
        VALUES (%(id)s, %(dry_run)s, %(actor)s, %(start)s, %(end)s)
        """,
        {"id": reconciliation_id, "dry_run": dry_run, "actor": actor, "start": start, "end": end},
    )


def take_up(tx: Tx, *, start: datetime, end: datetime) -> str | None:
    """The nightly one that was begun and never ended, if there is one; it compares this span now."""
    row = tx.execute(
        """
        UPDATE reconciliations SET from_at = %(start)s, to_at = %(end)s
         WHERE state = 'running'
           AND id = (SELECT id FROM reconciliations
                      WHERE state = 'running' AND requested_by IS NULL AND NOT dry_run
                   ORDER BY id DESC LIMIT 1)
     RETURNING id
        """,
        {"start": start, "end": end},
    ).fetchone()
    return row[0] if row else None


def reconciliation(tx: Tx, reconciliation_id: str) -> Reconciliation | None:
    cursor = tx.cursor(row_factory=class_row(Reconciliation))
    return cursor.execute(
        """
        SELECT id, state, dry_run, requested_by, from_at, to_at, orders_checked, payments_checked, refunds_checked,
               created_at, finished_at, totals
          FROM reconciliations
         WHERE id = %(id)s
        """,
        {"id": reconciliation_id},
    ).fetchone()


def finish(
    tx: Tx,
    reconciliation_id: str,
    *,
    orders_checked: int,
    payments_checked: int,
    refunds_checked: int,
    totals: Mapping[str, Any],
) -> bool:
    """False if another run finished it before."""
    updated = tx.execute(
        """
        UPDATE reconciliations
           SET state = 'done', orders_checked = %(orders)s, payments_checked = %(payments)s,
               refunds_checked = %(refunds)s, totals = %(totals)s, finished_at = clock_timestamp()
         WHERE id = %(id)s AND state = 'running'
        """,
        {
            "id": reconciliation_id,
            "orders": orders_checked,
            "payments": payments_checked,
            "refunds": refunds_checked,
            "totals": Jsonb(dict(totals)),
        },
    )
    return updated.rowcount == 1


def insert_differences(tx: Tx, reconciliation_id: str, found: Sequence[Difference]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO reconciliation_differences (reconciliation_id, position, kind, order_id, object_id, ours,
                                                    theirs, explanation, amount_minor, currency)
            VALUES (%(reconciliation_id)s, %(position)s, %(kind)s, %(order_id)s, %(object_id)s, left(%(ours)s, 200),
                    left(%(theirs)s, 200), left(%(explanation)s, 300), %(amount)s, %(currency)s)
            """,
            [
                {
                    "reconciliation_id": reconciliation_id,
                    "position": position,
                    "kind": difference.kind,
                    "order_id": difference.order_id,
                    "object_id": difference.object_id,
                    "ours": difference.ours,
                    "theirs": difference.theirs,
                    "explanation": difference.explanation,
                    "amount": difference.amount_minor,
                    "currency": difference.currency,
                }
                for position, difference in enumerate(found, start=1)
            ],
        )


def differences(tx: Tx, reconciliation_id: str) -> list[Difference]:
    """As found, with what people have decided since: a decision explains."""
    cursor = tx.cursor(row_factory=class_row(Difference))
    return cursor.execute(
        """
        SELECT kind, order_id, object_id, ours, theirs,
               coalesce(resolved.action || ' by ' || resolved.actor || ': ' || resolved.reason, explanation)
                   AS explanation,
               amount_minor, currency, found.position
          FROM reconciliation_differences AS found
          LEFT JOIN difference_resolutions AS resolved
            ON resolved.reconciliation_id = found.reconciliation_id AND resolved.position = found.position
         WHERE found.reconciliation_id = %(id)s
      ORDER BY found.position
        """,
        {"id": reconciliation_id},
    ).fetchall()


def counts(tx: Tx, *, start: datetime, end: datetime) -> tuple[int, int]:
    """`(orders, refunds)` made in the time compared."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM orders WHERE created_at >= %(start)s AND created_at < %(end)s),
               (SELECT count(*) FROM refunds WHERE created_at >= %(start)s AND created_at < %(end)s)
        """,
        {"start": start, "end": end},
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def our_payments(tx: Tx, intent_ids: Sequence[str]) -> list[OurPayment]:
    cursor = tx.cursor(row_factory=class_row(OurPayment))
    return cursor.execute(
        """
        SELECT payments.intent_id, payments.order_id, payments.status, payments.currency, payments.amount_minor,
               payments.captured_minor, payments.fee_minor, payments.updated_at,
               (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds
                 WHERE payment_id = payments.id AND status = 'succeeded') AS refunded_minor,
               (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds
                 WHERE payment_id = payments.id AND status = 'pending') AS reserved_minor,
               (SELECT coalesce(sum(amount_minor), 0)::bigint
                  FROM ledger_entries JOIN ledger_lines ON ledger_lines.entry_id = ledger_entries.id
                 WHERE ledger_entries.order_id = payments.order_id AND account = 'stripe'
                   AND ledger_entries.kind IN ('capture', 'refund', 'reversal', 'fee')
                   AND ledger_lines.currency = payments.currency) AS booked_minor,
               EXISTS (SELECT 1 FROM provider_attempts
                        WHERE order_id = payments.order_id AND outcome IS NULL) AS working,
               (SELECT coalesce(string_agg(provider_dispute_id || ' ' || disputes.status, ', '
                                           ORDER BY provider_dispute_id COLLATE "C"), '')
                  FROM disputes WHERE payment_id = payments.id) AS disputes
          FROM payments
         WHERE intent_id = ANY(%(ids)s)
        """,
        {"ids": list(intent_ids)},
    ).fetchall()


def our_payments_between(
    tx: Tx, *, start: datetime, end: datetime, after: str, limit: int
) -> list[tuple[str, str, str, str]]:
    """`(id, payment at the provider, order, status)` of the payments made in that time, by id."""
    return tx.execute(
        """
        SELECT id, intent_id, order_id, status
          FROM payments
         WHERE created_at >= %(start)s AND created_at < %(end)s AND id > %(after)s
      ORDER BY id
         LIMIT %(limit)s
        """,
        {"start": start, "end": end, "after": after, "limit": limit},
    ).fetchall()


def uneven_orders(tx: Tx, *, start: datetime, end: datetime, limit: int) -> list[tuple[str, str, int, int, int]]:
    """`(id, currency, on the order, by its payments and refunds, by the books)`: orders of that time whose three
    answers to how much money was taken and kept are not one.
    """
    return tx.execute(
        """
        SELECT orders.id, orders.currency, orders.amount_captured - orders.amount_refunded,
               said.captured - given.refunded, booked.held
          FROM orders
          JOIN LATERAL (SELECT coalesce(sum(captured_minor), 0)::bigint AS captured
                          FROM payments WHERE order_id = orders.id) AS said ON true
          JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0)::bigint AS refunded
                          FROM refunds WHERE order_id = orders.id AND status = 'succeeded') AS given ON true
          JOIN LATERAL (SELECT coalesce(sum(amount_minor), 0)::bigint AS held
                          FROM ledger_entries JOIN ledger_lines ON entry_id = ledger_entries.id AND account = 'stripe'
                         WHERE order_id = orders.id AND kind IN ('capture', 'refund', 'reversal')) AS booked ON true
         WHERE orders.updated_at >= %(start)s AND orders.updated_at < %(end)s AND orders.currency IS NOT NULL
           AND (orders.amount_captured - orders.amount_refunded <> said.captured - given.refunded
                OR orders.amount_captured - orders.amount_refunded <> booked.held)
      ORDER BY orders.id
         LIMIT %(limit)s
        """,
        {"start": start, "end": end, "limit": limit},
    ).fetchall()


def reconciliations(tx: Tx, *, before_id: str | None, limit: int) -> list[Reconciliation]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Reconciliation))
    return cursor.execute(
        """
        SELECT id, state, dry_run, requested_by, from_at, to_at, orders_checked, payments_checked, refunds_checked,
               created_at, finished_at, totals
          FROM reconciliations
         WHERE %(before_id)s::text IS NULL OR id < %(before_id)s
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        {"before_id": before_id, "limit": limit},
    ).fetchall()
