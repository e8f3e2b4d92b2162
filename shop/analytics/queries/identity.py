"""SQL of who was signed in on whose browser, and of taking that back."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Link:
    """`undone`: somebody decided that what was done there anonymously says nothing about this customer."""

    visitor_id: str
    user_id: str
    first_at: datetime
    last_at: datetime
    undone: bool


@dataclass(frozen=True, slots=True)
class Decision:
    id: int
    visitor_id: str
    user_id: str
    linked: bool
    reason: str
    decided_by: str
    decided_at: datetime


def note_links(tx: Tx) -> None:
    """From the events just stored. An order whose visitor is not known has its own id as visitor: that is nobody."""
    tx.execute(
        """
        INSERT INTO identity_links AS kept (visitor_id, user_id, first_at, last_at)
        SELECT visitor_id, user_id, min(ts), max(ts)
          FROM stored_events
         WHERE user_id IS NOT NULL AND visitor_id IS DISTINCT FROM order_id
      GROUP BY visitor_id, user_id
      ORDER BY visitor_id, user_id
            ON CONFLICT (visitor_id, user_id) DO UPDATE
           SET first_at = least(kept.first_at, EXCLUDED.first_at), last_at = greatest(kept.last_at, EXCLUDED.last_at)
         WHERE kept.first_at > EXCLUDED.first_at OR kept.last_at < EXCLUDED.last_at
        """
    )


def links(tx: Tx, *, visitor_id: str | None, user_id: str | None, limit: int) -> list[Link]:
    """Of one of the two, the newest first."""
    return (
        tx.cursor(row_factory=class_row(Link))
        .execute(
            """
            SELECT visitor_id, user_id, first_at, last_at, undone
              FROM identity_links
             WHERE visitor_id = %(visitor_id)s OR user_id = %(user_id)s
          ORDER BY last_at DESC, visitor_id, user_id
             LIMIT %(limit)s
            """,
            {"visitor_id": visitor_id, "user_id": user_id, "limit": limit},
        )
        .fetchall()
    )


def decisions(tx: Tx, *, visitor_id: str | None, user_id: str | None, limit: int) -> list[Decision]:
    """Of one of the two, the newest first."""
    return (
        tx.cursor(row_factory=class_row(Decision))
        .execute(
            """
            SELECT id, visitor_id, user_id, linked, reason, decided_by, decided_at
              FROM identity_decisions
             WHERE visitor_id = %(visitor_id)s OR user_id = %(user_id)s
          ORDER BY id DESC
             LIMIT %(limit)s
            """,
            {"visitor_id": visitor_id, "user_id": user_id, "limit": limit},
        )
        .fetchall()
    )


def decide(tx: Tx, *, visitor_id: str, user_id: str, linked: bool) -> Link | None:
    """The link as it is now; None when these two were never seen together."""
    return (
        tx.cursor(row_factory=class_row(Link))
        .execute(
            """
            UPDATE identity_links SET undone = NOT %(linked)s
             WHERE visitor_id = %(visitor_id)s AND user_id = %(user_id)s
         RETURNING visitor_id, user_id, first_at, last_at, undone
            """,
            {"visitor_id": visitor_id, "user_id": user_id, "linked": linked},
        )
        .fetchone()
    )


def note_decision(tx: Tx, *, visitor_id: str, user_id: str, linked: bool, reason: str, decided_by: str) -> None:
    tx.execute(
        """
        INSERT INTO identity_decisions (visitor_id, user_id, linked, reason, decided_by)
        VALUES (%(visitor_id)s, %(user_id)s, %(linked)s, %(reason)s, %(decided_by)s)
        """,
        {
            "visitor_id": visitor_id,
            "user_id": user_id,
            "linked": linked,
            "reason": reason,
            "decided_by": decided_by,
        },
    )
