"""The best suggestions of crowded beginnings, made when keys change so that nobody has to sort while somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from shop.search.queries.suggest import BEYOND


@dataclass(frozen=True, slots=True)
class Completion:
    kind: str
    name: str
    text: str


def crowded(tx: Tx, prefixes: Sequence[str], *, limit: int) -> set[str]:
    """Those with which more than `limit` keys begin."""
    rows = tx.execute(
        """
        SELECT p.prefix
          FROM unnest(%(prefixes)s::text[]) AS p(prefix)
         CROSS JOIN LATERAL (
               SELECT 1 FROM search_suggestion_keys k
                WHERE k.key >= p.prefix COLLATE "C" AND k.key < (p.prefix || %(beyond)s) COLLATE "C"
               OFFSET %(limit)s LIMIT 1) more
        """,
        {"prefixes": list(prefixes), "limit": limit, "beyond": BEYOND},
    ).fetchall()
    return {row[0] for row in rows}


def save_tops(tx: Tx, prefixes: Sequence[str], *, product_weight: float, each: int) -> None:
    """The best `each` products and the best `each` others; a product weighs at most `product_weight`."""
    tx.execute(
        """
        INSERT INTO search_suggestion_tops (prefix, suggestion_ids)
        SELECT p.prefix, best.ids
          FROM unnest(%(prefixes)s::text[]) AS p(prefix)
         CROSS JOIN LATERAL (
               SELECT array_agg(r.suggestion_id ORDER BY r.weight DESC, r.suggestion_id) AS ids
                 FROM (SELECT k.suggestion_id, max(k.weight) AS weight,
                              row_number() OVER (PARTITION BY max(k.weight) <= %(product)s
                                                     ORDER BY max(k.weight) DESC, k.suggestion_id) AS place
                         FROM search_suggestion_keys k
                        WHERE k.key >= p.prefix COLLATE "C" AND k.key < (p.prefix || %(beyond)s) COLLATE "C"
                     GROUP BY k.suggestion_id) r
                WHERE r.place <= %(each)s) best
            ON CONFLICT (prefix) DO UPDATE SET suggestion_ids = EXCLUDED.suggestion_ids
         WHERE search_suggestion_tops.suggestion_ids <> EXCLUDED.suggestion_ids
        """,
        {"prefixes": list(prefixes), "beyond": BEYOND, "product": product_weight, "each": each},
    )


def drop_tops(tx: Tx, prefixes: Sequence[str]) -> None:
    """Of these and of all that begin with them."""
    tx.execute(
        """
        DELETE FROM search_suggestion_tops t
         USING unnest(%(prefixes)s::text[]) AS p(prefix)
         WHERE t.prefix >= p.prefix COLLATE "C" AND t.prefix < (p.prefix || %(beyond)s) COLLATE "C"
        """,
        {"prefixes": list(prefixes), "beyond": BEYOND},
    )


def completions(tx: Tx, prefixes: Sequence[str], *, most: int, limit: int, read: int) -> list[Completion]:
    """What begins with the first `most` of these with which anything begins, best first; crowded ones go before the
    others. Of a beginning that is not crowded all `read` keys are looked at.

    A product that has left the shop is left out at once, whatever was prepared. The plan is kept for all callers, who
    are few rows each: OFFSET 0 keeps it from reading whole tables for the many that it expects.
    """
    cur = tx.cursor(row_factory=class_row(Completion))
    return cur.execute(
        """
        WITH asked AS MATERIALIZED (
            SELECT p.prefix, t.suggestion_ids
              FROM unnest(%(prefixes)s::text[]) WITH ORDINALITY AS p(prefix, place)
             CROSS JOIN LATERAL (
                   SELECT 1 FROM search_suggestion_keys k
                    WHERE k.key >= p.prefix COLLATE "C" AND k.key < (p.prefix || %(beyond)s) COLLATE "C"
                    LIMIT 1) one
              LEFT JOIN LATERAL (
                   SELECT suggestion_ids FROM search_suggestion_tops
                    WHERE search_suggestion_tops.prefix = p.prefix OFFSET 0) t ON true
          ORDER BY t.suggestion_ids IS NULL, p.place
             LIMIT %(most)s
        ), found AS (
            SELECT top.id, top.place::real AS place
              FROM asked, unnest(asked.suggestion_ids) WITH ORDINALITY AS top(id, place)
             UNION ALL
            SELECT k.suggestion_id, row_number() OVER (ORDER BY k.weight DESC, k.suggestion_id)
              FROM asked
             CROSS JOIN LATERAL (
                   SELECT key.suggestion_id, key.weight FROM search_suggestion_keys key
                    WHERE key.key >= asked.prefix COLLATE "C" AND key.key < (asked.prefix || %(beyond)s) COLLATE "C"
                    LIMIT %(read)s) k
             WHERE asked.suggestion_ids IS NULL
        ), best AS (
            SELECT id, min(place) AS place FROM found GROUP BY id ORDER BY 2, 1 LIMIT %(limit)s
        )
        SELECT s.kind, s.name, s.text
          FROM best
         CROSS JOIN LATERAL (
               SELECT id, kind, name, text FROM search_suggestions WHERE search_suggestions.id = best.id OFFSET 0) s
         WHERE s.kind <> 'product' OR (SELECT p.active FROM products p WHERE p.id = s.name COLLATE "default")
      ORDER BY best.place, s.id
        """,
        {"prefixes": list(prefixes), "beyond": BEYOND, "most": most, "limit": limit, "read": read},
    ).fetchall()


def near(tx: Tx, pieces: Sequence[str], prefix: str) -> tuple[dict[str, list[str]], list[str]]:
    """Beginnings by the pieces that they share with what was typed; and the keys right before and right after where
    that would stand.
    """
    rows = tx.execute(
        """
        SELECT piece, beginning FROM search_beginnings WHERE piece = ANY(%(pieces)s)
         UNION ALL
        (SELECT '', key FROM search_suggestion_keys WHERE key >= %(prefix)s ORDER BY key LIMIT 1)
         UNION ALL
        (SELECT '', key FROM search_suggestion_keys WHERE key < %(prefix)s ORDER BY key DESC LIMIT 1)
        """,
        {"pieces": list(pieces), "prefix": prefix},
    ).fetchall()
    found: dict[str, list[str]] = {}
    for piece, beginning in rows:
        found.setdefault(piece, []).append(beginning)
    return found, found.pop("", [])
