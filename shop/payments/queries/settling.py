"""The provider's books as we keep a copy of them, and what of ours belongs to each of its movements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.ports.settlements import Movement


@dataclass(frozen=True, slots=True)
class Known:
    """A movement with what we know of its source: the order behind it, and the amount that we think moved there.

    `ours_minor` is in `ours_currency`, which is that of the order; both are None for what belongs to no order of ours.
    `refund_key` is how a refund is called in the causes of our entries. `source_minor` is what all movements of the
    same source add up to. `never_booked` says that it is of a refund that failed before it was one in our books.
    """

    id: str
    type: str
    category: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source_ref: str | None
    source_kind: str | None
    payment_ref: str | None
    description: str | None
    exchange_rate: str | None
    made_at: datetime
    order_id: str | None
    ours_currency: str | None
    ours_minor: int | None
    refund_key: str | None
    source_minor: int | None
    never_booked: bool


@dataclass(frozen=True, slots=True)
class Unpartnered:
    """An entry of ours that moved the provider's balance in our books, and no movement of theirs says so."""

    id: str
    order_id: str | None
    kind: str
    cause: str
    currency: str
    amount_minor: int
    booked_at: datetime


def keep(tx: Tx, found: Sequence[Movement], payout_id: str | None = None) -> int:
    """Copy movements; answers how many were new. With `payout_id` they are noted as paid out by it."""
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO provider_movements (id, type, category, amount_minor, fee_minor, net_minor, currency,
                                            source_ref, source_kind, payment_ref, description, exchange_rate,
                                            fee_details, made_at, available_at, payout_ref)
            VALUES (%(id)s, %(type)s, %(category)s, %(amount)s, %(fee)s, %(net)s, %(currency)s, %(source)s, %(kind)s,
                    %(payment)s, left(%(description)s, 300), %(rate)s, %(fees)s, %(made_at)s, %(available_at)s,
                    %(payout)s)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                {
                    "id": move.id,
                    "type": move.type,
                    "category": move.category,
                    "amount": move.amount,
                    "fee": move.fee,
                    "net": move.net,
                    "currency": move.currency,
                    "source": move.source_id,
                    "kind": move.source_kind,
                    "payment": move.payment_id,
                    "description": move.description,
                    "rate": move.rate,
                    "fees": Jsonb([dict(fee) for fee in move.fees]),
                    "made_at": move.made_at,
                    "available_at": move.available_at,
                    "payout": payout_id,
                }
                for move in found
            ],
        )
        new = cursor.rowcount
    if payout_id is not None:
        _note_payout(tx, [move.id for move in found], payout_id)
    return new


def _note_payout(tx: Tx, movement_ids: Sequence[str], payout_id: str) -> None:
    tx.execute(
        """
        UPDATE provider_movements SET payout_ref = %(payout)s WHERE id = ANY(%(ids)s) AND payout_ref IS NULL
        """,
        {"payout": payout_id, "ids": list(movement_ids)},
    )


def changed_since(tx: Tx, found: Sequence[Movement]) -> list[str]:
    """Movements that the provider tells otherwise than when we copied them."""
    rows = tx.execute(
        """
        SELECT id FROM provider_movements
          JOIN unnest(%(ids)s::text[], %(nets)s::bigint[], %(currencies)s::text[]) AS told (told_id, net, told_currency)
            ON told_id = id
         WHERE (net_minor, currency) <> (net, told_currency)
      ORDER BY id
        """,
        {
            "ids": [move.id for move in found],
            "nets": [move.net for move in found],
            "currencies": [move.currency for move in found],
        },
    ).fetchall()
    return [row[0] for row in rows]


