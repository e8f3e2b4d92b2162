"""Pulls of the Product service's catalogue: how far each one is, and where the next begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from db.database import Tx

SYNC_LOCK = 7_305_003
"""The advisory lock of the one worker that pulls; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Sync:
    """`updated_since` None: all products. `cursor` None: from the beginning."""

    id: str
    updated_since: datetime | None
    cursor: str | None
    seen: int
    added: int
    changed: int
    rejected: int
    newest: datetime | None
    started_at: datetime
    ended_at: datetime | None


def claim(session: Tx) -> bool:
    """Be the one that pulls for as long as this session lives; False when another one is."""
    row = session.execute("SELECT pg_try_advisory_lock(%(key)s)", {"key": SYNC_LOCK}).fetchone()
    return bool(row and row[0])


def give_back(session: Tx) -> None:
    session.execute("SELECT pg_advisory_unlock(%(key)s)", {"key": SYNC_LOCK})


def start_full(tx: Tx, sync_id: str) -> None:
    tx.execute("INSERT INTO catalogue_syncs (id) VALUES (%(id)s)", {"id": sync_id})


def start_changes(tx: Tx, sync_id: str, *, overlap: timedelta) -> bool:
    """From where the last pull that ended well had come to; False when there was none yet."""
    made = tx.execute(
        """
        INSERT INTO catalogue_syncs (id, updated_since, newest)
        SELECT %(id)s, coalesce(newest, started_at) - %(overlap)s, newest
          FROM catalogue_syncs
         WHERE ended_at IS NOT NULL AND failure IS NULL
      ORDER BY coalesce(newest, started_at) DESC, id DESC
         LIMIT 1
        """,
        {"id": sync_id, "overlap": overlap},
    )
    return made.rowcount == 1


def open_sync(tx: Tx, *, full: bool) -> str | None:
    """The one that has not ended yet."""
    row = tx.execute(
        """
        SELECT id FROM catalogue_syncs
         WHERE ended_at IS NULL AND (updated_since IS NULL) = %(full)s
      ORDER BY id LIMIT 1
        """,
        {"full": full},
    ).fetchone()
    return row[0] if row else None


def read(tx: Tx, sync_id: str) -> Sync | None:
    cur = tx.cursor(row_factory=class_row(Sync))
    return cur.execute(
        """
        SELECT id, updated_since, cursor, seen, added, changed, rejected, newest, started_at, ended_at
          FROM catalogue_syncs WHERE id = %(id)s
        """,
        {"id": sync_id},
    ).fetchone()


def save(
    tx: Tx, sync_id: str, *, cursor: str | None, counts: Mapping[str, int], newest: datetime | None, ended: bool
) -> None:
    """One batch further. `counts`: seen, added, changed and rejected of this batch."""
    tx.execute(
        """
        UPDATE catalogue_syncs
           SET cursor = %(cursor)s, seen = seen + %(seen)s, added = added + %(added)s, changed = changed + %(changed)s,
               rejected = rejected + %(rejected)s, newest = greatest(newest, %(newest)s),
               ended_at = CASE WHEN %(ended)s THEN now() END
         WHERE id = %(id)s
        """,
        {**counts, "id": sync_id, "cursor": cursor, "newest": newest, "ended": ended},
    )


def give_up(tx: Tx, sync_id: str, *, reason: str) -> None:
    tx.execute(
        "UPDATE catalogue_syncs SET ended_at = now(), failure = %(reason)s WHERE id = %(id)s",
        {"id": sync_id, "reason": reason[:500]},
    )


def forget_changes(tx: Tx, *, days: int) -> None:
    """Old pulls of changes; full ones are few and stay."""
    tx.execute(
        """
        DELETE FROM catalogue_syncs
         WHERE updated_since IS NOT NULL AND ended_at < now() - make_interval(days => %(days)s)
        """,
        {"days": days},
    )
