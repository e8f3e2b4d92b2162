"""SQL of the funnels that people keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Saved:
    """`definition` is what the funnel's route takes, without a range."""

    id: str
    name: str
    definition: Mapping[str, Any]
    made_by: str
    created_at: datetime
    updated_at: datetime


def insert(tx: Tx, funnel_id: str, *, name: str, definition: Mapping[str, Any], by: str) -> Saved | None:
    """None when another has the name."""
    return (
        tx.cursor(row_factory=class_row(Saved))
        .execute(
            """
            INSERT INTO funnels (id, name, definition, made_by)
            VALUES (%(id)s, %(name)s, %(definition)s, %(by)s)
                ON CONFLICT (name) DO NOTHING
         RETURNING id, name, definition, made_by, created_at, updated_at
            """,
            {"id": funnel_id, "name": name, "definition": Jsonb(definition), "by": by},
        )
        .fetchone()
    )


def name_is_taken(tx: Tx, name: str, *, by_other_than: str) -> bool:
    row = tx.execute(
        "SELECT EXISTS (SELECT FROM funnels WHERE name = %(name)s AND id <> %(id)s)",
        {"name": name, "id": by_other_than},
    ).fetchone()
    return row is not None and row[0]


def update(tx: Tx, funnel_id: str, *, name: str, definition: Mapping[str, Any]) -> Saved | None:
    """None when there is none."""
    return (
        tx.cursor(row_factory=class_row(Saved))
        .execute(
            """
            UPDATE funnels SET name = %(name)s, definition = %(definition)s, updated_at = now() WHERE id = %(id)s
         RETURNING id, name, definition, made_by, created_at, updated_at
            """,
            {"id": funnel_id, "name": name, "definition": Jsonb(definition)},
        )
        .fetchone()
    )


def delete(tx: Tx, funnel_id: str) -> bool:
    return tx.execute("DELETE FROM funnels WHERE id = %(id)s", {"id": funnel_id}).rowcount > 0


def one(tx: Tx, funnel_id: str) -> Saved | None:
    return (
        tx.cursor(row_factory=class_row(Saved))
        .execute(
            "SELECT id, name, definition, made_by, created_at, updated_at FROM funnels WHERE id = %(id)s",
            {"id": funnel_id},
        )
        .fetchone()
    )


def some(tx: Tx, *, before: str | None, limit: int) -> list[Saved]:
    """The newest first."""
    return (
        tx.cursor(row_factory=class_row(Saved))
        .execute(
            """
            SELECT id, name, definition, made_by, created_at, updated_at FROM funnels
             WHERE %(before)s::text IS NULL OR id < %(before)s
          ORDER BY id DESC LIMIT %(limit)s
            """,
            {"before": before, "limit": limit},
        )
        .fetchall()
    )
