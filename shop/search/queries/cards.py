"""Products as the read path needs them: small for ordering and counting, whole for showing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg.rows import args_row, class_row

from db.database import Tx
from shop.search.queries.filters import PASSES, Filters, numbers
from shop.search.queries.vectors import Vector


class Card(NamedTuple):
    """What ordering and counting need to know of a candidate; its name is in lower case, `created` in seconds since
    1970. `similarity` None: it has no vector, or none was asked for. A tuple, since a search has hundreds.
    """

    n: int
    id: str
    name: str
    category: str
    brand: str
    price: int | None
    currency: str | None
    rating: float | None
    rating_count: int | None
    created: float
    similarity: float | None
    available: bool
    people: int
    liking: float | None


def cards(tx: Tx, ns: Sequence[int], *, version: str, vector: Vector | None, taste: Vector | None = None) -> list[Card]:
    """Candidates that are still in the shop, with their similarity to the query, how many people had them, and their
    similarity to what the asker had before (`taste`, a vector too). Without vectors their table is not touched.
    """
    if vector is None and taste is None:
        return _cards_by_words(tx, ns)
    cur = tx.cursor(row_factory=args_row(Card))
    return cur.execute(
        """
        SELECT p.n, p.id, lower(p.name), p.category, p.brand, p.price, p.currency, p.rating, p.rating_count,
               date_part('epoch', p.created_at) AS created,
               -(e.v <#> %(vector)s::halfvec) AS similarity,
               p.available, coalesce(also.support, 0) AS people, -(e.v <#> %(taste)s::halfvec) AS liking
          FROM products p
          LEFT JOIN item_neighbours also ON also.relation = 'also' AND also.product_id = p.id
          LEFT JOIN product_embeddings e
                 ON e.product_id = p.id AND e.model_version = %(version)s
         WHERE p.n = ANY(%(ns)s::integer[]) AND p.active
        """,
        {"ns": numbers(ns), "version": version, "vector": vector, "taste": taste},
    ).fetchall()


def _cards_by_words(tx: Tx, ns: Sequence[int]) -> list[Card]:
    cur = tx.cursor(row_factory=args_row(Card))
    return cur.execute(
        """
        SELECT p.n, p.id, lower(p.name), p.category, p.brand, p.price, p.currency, p.rating, p.rating_count,
               date_part('epoch', p.created_at) AS created, NULL AS similarity,
               p.available, coalesce(also.support, 0) AS people, NULL AS liking
          FROM products p
          LEFT JOIN item_neighbours also ON also.relation = 'also' AND also.product_id = p.id
         WHERE p.n = ANY(%(ns)s::integer[]) AND p.active
        """,
        {"ns": numbers(ns)},
    ).fetchall()


def pinned_ns(tx: Tx, ids: Sequence[str], filters: Filters) -> list[int]:
    """Numbers of those of these products that pass, in the order of the ids."""
    rows = tx.execute(
        """
        SELECT p.n
          FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS wanted(id, place)
          JOIN products p ON p.id = wanted.id
         WHERE
        """  # noqa: S608 - both parts are literals
        + PASSES
        + "ORDER BY wanted.place",
        {**filters.parameters(), "ids": list(ids)},
    ).fetchall()
    return [row[0] for row in rows]


def looks(tx: Tx, ns: Sequence[int]) -> dict[int, str]:
    """Name, colour and size of each, in lower case."""
    rows = tx.execute(
        """
        SELECT n, lower(concat_ws(' ', name, attributes->>'color', attributes->>'colour', attributes->>'size'))
          FROM products WHERE n = ANY(%(ns)s::integer[])
        """,
        {"ns": numbers(ns)},
    ).fetchall()
    return dict(rows)


def vectors_of(tx: Tx, product_ids: Sequence[str], *, version: str) -> dict[str, list[float]]:
    """The vectors of these products, as numbers."""
    rows = tx.execute(
        """
        SELECT product_id, v::vector::real[] FROM product_embeddings
         WHERE product_id = ANY(%(ids)s) AND model_version = %(version)s
        """,
        {"ids": list(product_ids), "version": version},
    ).fetchall()
    return dict(rows)


def texts_naming(tx: Tx, ns: Sequence[int], terms: Sequence[str]) -> dict[int, str]:
    """All that is written about those of these products that have all of these terms."""
    rows = tx.execute(
        """
        WITH naming AS (
            SELECT s.product_n
              FROM search_terms t
              JOIN search_postings s ON s.term_id = t.id AND s.product_n = ANY(%(ns)s::integer[])
             WHERE t.term = ANY(%(terms)s)
          GROUP BY s.product_n
            HAVING count(*) = cardinality(%(terms)s::text[])
        )
        SELECT p.n, concat_ws(' ', p.name, p.brand, p.category, p.attributes::text, p.description)
          FROM products p
          JOIN naming ON naming.product_n = p.n
        """,
        {"ns": numbers(ns), "terms": list(terms)},
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


def alike_pairs(tx: Tx, product_ids: Sequence[str], *, version: str, least: float) -> list[tuple[str, str, float]]:
    """Those of these whose cosine is that at least, each pair once."""
    return tx.execute(
        """
        WITH those AS MATERIALIZED (
            SELECT product_id, v FROM product_embeddings
             WHERE product_id = ANY(%(ids)s) AND model_version = %(version)s
        )
        SELECT one.product_id, other.product_id, -(one.v <#> other.v)
          FROM those one
          JOIN those other ON one.product_id < other.product_id
         WHERE one.v <#> other.v <= -%(least)s::float8
        """,
        {"ids": list(product_ids), "version": version, "least": least},
    ).fetchall()
