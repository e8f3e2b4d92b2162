"""The read path: candidates by meaning, candidates by words, and what is needed to put them in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import args_row, class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Filters:
    """What must hold. Categories and brands in lower case, any of them; prices in minor units, both ends included."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool = False
    rating_min: float | None = None

    def __bool__(self) -> bool:
        return self != NO_FILTERS

    def parameters(self) -> dict[str, Any]:
        return {
            "categories": list(self.categories) or None,
            "brands": list(self.brands) or None,
            "price_min": self.price_min,
            "price_max": self.price_max,
            "in_stock": self.in_stock or None,
            "rating_min": self.rating_min,
        }


NO_FILTERS = Filters()

# One wording of the filters for all statements. Each is planned for its own values (plan_cache_mode below), so that
# what is not asked for is gone from the plan.
_PASSES: LiteralString = """
           p.active
       AND (%(categories)s::text[] IS NULL OR lower(p.category) = ANY(%(categories)s::text[]))
       AND (%(brands)s::text[] IS NULL OR lower(p.brand) = ANY(%(brands)s::text[]))
       AND (%(price_min)s::bigint IS NULL OR p.price >= %(price_min)s::bigint)
       AND (%(price_max)s::bigint IS NULL OR p.price <= %(price_max)s::bigint)
       AND (%(in_stock)s::boolean IS NULL OR p.available)
       AND (%(rating_min)s::real IS NULL OR p.rating >= %(rating_min)s::real)
"""


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
class Card:
    """What ordering and counting need to know of a candidate. `similarity` None: no vector, or none asked for."""

    n: int
    id: str
    category: str
    brand: str
    price: int | None
    currency: str | None
    rating: float | None
    rating_count: int | None
    created_at: datetime
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Term:
    """`rarity` is BM25's inverse document frequency."""

    id: int
    term: str
    rarity: float


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


def prepare(tx: Tx, *, ef_search: int) -> None:
    """Settings of one search. Iterative scans go on until filters have let enough through; each statement is planned
    for its own values, since a general plan for a rare category is forty times slower; losing the last log lines in
    a power cut is no loss worth a disk write per search; a search that takes three seconds has lost its shopper.
    """
    tx.execute(
        """
        SELECT set_config('hnsw.ef_search', %(ef_search)s, true),
               set_config('hnsw.iterative_scan', 'relaxed_order', true),
               set_config('plan_cache_mode', 'force_custom_plan', true),
               set_config('synchronous_commit', 'off', true),
               set_config('statement_timeout', '3s', true)
        """,
        {"ef_search": str(ef_search)},
    )


def count_products(tx: Tx) -> int:
    row = tx.execute("SELECT documents FROM search_corpus").fetchone()
    return row[0] if row else 0


