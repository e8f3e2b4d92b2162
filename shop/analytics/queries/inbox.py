"""SQL of the inbox: batches that came while Redis was away."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class KeptBatch:
    id: int
    body: bytes
    events: int


def keep(tx: Tx, *, body: bytes, events: int, received_at: datetime) -> None:
    tx.execute(
        """
        INSERT INTO event_inbox (body, events, received_at)
        VALUES (%(body)s, %(events)s, %(received_at)s)
        """,
        {"body": body, "events": events, "received_at": received_at},
    )


def take(tx: Tx, *, limit: int) -> list[KeptBatch]:
    """The oldest batches, gone when the caller commits; two takers never get the same one."""
    return (
        tx.cursor(row_factory=class_row(KeptBatch))
        .execute(
            """
            DELETE FROM event_inbox
             WHERE id IN (SELECT id FROM event_inbox ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
         RETURNING id, body, events
            """,
            {"limit": limit},
        )
        .fetchall()
    )


def oldest(tx: Tx) -> datetime | None:
    """When the batch came that has waited longest."""
    row = tx.execute("SELECT min(received_at) FROM event_inbox").fetchone()
    return row[0] if row else None


def waiting_events(tx: Tx) -> int:
    row = tx.execute("SELECT coalesce(sum(events), 0)::bigint FROM event_inbox").fetchone()
    return row[0] if row else 0
