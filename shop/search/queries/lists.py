"""The order of a search that has further pages, kept as it was when its first page was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.search.queries.filters import PASSES, Filters, numbers


@dataclass(frozen=True, slots=True)
class Kept:
    """Products by number, best first, with their scores and marks; `told`: what the first page said besides."""

    product_ns: list[int]
    scores: list[float]
    marks: list[int]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Still:
    """`place` in the list, from 0."""

    place: int
    id: str


def keep_list(
    tx: Tx, search_id: str, *, ns: Sequence[int], scores: Sequence[float], marks: Sequence[int], told: dict[str, Any]
) -> None:
    tx.execute(
        """
        INSERT INTO search_lists (search_id, product_ns, scores, marks, told)
        VALUES (%(search_id)s, %(ns)s::integer[], %(scores)s::real[], %(marks)s::smallint[], %(told)s)
            ON CONFLICT (search_id) DO NOTHING
        """,
        {
            "search_id": search_id,
            "ns": numbers(ns),
            "scores": numbers(scores),
            "marks": numbers(marks),
            "told": Jsonb(told),
        },
    )


def copy_list(tx: Tx, search_id: str, *, of: str) -> None:
    """The list of search `of`, if it is kept, for another one that had the same answer."""
    tx.execute(
        """
        INSERT INTO search_lists (search_id, product_ns, scores, marks, told)
        SELECT %(search_id)s, product_ns, scores, marks, told FROM search_lists WHERE search_id = %(of)s
            ON CONFLICT (search_id) DO NOTHING
        """,
        {"search_id": search_id, "of": of},
    )


def kept_list(tx: Tx, search_id: str) -> Kept | None:
    cur = tx.cursor(row_factory=class_row(Kept))
    return cur.execute(
        "SELECT product_ns, scores, marks, told FROM search_lists WHERE search_id = %(search_id)s",
        {"search_id": search_id},
    ).fetchone()


def still_there(tx: Tx, ns: Sequence[int], filters: Filters, *, first: int, limit: int) -> list[Still]:
    """Of these numbers from place `first` on, those that (still) pass the filters, in the order given."""
    cur = tx.cursor(row_factory=class_row(Still))
    return cur.execute(
        """
        SELECT wanted.place::integer + %(first)s - 1 AS place, p.id
          FROM unnest(%(ns)s::integer[]) WITH ORDINALITY AS wanted(n, place)
          JOIN products p ON p.n = wanted.n
         WHERE
        """  # noqa: S608 - both parts are literals
        + PASSES
        + """
      ORDER BY wanted.place LIMIT %(limit)s
        """,
        {**filters.parameters(), "ns": list(ns[first:]), "first": first, "limit": limit},
    ).fetchall()


def delete_old_lists(tx: Tx, *, minutes: int, limit: int) -> int:
    gone = tx.execute(
        """
        DELETE FROM search_lists
         WHERE search_id IN (SELECT search_id FROM search_lists
                              WHERE made_at < now() - make_interval(mins => %(minutes)s)
                              ORDER BY made_at LIMIT %(limit)s)
        """,
        {"minutes": minutes, "limit": limit},
    )
    return gone.rowcount
