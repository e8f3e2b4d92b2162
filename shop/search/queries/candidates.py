"""The read path in one statement: candidates by meaning and by words, under the same filters, with what ordering needs.

One statement, because each is a way to the server and back, and because both legs need the same rows of the same
products. It is put together from literals, once for each kind of search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from db.database import Tx
from shop.search.queries.filters import PASSES, Filters, numbers
from shop.search.queries.vectors import Vector

CANDIDATES = 200
"""From each leg. Their best possible order would score .97, so that more would help nothing but the ordering. They are
written out in the statements: planned for a number it does not know, the graph seems dearer than to sort all vectors.
"""

EVERY_WORD_PLACES = 1000
"""So far down the list of words, products with every word of the query are taken too: they are counted, filtered and
paged to. Beyond, totals are no longer exact."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to say a query in words: those of its terms that the index has, with their rarities, out of `every` terms
    that have `mass` together. A product is worthy of the list when the terms it has reach `least_mass`.
    """

    ids: Sequence[int]
    rarities: Sequence[float]
    every: int
    mass: float
    least_mass: float


@dataclass(frozen=True, slots=True)
class Sought:
    """`vector` None leaves meaning out, no `ways` words. `taste`, None for strangers: what the asker had before.
    `only`: the products that pass, where they are few.
    """

    version: str
    vector: Vector | None
    taste: Vector | None
    ways: Sequence[Way]
    filters: Filters
    only: Sequence[int] | None


def candidates(tx: Tx, sought: Sought) -> list[tuple[Any, ...]]:
    """Rows of: the fields of a card, in their order, the name as it is written; near, whether meaning brought it; way
    (from 0), score, found, mass, place, worthy: its match in words, all None where it has none; middle and spread of
    the query's similarity to products it has nothing to do with, None without a sample. Plain tuples, since a search
    has hundreds.

    `worthy`, the same in each row of a way, is how many products reach its least mass. A product that matches several
    ways comes several times. In a small shop a fifth of the sample may be what was asked for, so the spread is measured
    on the lower half: in a normal distribution the lowest tenth ends 1.28 spreads below the middle.
    """
    legs = _WORDS_ALONE if sought.vector is None else _BOTH if sought.ways else _MEANING_ALONE
    statement = legs[_kind(sought)]
    return tx.cursor(binary=True).execute(statement, _parameters(sought)).fetchall()


def _kind(sought: Sought) -> str:
    if sought.only is not None:
        return "among"
    return "filtered" if sought.filters else "all"


def _parameters(sought: Sought) -> dict[str, Any]:
    terms = [
        (number, term, rarity)
        for number, way in enumerate(sought.ways)
        for term, rarity in zip(way.ids, way.rarities, strict=True)
    ]
    return {
        **(sought.filters.parameters() if sought.filters else {}),
        "version": sought.version,
        "vector": sought.vector,
        "taste": sought.taste,
        "ways": numbers([way for way, _, _ in terms]),
        "ids": numbers([term for _, term, _ in terms]),
        "rarities": numbers([rarity for _, _, rarity in terms]),
        "least": numbers([way.least_mass for way in sought.ways]),
        "every": numbers([way.every for way in sought.ways]),
        "only": None if sought.only is None else numbers(sought.only),
    }


_CARD: LiteralString = """
           p.n, p.id, p.name, p.category, p.brand, p.price, p.currency, p.rating, p.rating_count, p.created_at,
           p.available"""

_NEAR_BY_GRAPH: LiteralString = (
    """
WITH near AS MATERIALIZED (
    SELECT e.v <#> %(vector)s::halfvec AS distance,"""  # noqa: S608 - all literals
    + _CARD
    + """
      FROM product_embeddings e
      JOIN products p ON p.id = e.product_id
     WHERE e.model_version = %(version)s AND p.active
  ORDER BY e.v <#> %(vector)s::halfvec
     LIMIT 200
)"""
)

