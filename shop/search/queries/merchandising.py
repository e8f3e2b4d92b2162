"""What people at the shop decided about searches: synonyms, and products pinned to a query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Synonyms:
    """kind: equal or one_way (from the first term to the others). state: suggested, active or dismissed."""

    id: str
    kind: str
    terms: list[str]
    state: str
    source: str
    evidence: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Pins:
    """`product_ids` in the order they are shown, from `starts_at` until `ends_at` where these are set."""

    id: str
    query: str
    normalised: str
    product_ids: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime
    updated_at: datetime


def save_synonyms(
    tx: Tx, *, synonyms_id: str, kind: str, terms: Sequence[str], folded: str, state: str
) -> Synonyms | None:
    """The row; None when the same terms are kept under another id already."""
    cur = tx.cursor(row_factory=class_row(Synonyms))
    return cur.execute(
        """
        INSERT INTO search_synonyms AS known (id, kind, terms, folded, state)
        SELECT %(id)s, %(kind)s, %(terms)s, %(folded)s, %(state)s
         WHERE NOT EXISTS (SELECT FROM search_synonyms o
                            WHERE o.kind = %(kind)s AND o.folded = %(folded)s AND o.id <> %(id)s)
            ON CONFLICT (id) DO UPDATE
           SET kind = EXCLUDED.kind, terms = EXCLUDED.terms, folded = EXCLUDED.folded, state = EXCLUDED.state,
               updated_at = now()
     RETURNING id, kind, terms, state, source, evidence, created_at, updated_at
        """,
        {"id": synonyms_id, "kind": kind, "terms": list(terms), "folded": folded, "state": state},
    ).fetchone()


def synonyms_like(tx: Tx, *, kind: str, folded: str) -> str | None:
    """The id under which these terms are kept."""
    row = tx.execute(
        "SELECT id FROM search_synonyms WHERE kind = %(kind)s AND folded = %(folded)s",
        {"kind": kind, "folded": folded},
    ).fetchone()
    return row[0] if row else None


def has_synonyms(tx: Tx, synonyms_id: str) -> bool:
    row = tx.execute("SELECT FROM search_synonyms WHERE id = %(id)s FOR UPDATE", {"id": synonyms_id}).fetchone()
    return row is not None


def list_synonyms(tx: Tx, *, state: str | None, before: str | None, limit: int) -> list[Synonyms]:
    """Newest first."""
    cur = tx.cursor(row_factory=class_row(Synonyms))
    return cur.execute(
        """
        SELECT id, kind, terms, state, source, evidence, created_at, updated_at
          FROM search_synonyms
         WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(before)s::text IS NULL OR id < %(before)s)
      ORDER BY id DESC LIMIT %(limit)s
        """,
        {"state": state, "before": before, "limit": limit},
    ).fetchall()


def active_synonyms(tx: Tx, *, limit: int) -> list[tuple[str, list[str]]]:
    """Kind and terms."""
    return tx.execute(
        "SELECT kind, terms FROM search_synonyms WHERE state = 'active' ORDER BY id DESC LIMIT %(limit)s",
        {"limit": limit},
    ).fetchall()


def delete_synonyms(tx: Tx, synonyms_id: str) -> bool:
    gone = tx.execute("DELETE FROM search_synonyms WHERE id = %(id)s", {"id": synonyms_id})
    return gone.rowcount > 0


def save_pins(
    tx: Tx,
    *,
    pins_id: str,
    query: str,
    normalised: str,
    product_ids: Sequence[str],
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> Pins:
    """One row for all writings of a query."""
    cur = tx.cursor(row_factory=class_row(Pins))
    row = cur.execute(
        """
        INSERT INTO search_pins (id, query, normalised, product_ids, starts_at, ends_at)
        VALUES (%(id)s, %(query)s, %(normalised)s, %(product_ids)s, %(starts_at)s, %(ends_at)s)
            ON CONFLICT (normalised) DO UPDATE
           SET query = EXCLUDED.query, product_ids = EXCLUDED.product_ids, starts_at = EXCLUDED.starts_at,
               ends_at = EXCLUDED.ends_at, updated_at = now()
     RETURNING id, query, normalised, product_ids, starts_at, ends_at, created_at, updated_at
        """,
        {
            "id": pins_id,
            "query": query,
            "normalised": normalised,
            "product_ids": list(product_ids),
            "starts_at": starts_at,
            "ends_at": ends_at,
        },
    ).fetchone()
    assert row is not None, "it was written"
    return row


def list_pins(tx: Tx, *, normalised: str | None, before: str | None, limit: int) -> list[Pins]:
    """Newest first; of one query when it is given."""
    cur = tx.cursor(row_factory=class_row(Pins))
    return cur.execute(
        """
        SELECT id, query, normalised, product_ids, starts_at, ends_at, created_at, updated_at
          FROM search_pins
         WHERE (%(normalised)s::text IS NULL OR normalised = %(normalised)s)
           AND (%(before)s::text IS NULL OR id < %(before)s)
      ORDER BY id DESC LIMIT %(limit)s
        """,
        {"normalised": normalised, "before": before, "limit": limit},
    ).fetchall()


def delete_pins(tx: Tx, *, pins_id: str | None, normalised: str | None) -> bool:
    gone = tx.execute(
        "DELETE FROM search_pins WHERE id = %(id)s OR normalised = %(normalised)s",
        {"id": pins_id, "normalised": normalised},
    )
    return gone.rowcount > 0


def unknown_products(tx: Tx, product_ids: Sequence[str]) -> list[str]:
    rows = tx.execute(
        """
        SELECT given.id FROM unnest(%(ids)s::text[]) AS given(id)
         WHERE NOT EXISTS (SELECT FROM products p WHERE p.id = given.id)
        """,
        {"ids": list(product_ids)},
    ).fetchall()
    return [row[0] for row in rows]