KNOWN = """
        SELECT page.id, page.type, page.category, page.amount_minor, page.fee_minor, page.net_minor, page.currency,
               page.source_ref, page.source_kind, page.payment_ref, page.description,
               page.exchange_rate::text AS exchange_rate, page.made_at,
               coalesce(payments.order_id, refunds.order_id, disputes.order_id) AS order_id,
               coalesce(payments.currency, refunds.currency, disputes.currency) AS ours_currency,
               coalesce(payments.captured_minor, refunds.amount_minor) AS ours_minor,
               CASE refunds.origin WHEN 'provider' THEN refunds.provider_refund_id ELSE refunds.id END AS refund_key,
               (SELECT sum(alike.amount_minor)::bigint FROM provider_movements AS alike
                 WHERE alike.source_ref = page.source_ref) AS source_minor,
               coalesce(refunds.status = 'failed' AND NOT EXISTS (
                   SELECT 1 FROM ledger_entries
                    WHERE cause IN ('refund:' || refunds.order_id || ':' || refunds.id,
                                    'refund:' || refunds.order_id || ':' || refunds.provider_refund_id)),
                        false) AS never_booked
          FROM page
          LEFT JOIN payments ON payments.charge_id = page.source_ref
          LEFT JOIN refunds ON refunds.provider_refund_id = page.source_ref
          LEFT JOIN disputes ON disputes.provider_dispute_id = page.source_ref
"""
"""What is known of the movements of a `page`: whose payment, refund or dispute each one belongs to."""


def open_movements(tx: Tx, *, after: str, limit: int) -> list[Known]:
    """Those that nothing in our books is known to belong to, whenever they were made, and that may be ours."""
    cursor = tx.cursor(row_factory=class_row(Known))
    return cursor.execute(
        """
        WITH page AS (
            SELECT id, type, category, amount_minor, fee_minor, net_minor, currency, source_ref, source_kind,
                   payment_ref, description, exchange_rate, made_at
              FROM provider_movements
             WHERE matched_at IS NULL AND foreign_at IS NULL AND id > %(after)s
          ORDER BY id
             LIMIT %(limit)s
        )
        """  # noqa: S608 - both parts are literals
        + KNOWN
        + "ORDER BY page.id",
        {"after": after, "limit": limit},
    ).fetchall()


def movements_in(tx: Tx, *, start: datetime, end: datetime, after: tuple[datetime, str], limit: int) -> list[Known]:
    """Those of a span of time that may be ours, matched or not; `after` is time and id of the last one before."""
    cursor = tx.cursor(row_factory=class_row(Known))
    return cursor.execute(
        """
        WITH page AS (
            SELECT id, type, category, amount_minor, fee_minor, net_minor, currency, source_ref, source_kind,
                   payment_ref, description, exchange_rate, made_at
              FROM provider_movements
             WHERE made_at >= %(start)s AND made_at < %(end)s AND (made_at, id) > (%(after_at)s, %(after_id)s)
               AND foreign_at IS NULL
          ORDER BY made_at, id
             LIMIT %(limit)s
        )
        """  # noqa: S608 - both parts are literals
        + KNOWN
        + "ORDER BY page.made_at, page.id",
        {"start": start, "end": end, "after_at": after[0], "after_id": after[1], "limit": limit},
    ).fetchall()


def booked(tx: Tx, causes: Sequence[str]) -> dict[tuple[str, str], int]:
    """`(cause, currency)` → what these entries of ours did to the provider's balance."""
    rows = tx.execute(
        """
        SELECT cause, currency, amount_minor
          FROM ledger_entries
          JOIN ledger_lines ON entry_id = id AND account = 'stripe'
         WHERE cause = ANY(%(causes)s)
        """,
        {"causes": list(causes)},
    ).fetchall()
    return {(cause, currency): amount for cause, currency, amount in rows}


