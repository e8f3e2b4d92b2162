"""Our side of a comparison with the provider's books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

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


@dataclass(frozen=True, slots=True)
class Difference:
    """`explanation` None: nobody knows why."""

    kind: str
    order_id: str | None
    object_id: str | None
    ours: str | None
    theirs: str | None
    explanation: str | None


@dataclass(frozen=True, slots=True)
class OurPayment:
    """`booked_minor` is what the ledger says Stripe holds for the order, fees taken off."""

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


def insert(tx: Tx, reconciliation_id: str, *, dry_run: bool, actor: str | None, start: datetime, end: datetime) -> None:
    tx.execute(
        """
        INSERT INTO reconciliations (id, dry_run, requested_by, from_at, to_at)
        VALUES (%(id)s, %(dry_run)s, %(actor)s, %(start)s, %(end)s)
        """,
        {"id": reconciliation_id, "dry_run": dry_run, "actor": actor, "start": start, "end": end},
    )


def reconciliation(tx: Tx, reconciliation_id: str) -> Reconciliation | None:
    cursor = tx.cursor(row_factory=class_row(Reconciliation))
    return cursor.execute(
        """
        SELECT id, state, dry_run, requested_by, from_at, to_at, orders_checked, payments_checked, refunds_checked,
               created_at, finished_at
          FROM reconciliations
         WHERE id = %(id)s
        """,
        {"id": reconciliation_id},
    ).fetchone()


def finish(tx: Tx, reconciliation_id: str, *, orders_checked: int, payments_checked: int, refunds_checked: int) -> bool:
    """False if another run finished it before."""
    updated = tx.execute(
        """
        UPDATE reconciliations
           SET state = 'done', orders_checked = %(orders)s, payments_checked = %(payments)s,
               refunds_checked = %(refunds)s, finished_at = clock_timestamp()
         WHERE id = %(id)s AND state = 'running'
        """,
        {
            "id": reconciliation_id,
            "orders": orders_checked,
            "payments": payments_checked,
            "refunds": refunds_checked,
        },
    )
    return updated.rowcount == 1


def insert_differences(tx: Tx, reconciliation_id: str, found: Sequence[Difference]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO reconciliation_differences (reconciliation_id, position, kind, order_id, object_id, ours,
                                                    theirs, explanation)
            VALUES (%(reconciliation_id)s, %(position)s, %(kind)s, %(order_id)s, %(object_id)s, %(ours)s, %(theirs)s,
                    %(explanation)s)
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
                }
                for position, difference in enumerate(found, start=1)
            ],
        )


def differences(tx: Tx, reconciliation_id: str) -> list[Difference]:
    cursor = tx.cursor(row_factory=class_row(Difference))
    return cursor.execute(
        """
        SELECT kind, order_id, object_id, ours, theirs, explanation
          FROM reconciliation_differences
         WHERE reconciliation_id = %(id)s
      ORDER BY position
         LIMIT 1000
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
                 WHERE ledger_entries.order_id = payments.order_id AND account = 'stripe') AS booked_minor,
               EXISTS (SELECT 1 FROM provider_attempts
                        WHERE order_id = payments.order_id AND outcome IS NULL) AS working
          FROM payments
         WHERE intent_id = ANY(%(ids)s)
        """,
        {"ids": list(intent_ids)},
    ).fetchall()


def our_payments_between(tx: Tx, *, start: datetime, end: datetime) -> list[OurPayment]:
    cursor = tx.cursor(row_factory=class_row(OurPayment))
    return cursor.execute(
        """
        SELECT intent_id, order_id, status, currency, amount_minor, captured_minor, fee_minor, updated_at,
               0::bigint AS refunded_minor, 0::bigint AS reserved_minor, 0::bigint AS booked_minor, false AS working
          FROM payments
         WHERE created_at >= %(start)s AND created_at < %(end)s
        """,
        {"start": start, "end": end},
    ).fetchall()
