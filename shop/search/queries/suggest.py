"""Suggestions as they are kept: who asked what, what is suggested, and from where it is found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from db.database import Tx

SUGGEST_LOCK = 7_305_004
"""The advisory lock of whoever writes suggestions; any number that nobody else uses."""

BEYOND = "\U0010ffff"
"""Sorts behind every letter: the end of what begins alike."""


@dataclass(frozen=True, slots=True)
class Reworded:
    """A product whose words changed; all but the id None or False when it is gone."""

    id: str
    active: bool
    name: str | None
    description: str | None
    category: str | None
    brand: str | None
    attributes: Mapping[str, Any] | None
    rating_count: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: str
    name: str
    text: str
    weight: float
    category: str | None = None
    brand: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    id: int
    kind: str
    name: str
    category: str | None
    brand: str | None


def lock(tx: Tx) -> None:
    """One writer at a time, until the transaction ends."""
    tx.execute("SELECT set_config('statement_timeout', '120s', true), set_config('lock_timeout', '60s', true)")
    tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", {"key": SUGGEST_LOCK})


def note_reworded(tx: Tx, product_ids: Sequence[str]) -> None:
    tx.execute(
        """
        INSERT INTO search_reworded (product_id)
        SELECT unnest(%(ids)s::text[]) ORDER BY 1 ON CONFLICT DO NOTHING
        """,
        {"ids": list(product_ids)},
    )


def take_reworded(tx: Tx, *, limit: int) -> list[Reworded]:
    cur = tx.cursor(row_factory=class_row(Reworded))
    return cur.execute(
        """
        WITH taken AS (
            DELETE FROM search_reworded
             WHERE product_id IN (SELECT product_id FROM search_reworded
                                  ORDER BY product_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            RETURNING product_id
        )
        SELECT t.product_id AS id, coalesce(p.active, false) AS active, p.name, p.description, p.category, p.brand,
               p.attributes, p.rating_count
          FROM taken t
          LEFT JOIN products p ON p.id = t.product_id
        """,
        {"limit": limit},
    ).fetchall()


def count_reworded(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM search_reworded").fetchone()
    return row[0] if row else 0


def mark(tx: Tx, name: str) -> datetime | None:
    """How far a reader has come; None when it never read."""
    row = tx.execute("SELECT at FROM search_marks WHERE name = %(name)s", {"name": name}).fetchone()
    return row[0] if row else None


def set_mark(tx: Tx, name: str, at: datetime) -> None:
    tx.execute(
        """
        INSERT INTO search_marks (name, at) VALUES (%(name)s, %(at)s)
            ON CONFLICT (name) DO UPDATE SET at = greatest(search_marks.at, EXCLUDED.at)
        """,
        {"name": name, "at": at},
    )


def note_askers(tx: Tx, *, since: datetime | None, days: int, longest: int) -> list[str]:
    """Who asked for what since then and found something; answers the queries. Askers without a name do not count."""
    rows = tx.execute(
        """
        WITH asked AS (
            SELECT coalesce(corrected, normalised) AS query,
                   hashtextextended(coalesce('c:' || customer_id, 'v:' || visitor_id), 0) AS asker,
                   max(searched_at) AS last_at
              FROM search_queries
             WHERE searched_at >= greatest(%(since)s, now() - make_interval(days => %(days)s)) AND total > 0
               AND (customer_id IS NOT NULL OR visitor_id IS NOT NULL)
               AND length(coalesce(corrected, normalised)) BETWEEN 2 AND %(longest)s
          GROUP BY 1, 2
          ORDER BY 1, 2
        ), noted AS (
            INSERT INTO search_askers (query, asker, last_at)
            SELECT query, asker, last_at FROM asked
                ON CONFLICT (query, asker) DO UPDATE SET last_at = greatest(search_askers.last_at, EXCLUDED.last_at)
            RETURNING query
        )
        SELECT DISTINCT query FROM noted
        """,
        {"since": since, "days": days, "longest": longest},
    ).fetchall()
    return [row[0] for row in rows]


def forget_askers(tx: Tx, *, days: int, limit: int) -> list[str]:
    """Who has not asked for so long; answers the queries that lost somebody."""
    rows = tx.execute(
        """
        WITH old AS (
            SELECT query, asker FROM search_askers
             WHERE last_at < now() - make_interval(days => %(days)s) ORDER BY last_at LIMIT %(limit)s
        ), gone AS (
            DELETE FROM search_askers a USING old WHERE a.query = old.query AND a.asker = old.asker
            RETURNING a.query
        )
        SELECT DISTINCT query FROM gone
        """,
        {"days": days, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def count_askers(tx: Tx, queries: Sequence[str]) -> dict[str, int]:
    rows = tx.execute(
        "SELECT query, count(*) FROM search_askers WHERE query = ANY(%(queries)s) GROUP BY query",
        {"queries": list(queries)},
    ).fetchall()
    return dict(rows)


def little_asked(tx: Tx, *, least: int, limit: int) -> list[str]:
    """Suggested queries with fewer askers than that: somebody was forgotten since."""
    rows = tx.execute(
        """
        SELECT s.name FROM search_suggestions s
         WHERE s.kind = 'query'
           AND (SELECT count(*) FROM (SELECT FROM search_askers a WHERE a.query = s.name LIMIT %(least)s) asker)
               < %(least)s
         LIMIT %(limit)s
        """,
        {"least": least, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def known(tx: Tx, kind: str, names: Sequence[str]) -> list[Known]:
    cur = tx.cursor(row_factory=class_row(Known))
    return cur.execute(
        """
        SELECT id, kind, name, category, brand FROM search_suggestions
         WHERE kind = %(kind)s AND name = ANY(%(names)s)
        """,
        {"kind": kind, "names": list(names)},
    ).fetchall()


def count_in_categories(tx: Tx, names: Sequence[str]) -> list[tuple[str, int]]:
    """Each way a category is written, with its active products; `names` in lower case."""
    return tx.execute(
        """
        SELECT category, count(*) FROM products
         WHERE active AND lower(category) = ANY(%(names)s) GROUP BY category ORDER BY 2 DESC, 1
        """,
        {"names": list(names)},
    ).fetchall()


def count_of_brands(tx: Tx, names: Sequence[str]) -> list[tuple[str, int]]:
    """Each way a brand is written, with its active products; `names` in lower case."""
    return tx.execute(
        """
        SELECT brand, count(*) FROM products
         WHERE active AND lower(brand) = ANY(%(names)s) GROUP BY brand ORDER BY 2 DESC, 1
        """,
        {"names": list(names)},
    ).fetchall()


def save(tx: Tx, wanted: Sequence[Wanted]) -> dict[tuple[str, str], int]:
    """The ids of those that are new or changed, by kind and name; what is as it was is left alone."""
    rows = tx.execute(
        """
        INSERT INTO search_suggestions AS s (kind, name, text, weight, category, brand)
        SELECT g.kind, g.name, g.text, g.weight, g.category, g.brand
          FROM unnest(%(kinds)s::text[], %(names)s::text[], %(texts)s::text[], %(weights)s::real[],
                      %(categories)s::text[], %(brands)s::text[]) AS g(kind, name, text, weight, category, brand)
            ON CONFLICT (kind, name) DO UPDATE
           SET text = EXCLUDED.text, weight = EXCLUDED.weight, category = EXCLUDED.category, brand = EXCLUDED.brand
         WHERE (s.text, s.weight, s.category, s.brand)
               IS DISTINCT FROM (EXCLUDED.text, EXCLUDED.weight, EXCLUDED.category, EXCLUDED.brand)
     RETURNING s.kind, s.name, s.id
        """,
        {
            "kinds": [one.kind for one in wanted],
            "names": [one.name for one in wanted],
            "texts": [one.text for one in wanted],
            "weights": [one.weight for one in wanted],
            "categories": [one.category for one in wanted],
            "brands": [one.brand for one in wanted],
        },
    ).fetchall()
    return {(kind, name): number for kind, name, number in rows}


def drop_keys(tx: Tx, suggestion_ids: Sequence[int]) -> list[str]:
    """Answers the keys that are gone."""
    rows = tx.execute(
        "DELETE FROM search_suggestion_keys WHERE suggestion_id = ANY(%(ids)s) RETURNING key",
        {"ids": list(suggestion_ids)},
    ).fetchall()
    return [row[0] for row in rows]


def drop(tx: Tx, suggestion_ids: Sequence[int]) -> None:
    tx.execute("DELETE FROM search_suggestions WHERE id = ANY(%(ids)s)", {"ids": list(suggestion_ids)})


def add_keys(tx: Tx, rows: Sequence[tuple[str, int, float]]) -> None:
    """`rows`: key, suggestion and weight."""
    tx.execute(
        """
        INSERT INTO search_suggestion_keys (key, suggestion_id, weight)
        SELECT g.key, g.suggestion_id, g.weight
          FROM unnest(%(keys)s::text[], %(ids)s::bigint[], %(weights)s::real[]) AS g(key, suggestion_id, weight)
        """,
        {
            "keys": [key for key, _, _ in rows],
            "ids": [number for _, number, _ in rows],
            "weights": [weight for _, _, weight in rows],
        },
    )


def add_beginnings(tx: Tx, beginnings: Mapping[str, Collection[str]]) -> None:
    """`beginnings` with their pieces. They are never forgotten: what nothing begins with any more suggests nothing."""
    tx.execute(
        """
        INSERT INTO search_beginnings (piece, beginning)
        SELECT g.piece, g.beginning
          FROM unnest(%(pieces)s::text[], %(beginnings)s::text[]) AS g(piece, beginning) ORDER BY 1, 2
            ON CONFLICT DO NOTHING
        """,
        {
            "pieces": [piece for pieces in beginnings.values() for piece in pieces],
            "beginnings": [beginning for beginning, pieces in beginnings.items() for _ in pieces],
        },
    )


def known_beginnings(tx: Tx, beginnings: Collection[str]) -> set[str]:
    rows = tx.execute(
        """
        SELECT b.beginning
          FROM unnest(%(beginnings)s::text[]) AS b(beginning)
          JOIN search_beginnings known ON known.piece = b.beginning AND known.beginning = b.beginning
        """,
        {"beginnings": list(beginnings)},
    ).fetchall()
    return {row[0] for row in rows}