def passing(tx: Tx, filters: Filters, *, limit: int) -> list[int]:
    """Numbers of products that pass, at most `limit`: as many say that there may be more."""
    rows = tx.execute(
        "SELECT p.n FROM products p WHERE" + _PASSES + "LIMIT %(limit)s",  # noqa: S608 - all literals
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
        + _PASSES
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
             WHERE p.n = ANY(%(ns)s)
        )
        SELECT n FROM compared ORDER BY distance, n LIMIT %(limit)s
        """,
        {"ns": ns, "version": version, "vector": vector, "limit": limit},
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


def matching(tx: Tx, terms: Sequence[Term], wish: Wish) -> list[Match]:
    cur = tx.cursor(row_factory=args_row(Match))
    return cur.execute(
        """
        WITH matched AS (
            SELECT s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
              FROM unnest(%(ids)s::integer[], %(rarities)s::real[]) AS w(id, rarity)
              JOIN search_postings s ON s.term_id = w.id
          GROUP BY s.product_n
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s)
        ), ranked AS (
            SELECT n, score, found, mass, row_number() OVER (ORDER BY score DESC, n) AS place,
                   count(*) FILTER (WHERE mass >= %(least)s) OVER () AS worthy
              FROM matched
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s)
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
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s)
        ), ranked AS (
            SELECT n, score, found, mass, row_number() OVER (ORDER BY score DESC, n) AS place,
                   count(*) FILTER (WHERE mass >= %(least)s) OVER () AS worthy
              FROM matched
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s)
        """,
        {**_matching(terms, wish), "ns": ns},
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
            HAVING sum(w.rarity) >= %(least)s OR s.product_n = ANY(%(also)s)
        ), ranked AS (
            SELECT m.n, m.score, m.found, m.mass, row_number() OVER (ORDER BY m.score DESC, m.n) AS place,
                   count(*) FILTER (WHERE m.mass >= %(least)s) OVER () AS worthy
              FROM matched m
              JOIN products p ON p.n = m.n
             WHERE
        """  # noqa: S608 - both parts are literals
        + _PASSES
        + """
        )
        SELECT n, score, found, mass, place, worthy
          FROM ranked
         WHERE place <= %(limit)s OR (found = %(all_found)s AND place <= %(all_limit)s) OR n = ANY(%(also)s)
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
        "also": list(wish.also),
    }


def cards(tx: Tx, ns: Sequence[int], *, version: str, vector: str | None) -> list[Card]:
    """Candidates that are still in the shop, with their similarity to the query."""
    cur = tx.cursor(row_factory=args_row(Card))
    return cur.execute(
        """
        SELECT p.n, p.id, p.category, p.brand, p.price, p.currency, p.rating, p.rating_count, p.created_at,
               -(e.v <#> %(vector)s::halfvec(384)) AS similarity
          FROM products p
          LEFT JOIN product_embeddings e
                 ON e.product_id = p.id AND e.model_version = %(version)s AND %(vector)s::text IS NOT NULL
         WHERE p.n = ANY(%(ns)s) AND p.active
        """,
        {"ns": ns, "version": version, "vector": vector},
    ).fetchall()


def texts_naming(tx: Tx, ns: Sequence[int], terms: Sequence[str]) -> dict[int, str]:
    """All that is written about those of these products that have all of these terms."""
    rows = tx.execute(
        """
        WITH naming AS (
            SELECT s.product_n
              FROM search_terms t
              JOIN search_postings s ON s.term_id = t.id AND s.product_n = ANY(%(ns)s)
             WHERE t.term = ANY(%(terms)s)
          GROUP BY s.product_n
            HAVING count(*) = cardinality(%(terms)s::text[])
        )
        SELECT p.n, concat_ws(' ', p.name, p.brand, p.category, p.attributes::text, p.description)
          FROM products p
          JOIN naming ON naming.product_n = p.n
        """,
        {"ns": list(ns), "terms": list(terms)},
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, slots=True)
class Shown:
    """A product as shoppers see it; money in whole minor units, None where it has no price."""

    id: str
    name: str
    description: str
    category: str
    brand: str
    price: int | None
    currency: str | None
    stock: int | None
    available: bool
    attributes: dict[str, Any]
    image_url: str | None
    rating: float | None
    rating_count: int | None


def shown(tx: Tx, ids: Sequence[str]) -> list[Shown]:
    """Those of these products that are in the shop, in no order."""
    cur = tx.cursor(row_factory=class_row(Shown))
    return cur.execute(
        """
        SELECT id, name, description, category, brand, price, currency, stock, available, attributes, image_url,
               rating, rating_count
          FROM products
         WHERE id = ANY(%(ids)s) AND active
        """,
        {"ids": ids},
    ).fetchall()


def vector_of(tx: Tx, product_id: str, *, version: str) -> str | None:
    """The product's own vector, as `nearest` takes it."""
    row = tx.execute(
        """
        SELECT v::text FROM product_embeddings WHERE product_id = %(product_id)s AND model_version = %(version)s
        """,
        {"product_id": product_id, "version": version},
    ).fetchone()
    return row[0] if row else None