_NEAR_FILTERED: LiteralString = (
    """
WITH near AS MATERIALIZED (
    SELECT e.v <#> %(vector)s::halfvec AS distance,"""  # noqa: S608 - all literals
    + _CARD
    + """
      FROM product_embeddings e
      JOIN products p ON p.id = e.product_id
     WHERE e.model_version = %(version)s AND """
    + PASSES
    + """
  ORDER BY e.v <#> %(vector)s::halfvec
     LIMIT 200
)"""
)

_NEAR_AMONG: LiteralString = (
    """
WITH compared AS MATERIALIZED (
    SELECT p.n, e.v <#> %(vector)s::halfvec AS distance
      FROM products p
      JOIN product_embeddings e ON e.product_id = p.id AND e.model_version = %(version)s
     WHERE p.n = ANY(%(only)s::integer[])
), near AS MATERIALIZED (
    SELECT c.distance,"""  # noqa: S608 - all literals
    + _CARD
    + """
      FROM (SELECT n, distance FROM compared ORDER BY distance, n LIMIT 200) c
      JOIN products p ON p.n = c.n AND p.active
)"""
)

_NEAR_NONE: LiteralString = """
WITH near AS MATERIALIZED (
    SELECT NULL::integer AS n WHERE false
)"""

_MATCHED: LiteralString = """, matched AS (
    SELECT w.way, s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
      FROM unnest(%(ways)s::integer[], %(ids)s::integer[], %(rarities)s::real[]) AS w(way, id, rarity)
      JOIN search_postings s ON s.term_id = w.id
  GROUP BY w.way, s.product_n
    HAVING sum(w.rarity) >= (%(least)s::float8[])[w.way + 1] OR s.product_n IN (SELECT n FROM near)
)"""

_MATCHED_FILTERED: LiteralString = (
    """, matching AS (
    SELECT w.way, s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
      FROM unnest(%(ways)s::integer[], %(ids)s::integer[], %(rarities)s::real[]) AS w(way, id, rarity)
      JOIN search_postings s ON s.term_id = w.id
  GROUP BY w.way, s.product_n
    HAVING sum(w.rarity) >= (%(least)s::float8[])[w.way + 1] OR s.product_n IN (SELECT n FROM near)
), matched AS (
    SELECT m.way, m.n, m.score, m.found, m.mass FROM matching m JOIN products p ON p.n = m.n WHERE """  # noqa: S608
    + PASSES
    + ")"
)

_MATCHED_AMONG: LiteralString = """, matched AS (
    SELECT w.way, s.product_n AS n, sum(s.weight * w.rarity) AS score, count(*) AS found, sum(w.rarity) AS mass
      FROM unnest(%(ways)s::integer[], %(ids)s::integer[], %(rarities)s::real[]) AS w(way, id, rarity)
      JOIN search_postings s ON s.term_id = w.id
      JOIN unnest(%(only)s::integer[]) AS passing(n) ON passing.n = s.product_n
  GROUP BY w.way, s.product_n
    HAVING sum(w.rarity) >= (%(least)s::float8[])[w.way + 1] OR s.product_n IN (SELECT n FROM near)
)"""

_MATCHED_NONE: LiteralString = """, matched AS (
    SELECT NULL::integer AS way, NULL::integer AS n, NULL::real AS score, NULL::bigint AS found, NULL::real AS mass
     WHERE false
)"""

_BEST: LiteralString = """, ranked AS (
    SELECT way, n, score, found, mass, row_number() OVER (PARTITION BY way ORDER BY score DESC, n) AS place,
           count(*) FILTER (WHERE mass >= (%(least)s::float8[])[way + 1]) OVER (PARTITION BY way) AS worthy
      FROM matched
), best AS (
    SELECT way, n, score, found, mass, place, worthy
      FROM ranked
     WHERE place <= 200 OR (found = (%(every)s::integer[])[way + 1] AND place <= 1000) OR n IN (SELECT n FROM near)
)"""