def captured(tx: Tx, order_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Per order: what our books say was captured, and what its payments say; both in the order's currency."""
    rows = tx.execute(
        """
        SELECT wanted.id,
               coalesce((SELECT sum(amount_minor) FROM ledger_entries
                          JOIN ledger_lines ON entry_id = ledger_entries.id AND account = 'stripe'
                         WHERE order_id = wanted.id AND kind = 'capture'), 0)::bigint,
               coalesce((SELECT sum(captured_minor) FROM payments WHERE order_id = wanted.id), 0)::bigint
          FROM unnest(%(ids)s::text[]) AS wanted (id)
        """,
        {"ids": list(order_ids)},
    ).fetchall()
    return {order_id: (ours, theirs) for order_id, ours, theirs in rows}


def note_matched(tx: Tx, movement_ids: Sequence[str]) -> None:
    tx.execute(
        "UPDATE provider_movements SET matched_at = now() WHERE id = ANY(%(ids)s) AND matched_at IS NULL",
        {"ids": list(movement_ids)},
    )


def unpartnered(tx: Tx, *, start: datetime, end: datetime, limit: int) -> list[Unpartnered]:
    """Entries of ours in a span of time that moved the provider's balance, without a movement of theirs."""
    cursor = tx.cursor(row_factory=class_row(Unpartnered))
    return cursor.execute(
        """
        SELECT entry.id, entry.order_id, entry.kind, entry.cause, line.currency, line.amount_minor, entry.booked_at
          FROM ledger_entries AS entry
          JOIN ledger_lines AS line ON line.entry_id = entry.id AND line.account = 'stripe'
         WHERE entry.booked_at >= %(start)s AND entry.booked_at < %(end)s
           AND NOT EXISTS (SELECT 1 FROM ledger_entries AS undone WHERE undone.cause = 'correction:' || entry.id)
           AND CASE
               WHEN entry.kind = 'capture' THEN
                   NOT EXISTS (SELECT 1 FROM payments JOIN provider_movements ON source_ref = charge_id
                                WHERE payments.order_id = entry.order_id)
               WHEN entry.kind IN ('refund', 'reversal') THEN
                   NOT EXISTS (SELECT 1 FROM refunds JOIN provider_movements ON source_ref = provider_refund_id
                                WHERE refunds.order_id = entry.order_id
                                  AND split_part(entry.cause, ':', 3) IN (refunds.id, provider_refund_id)
                                  AND sign(provider_movements.amount_minor) = sign(line.amount_minor))
               WHEN entry.kind = 'correction' THEN
                   split_part(entry.cause, ':', 2) NOT LIKE 'led\\_%%' AND split_part(entry.cause, ':', 2) <> 'balance'
                   AND NOT EXISTS (SELECT 1 FROM provider_movements WHERE id = split_part(entry.cause, ':', 2))
               ELSE NOT EXISTS (SELECT 1 FROM provider_movements
                                 WHERE id = split_part(entry.cause, ':', 2)
                                    OR source_ref = split_part(entry.cause, ':', 2))
               END
      ORDER BY entry.booked_at, entry.id, line.currency
         LIMIT %(limit)s
        """,
        {"start": start, "end": end, "limit": limit},
    ).fetchall()


def payment_of(tx: Tx, movement_id: str) -> str | None:
    row = tx.execute("SELECT payment_ref FROM provider_movements WHERE id = %(id)s", {"id": movement_id}).fetchone()
    return row[0] if row else None


def held(tx: Tx) -> dict[str, int]:
    """What our books say the provider holds, by currency."""
    rows = tx.execute("SELECT currency, balance_minor FROM ledger_balances WHERE account = 'stripe'").fetchall()
    return dict(rows)


def matched_sums(tx: Tx, *, start: datetime, end: datetime) -> list[tuple[str, str, int, int, int, int, int]]:
    """`(type, currency, number, amount, fee, net, still open)` of the movements of a span of time."""
    return tx.execute(
        """
        SELECT type, currency, count(*)::int, sum(amount_minor)::bigint, sum(fee_minor)::bigint,
               sum(net_minor)::bigint, count(*) FILTER (WHERE matched_at IS NULL AND foreign_at IS NULL)::int
          FROM provider_movements
         WHERE made_at >= %(start)s AND made_at < %(end)s
      GROUP BY type, currency
      ORDER BY type, currency
        """,
        {"start": start, "end": end},
    ).fetchall()
