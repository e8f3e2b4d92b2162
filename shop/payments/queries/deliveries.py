"""The inbox of the provider's news."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.payments.rows import Delivery
from shop.ports.notices import Event


def insert(
    tx: Tx,
    *,
    delivery_id: str,
    event: Event,
    source: str,
    secret_label: str | None,
    body: str,
    headers: Mapping[str, str],
    remote_address: str | None,
    state: str,
    reason: str | None,
) -> bool:
    """False if this event is in the inbox already."""
    inserted = tx.execute(
        """
        INSERT INTO webhook_deliveries (id, event_id, source, type, object_id, object_kind, payment_ref, api_version,
                                        secret_label, body, headers, remote_address, event_at, state, reason,
                                        settled_at)
        VALUES (%(id)s, %(event_id)s, %(source)s, %(type)s, %(object_id)s, %(object_kind)s, %(payment_ref)s,
                %(api_version)s, %(secret_label)s, %(body)s, %(headers)s, %(remote_address)s, %(event_at)s, %(state)s,
                left(%(reason)s, 300), CASE WHEN %(state)s = 'ignored' THEN clock_timestamp() END)
        ON CONFLICT (event_id) DO NOTHING
        """,
        {
            "id": delivery_id,
            "event_id": event.id,
            "source": source,
            "type": event.type[:120],
            "object_id": event.object_id,
            "object_kind": event.object_kind,
            "payment_ref": event.payment_id,
            "api_version": event.api_version,
            "secret_label": secret_label,
            "body": body,
            "headers": Jsonb(headers),
            "remote_address": remote_address,
            "event_at": event.at,
            "state": state,
            "reason": reason,
        },
    )
    return inserted.rowcount == 1


def insert_refused(
    tx: Tx,
    *,
    delivery_id: str,
    reason: str,
    secret_label: str | None,
    body: str,
    headers: Mapping[str, str],
    remote_address: str | None,
) -> None:
    tx.execute(
        """
        INSERT INTO webhook_deliveries (id, source, secret_label, body, headers, remote_address, state, reason,
                                        settled_at)
        VALUES (%(id)s, 'webhook', %(secret_label)s, %(body)s, %(headers)s, %(remote_address)s, 'refused', %(reason)s,
                now())
        """,
        {
            "id": delivery_id,
            "secret_label": secret_label,
            "body": body,
            "headers": Jsonb(headers),
            "remote_address": remote_address,
            "reason": reason,
        },
    )


def refused_lately(tx: Tx) -> int:
    """How many deliveries with a wrong signature were kept in the last hour."""
    row = tx.execute(
        """
        SELECT count(*) FROM webhook_deliveries
         WHERE received_at > now() - interval '1 hour' AND state = 'refused'
        """
    ).fetchone()
    assert row is not None
    return row[0]


def count_repeat(tx: Tx, event_id: str) -> bool:
    """Whether this was the first call about an event that the sweep had found before."""
    row = tx.execute(
        """
        UPDATE webhook_deliveries SET repeats = repeats + 1
         WHERE event_id = %(id)s
     RETURNING source = 'poll' AND repeats = 1
        """,
        {"id": event_id},
    ).fetchone()
    return row is not None and bool(row[0])


def begin(tx: Tx, delivery_id: str) -> Delivery | None:
    """Count a try of a delivery that is not settled; None for one that is."""
    cursor = tx.cursor(row_factory=class_row(Delivery))
    return cursor.execute(
        """
        UPDATE webhook_deliveries SET attempts = attempts + 1
         WHERE id = %(id)s AND state IN ('received', 'parked')
     RETURNING id, event_id, source, type, object_id, object_kind, payment_ref, state, attempts, adopt_into
        """,
        {"id": delivery_id},
    ).fetchone()


def uncount(tx: Tx, delivery_id: str) -> None:
    """Nobody was there to ask: the delivery is not to blame for this try."""
    tx.execute(
        "UPDATE webhook_deliveries SET attempts = attempts - 1 WHERE id = %(id)s AND attempts > 0", {"id": delivery_id}
    )


def settle(
    tx: Tx,
    delivery_id: str,
    *,
    state: str,
    reason: str | None,
    order_id: str | None,
    seen: Mapping[str, Any] | None = None,
) -> bool:
    """False if somebody else settled it before."""
    updated = tx.execute(
        """
        UPDATE webhook_deliveries
           SET state = %(state)s, reason = left(%(reason)s, 300), order_id = coalesce(%(order_id)s, order_id),
               seen = coalesce(%(seen)s, seen), adopt_into = NULL, retry_at = NULL, settled_at = clock_timestamp()
         WHERE id = %(id)s AND state IN ('received', 'parked')
        """,
        {
            "id": delivery_id,
            "state": state,
            "reason": reason,
            "order_id": order_id,
            "seen": None if seen is None else Jsonb(seen),
        },
    )
    return updated.rowcount == 1


def park(
    tx: Tx,
    delivery_id: str,
    *,
    reason: str,
    order_id: str | None,
    wait_s: float | None,
    seen: Mapping[str, Any] | None = None,
) -> bool:
    """Have it wait for so long; without a time it is an orphan, and waits for a person. False if it is settled."""
    updated = tx.execute(
        """
        UPDATE webhook_deliveries
           SET state = CASE WHEN %(wait_s)s::float IS NULL THEN 'orphan' ELSE 'parked' END,
               reason = left(%(reason)s, 300), order_id = coalesce(%(order_id)s, order_id),
               seen = coalesce(%(seen)s, seen), adopt_into = NULL,
               retry_at = now() + make_interval(secs => %(wait_s)s::float)
         WHERE id = %(id)s AND state IN ('received', 'parked')
        """,
        {
            "id": delivery_id,
            "reason": reason,
            "order_id": order_id,
            "wait_s": wait_s,
            "seen": None if seen is None else Jsonb(seen),
        },
    )
    return updated.rowcount == 1


def waiting(tx: Tx, *, received_for_s: float, limit: int) -> list[str]:
    """Deliveries whose time has come: parked ones that are due, and received ones that nobody read."""
    rows = tx.execute(
        """
        (SELECT id FROM webhook_deliveries
          WHERE state = 'parked' AND retry_at <= now()
       ORDER BY retry_at
          LIMIT %(limit)s)
        UNION ALL
        (SELECT id FROM webhook_deliveries
          WHERE state = 'received' AND received_at < now() - make_interval(secs => %(received_for_s)s)
       ORDER BY received_at
          LIMIT %(limit)s)
        """,
        {"received_for_s": received_for_s, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def watermark(tx: Tx, name: str) -> datetime | None:
    row = tx.execute("SELECT position FROM provider_watermarks WHERE name = %(name)s", {"name": name}).fetchone()
    return row[0] if row else None


def move_watermark(tx: Tx, name: str, position: datetime) -> None:
    """Only ever forward."""
    tx.execute(
        """
        INSERT INTO provider_watermarks (name, position) VALUES (%(name)s, %(position)s)
        ON CONFLICT (name) DO UPDATE
           SET position = greatest(provider_watermarks.position, EXCLUDED.position), changed_at = now()
        """,
        {"name": name, "position": position},
    )


def known(tx: Tx, event_ids: Sequence[str]) -> frozenset[str]:
    """Those of the events that are in the inbox."""
    rows = tx.execute(
        "SELECT event_id FROM webhook_deliveries WHERE event_id = ANY(%(ids)s)", {"ids": list(event_ids)}
    ).fetchall()
    return frozenset(row[0] for row in rows)
