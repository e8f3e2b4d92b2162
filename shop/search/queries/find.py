"""The read path: candidates by meaning and candidates by words, under the same filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import errors
from psycopg.rows import args_row, class_row

from db.database import Tx
from shop.search.queries.filters import PASSES, Filters, numbers

PartAway = (errors.QueryCanceled, errors.LockNotAvailable, errors.UndefinedFile, errors.InternalError)
"""What a statement over one part of the index raises when that part is too slow, locked by a repair, or broken."""


@dataclass(frozen=True, slots=True)
class Match:
    """A product with words of the query: `found` of them, `mass` the rarity they add up to.

    `worthy`, the same in each row: how many products reach the least mass that was asked for.
    """

    n: int
    score: float
    found: int
    mass: float
    place: int
    worthy: int


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


@dataclass(frozen=True, slots=True)
class Wish:
    """Which matches are wanted, of those with `least_mass`: the best `limit`; those with all `every` words, down to
    place `every_limit`. And the products `also` if they match at all.
    """

    limit: int
    every: int
    every_limit: int
    least_mass: float
    also: Sequence[int]


def prepare(tx: Tx, *, ef_search: int) -> int:
    """Settings of one search; answers how many products are indexed. Iterative scans go on until filters have let
    enough through; each statement is planned for its own values, as a general plan for a rare category is forty times
    slower; losing the last log lines in a power cut is no loss worth a disk write per search. A statement of three
    seconds, or one that waits a quarter of a second for somebody who repairs an index, gives up: what the other leg
    finds is worth more to a shopper.
    """
    row = tx.execute(
        """
        SELECT (SELECT documents FROM search_corpus), set_config('hnsw.ef_search', %(ef_search)s, true),
               set_config('hnsw.iterative_scan', 'relaxed_order', true),
               set_config('plan_cache_mode', 'force_custom_plan', true),
               set_config('synchronous_commit', 'off', true),
               set_config('statement_timeout', '3s', true),
               set_config('lock_timeout', '250ms', true)
        """,
        {"ef_search": str(ef_search)},
    ).fetchone()
    return row[0] if row and row[0] is not None else 0


def passing(tx: Tx, filters: Filters, *, limit: int) -> list[int]:
    """Numbers of products that pass, at most `limit`: as many say that there may be more."""
    rows = tx.execute(
        "SELECT p.n FROM products p WHERE" + PASSES + "LIMIT %(limit)s",  # noqa: S608 - all literals
        {**filters.parameters(), "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def nearest(tx: Tx, *, version: str, vector: str, filters: Filters, limit: int) -> list[int]:
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
      ORDER BY e.v <#> %(vector)s::halfvec(384)
         LIMIT %(limit)s
        """,
        {**filters.parameters(), "version": version, "vector": vector, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def nearest_among(tx: Tx, ns: Sequence[int], *, version: str, vector: str, limit: int) -> list[int]:
    """The nearest of these products, each one compared: exact, and faster than the graph while they are few."""
    rows = tx.execute(
        """
        WITH compared AS MATERIALIZED (
            SELECT p.n, e.v <#> %(vector)s::halfvec(384) AS distance
              FROM products p
              JOIN product_embeddings e ON e.product_id = p.id AND e.model_version = %(version)s
             WHERE p.n = ANY(%(ns)s::integer[])
        )
        SELECT n FROM compared ORDER BY distance, n LIMIT %(limit)s
        """,
        {"ns": numbers(ns), "version": version, "vector": vector, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def usual_similarity(tx: Tx, *, version: str, vector: str) -> tuple[float, float] | None:
    """Middle and spread of the query's similarity to products it has nothing to do with; None without a sample.

    In a small shop a fifth of the sample may be what was asked for. So the spread is measured on the lower half: in
    a normal distribution the lowest tenth ends 1.28 spreads below the middle.
    """
    row = tx.execute(
        """
        SELECT found.at[2], (found.at[2] - found.at[1]) / 1.2816
          FROM (SELECT percentile_cont(ARRAY[0.1, 0.5])
                       WITHIN GROUP (ORDER BY -(s.v <#> %(vector)s::halfvec(384))) AS at
                  FROM search_sample s
                 WHERE s.model_version = %(version)s) found
        """,
        {"version": version, "vector": vector},
    ).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


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


def matching(tx: Tx, terms: Sequence[Term], wish: Wish) -> list[Match]:
    cur = tx.cursor(row_factory=args_row(Match))
    return cur.execute(
        """
        WITH matched AS (
            SELECT s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
              FROM unnest(%(ids)s::integer[], %(rarities)s::real[]) AS w(id, rarity)
              JOIN search_postings s ON s.term_id = w.id
          GROUP BY s.product_n
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s::integer[])
        ), ranked AS (
            SELECT n, score, found, mass, row_number() OVER (ORDER BY score DESC, n) AS place,
                   count(*) FILTER (WHERE mass >= %(least)s) OVER () AS worthy
              FROM matched
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s::integer[])
        """,
        _matching(terms, wish),
    ).fetchall()


def matching_among(tx: Tx, ns: Sequence[int], terms: Sequence[Term], wish: Wish) -> list[Match]:
    """As `matching`, of these products only."""
    cur = tx.cursor(row_factory=args_row(Match))
    return cur.execute(
        """
        WITH matched AS (
            SELECT s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
              FROM unnest(%(ids)s::integer[], %(rarities)s::real[]) AS w(id, rarity)
              JOIN search_postings s ON s.term_id = w.id
              JOIN unnest(%(ns)s::integer[]) AS passing(n) ON passing.n = s.product_n
          GROUP BY s.product_n
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s::integer[])
        ), ranked AS (
            SELECT n, score, found, mass, row_number() OVER (ORDER BY score DESC, n) AS place,
                   count(*) FILTER (WHERE mass >= %(least)s) OVER () AS worthy
              FROM matched
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s::integer[])
        """,
        {**_matching(terms, wish), "ns": numbers(ns)},
    ).fetchall()


def matching_filtered(tx: Tx, filters: Filters, terms: Sequence[Term], wish: Wish) -> list[Match]:
    """As `matching`, of what passes wide filters."""
    cur = tx.cursor(row_factory=args_row(Match))
    return cur.execute(
        """
        WITH matched AS (
            SELECT s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
              FROM unnest(%(ids)s::integer[], %(rarities)s::real[]) AS w(id, rarity)
              JOIN search_postings s ON s.term_id = w.id
          GROUP BY s.product_n
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s::integer[])
        ), ranked AS (
            SELECT m.n, m.score, m.found, m.mass, row_number() OVER (ORDER BY m.score DESC, m.n) AS place,
                   count(*) FILTER (WHERE m.mass >= %(least)s) OVER () AS worthy
              FROM matched m
              JOIN products p ON p.n = m.n
             WHERE
        """  # noqa: S608 - both parts are literals
        + PASSES
        + """
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s::integer[])
        """,
        {**filters.parameters(), **_matching(terms, wish)},
    ).fetchall()


def _matching(terms: Sequence[Term], wish: Wish) -> dict[str, Any]:
    return {
        "ids": [term.id for term in terms],
        "rarities": [term.rarity for term in terms],
        "limit": wish.limit,
        "all_found": wish.every,
        "all_limit": wish.every_limit,
        "least": wish.least_mass,
        "also": numbers(wish.also),
    }
