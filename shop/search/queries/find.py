"""What the read path asks besides its candidates: settings, terms and their postings, what passes, what is near."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import errors
from psycopg.rows import class_row

from db.database import Tx
from shop.search.queries.filters import PASSES, Filters
from shop.search.queries.vectors import Vector

EF_SEARCH = 200
"""Width of the graph search: the 200 nearest with a recall of .99 in 2.5 ms."""

MANY = 300_000
"""Products from which the graph is searched twice as wide: at 200,000 the width above finds .98 of the ten nearest, at
a million .93, and twice the width .98."""

PartAway = (errors.QueryCanceled, errors.LockNotAvailable, errors.UndefinedFile, errors.InternalError)
"""What a statement over one part of the index raises when that part is too slow, locked by a repair, or broken."""


@dataclass(frozen=True, slots=True)
class Term:
    """`rarity` is BM25's inverse document frequency."""

    id: int
    term: str
    rarity: float


@dataclass(frozen=True, slots=True)
class Posting:
    product_n: int
    term_id: int
    weight: float


def prepare(tx: Tx, *, ef_search: int) -> int:
    """Settings of what compares vectors, twice as wide from MANY products on; answers how many are indexed.

    Iterative scans go on until filters have let enough through; each statement is planned for its own values, as a
    general plan for a rare category is forty times slower; the rest as in `versions.begin`.
    """
    row = tx.execute(
        """
        SELECT (SELECT documents FROM search_corpus),
               set_config('hnsw.ef_search', (%(ef_search)s::integer * CASE WHEN (SELECT documents FROM search_corpus)
                                                                               >= %(many)s THEN 2 ELSE 1 END)::text,
                          true),
               set_config('hnsw.iterative_scan', 'relaxed_order', true),
               set_config('plan_cache_mode', 'force_custom_plan', true),
               set_config('synchronous_commit', 'off', true),
               set_config('statement_timeout', '3s', true),
               set_config('lock_timeout', '250ms', true)
        """,
        {"ef_search": ef_search, "many": MANY},
    ).fetchone()
    return row[0] if row and row[0] is not None else 0


def plan_each(tx: Tx) -> None:
    """Plan each statement for its own values from here on: with filters they decide what is quick."""
    tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")


def passing(tx: Tx, filters: Filters, *, limit: int) -> list[int]:
    """Numbers of products that pass, at most `limit`: as many say that there may be more."""
    rows = tx.execute(
        "SELECT p.n FROM products p WHERE" + PASSES + "LIMIT %(limit)s",  # noqa: S608 - all literals
        {**filters.parameters(), "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def nearest(tx: Tx, *, version: str, vector: Vector, filters: Filters, limit: int) -> list[int]:
    """The nearest by the graph, filtered on the way."""
    rows = tx.execute(
        """
        SELECT p.n
          FROM product_embeddings e
          JOIN products p ON p.id = e.product_id
         WHERE e.model_version = %(version)s AND
        """  # noqa: S608 - both parts are literals
        + PASSES
        + """
      ORDER BY e.v <#> %(vector)s::halfvec
         LIMIT %(limit)s
        """,
        {**filters.parameters(), "version": version, "vector": vector, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def look_up(tx: Tx, terms: Sequence[str]) -> list[Term]:
    """The terms that some product has."""
    cur = tx.cursor(row_factory=class_row(Term))
    return cur.execute(
        """
        SELECT t.id, t.term, ln(1 + (c.documents - t.documents + 0.5) / (t.documents + 0.5))::real AS rarity
          FROM search_terms t, search_corpus c
         WHERE t.term = ANY(%(terms)s) AND t.documents > 0
        """,
        {"terms": list(terms)},
    ).fetchall()


def postings_of(tx: Tx, ns: Sequence[int], term_ids: Sequence[int]) -> list[Posting]:
    """Which of these terms these products have, and how they weigh there."""
    cur = tx.cursor(row_factory=class_row(Posting))
    return cur.execute(
        """
        SELECT product_n, term_id, weight
          FROM search_postings
         WHERE term_id = ANY(%(term_ids)s) AND product_n = ANY(%(ns)s)
      ORDER BY product_n, weight DESC, term_id
        """,
        {"term_ids": list(term_ids), "ns": list(ns)},
    ).fetchall()