# What meaning brought has its card from there already. OFFSET 0 keeps the planner from joining whole tables to some
# hundred rows whose number it cannot know.
_BY_WORDS: LiteralString = (
    """
        SELECT NULL::float8 AS distance, p.*, b.way, b.score, b.found, b.mass, b.place, b.worthy
          FROM best b
         CROSS JOIN LATERAL (SELECT """  # noqa: S608 - all literals
    + _CARD
    + """
                               FROM products p WHERE p.n = b.n AND p.active OFFSET 0) p"""
)

_ROWS: LiteralString = (
    """
SELECT w.n, w.id, w.name, w.category, w.brand, w.price, w.currency, w.rating, w.rating_count,
       date_part('epoch', w.created_at), -coalesce(w.distance, e.v <#> %(vector)s::halfvec), w.available,
       coalesce(also.support, 0), -(e.v <#> %(taste)s::halfvec), w.distance IS NOT NULL,
       w.way, w.score, w.found, w.mass, w.place, w.worthy, usual.at[2], (usual.at[2] - usual.at[1]) / 1.2816
  FROM (
        SELECT near.*, b.way, b.score, b.found, b.mass, b.place, b.worthy
          FROM near
          LEFT JOIN best b ON b.n = near.n
         UNION ALL"""  # noqa: S608 - all literals
    + _BY_WORDS
    + """
         WHERE b.n NOT IN (SELECT n FROM near)
       ) w
 CROSS JOIN (SELECT percentile_cont(ARRAY[0.1, 0.5]) WITHIN GROUP (ORDER BY -(s.v <#> %(vector)s::halfvec)) AS at
               FROM search_sample s
              WHERE s.model_version = %(version)s) usual
  LEFT JOIN LATERAL (
       SELECT support FROM item_neighbours WHERE relation = 'also' AND product_id = w.id OFFSET 0) also ON true
  LEFT JOIN LATERAL (
       SELECT v FROM product_embeddings
        WHERE product_id = w.id AND model_version = %(version)s
          AND (w.distance IS NULL OR %(taste)s::halfvec IS NOT NULL) OFFSET 0) e ON true
"""
)

_ROWS_BY_WORDS: LiteralString = (
    """
SELECT w.n, w.id, w.name, w.category, w.brand, w.price, w.currency, w.rating, w.rating_count,
       date_part('epoch', w.created_at), NULL::float8, w.available, coalesce(also.support, 0), NULL::float8, false,
       w.way, w.score, w.found, w.mass, w.place, w.worthy, NULL::float8, NULL::float8
  FROM ("""  # noqa: S608 - all literals
    + _BY_WORDS
    + """) w
  LEFT JOIN LATERAL (
       SELECT support FROM item_neighbours WHERE relation = 'also' AND product_id = w.id OFFSET 0) also ON true
"""
)

_BOTH: Mapping[str, LiteralString] = {
    "all": _NEAR_BY_GRAPH + _MATCHED + _BEST + _ROWS,
    "filtered": _NEAR_FILTERED + _MATCHED_FILTERED + _BEST + _ROWS,
    "among": _NEAR_AMONG + _MATCHED_AMONG + _BEST + _ROWS,
}
_WORDS_ALONE: Mapping[str, LiteralString] = {
    "all": _NEAR_NONE + _MATCHED + _BEST + _ROWS_BY_WORDS,
    "filtered": _NEAR_NONE + _MATCHED_FILTERED + _BEST + _ROWS_BY_WORDS,
    "among": _NEAR_NONE + _MATCHED_AMONG + _BEST + _ROWS_BY_WORDS,
}
# Each leg alone does without the other's tables, which may be locked or broken.
_MEANING_ALONE: Mapping[str, LiteralString] = {
    "all": _NEAR_BY_GRAPH + _MATCHED_NONE + _BEST + _ROWS,
    "filtered": _NEAR_FILTERED + _MATCHED_NONE + _BEST + _ROWS,
    "among": _NEAR_AMONG + _MATCHED_NONE + _BEST + _ROWS,
}
