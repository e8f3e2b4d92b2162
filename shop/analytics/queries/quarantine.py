"""SQL of quarantined events: what waits, why, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Quarantined:
    """`events`: how many it stands for. `body`: a batch that could not be read, to the byte; else `raw` is one event.

    `minute`, `sender` and `via` name the line of the conservation ledger in which it is counted.
    """

    id: int
    batch_id: str
    raw: str
    reason: str
    quarantined_at: datetime
    minute: datetime | None
    sender: str
    via: str
    events: int
    body: bytes | None
    tries: int
    tried_at: datetime | None
    settled_at: datetime | None
    settled_as: str | None
    settled_by: str | None


def listed(tx: Tx, *, settled: bool, before: int | None, limit: int) -> list[Quarantined]:
    """Newest first, without their contents: those may be somebody's."""
    return (
        tx.cursor(row_factory=class_row(Quarantined))
        .execute(
            """
            SELECT id, batch_id, '' AS raw, reason, quarantined_at, minute, sender, via, events, NULL::bytea AS body,
                   tries, tried_at, settled_at, settled_as, settled_by
              FROM quarantined_events
             WHERE (settled_at IS NOT NULL) = %(settled)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"settled": settled, "before": before, "limit": limit},
        )
        .fetchall()
    )


def one(tx: Tx, quarantine_id: int) -> Quarantined | None:
    """Locked until the caller commits."""
    return (
        tx.cursor(row_factory=class_row(Quarantined))
        .execute(
            """
            SELECT id, batch_id, raw, reason, quarantined_at, minute, sender, via, events, body, tries, tried_at,
                   settled_at, settled_as, settled_by
              FROM quarantined_events WHERE id = %(id)s FOR UPDATE
            """,
            {"id": quarantine_id},
        )
        .fetchone()
    )


def open_ids(tx: Tx, *, after: int, limit: int) -> list[int]:
    """Oldest first."""
    rows = tx.execute(
        "SELECT id FROM quarantined_events WHERE settled_at IS NULL AND id > %(after)s ORDER BY id LIMIT %(limit)s",
        {"after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def settle(tx: Tx, quarantine_id: int, *, settled_as: str, settled_by: str) -> bool:
    """False when somebody has settled it already."""
    return (
        tx.execute(
            """
            UPDATE quarantined_events
               SET settled_at = now(), settled_as = %(settled_as)s, settled_by = %(settled_by)s
             WHERE id = %(id)s AND settled_at IS NULL
            """,
            {"id": quarantine_id, "settled_as": settled_as, "settled_by": settled_by},
        ).rowcount
        == 1
    )


def note_try(tx: Tx, quarantine_id: int, *, reason: str) -> None:
    tx.execute(
        """
        UPDATE quarantined_events SET tries = tries + 1, tried_at = now(), reason = %(reason)s WHERE id = %(id)s
        """,
        {"id": quarantine_id, "reason": reason},
    )
