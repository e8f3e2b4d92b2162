"""Whether the nearest are found: recall@10 of the graph and of the product's own choice under filters, against all.

The truth is made in one pass over all vectors, some thousands at a time, for all queries and filters together.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from bench.search_speed.interleaved import Bare
from db.database import Database, Tx
from shop.ports.encoder import DIMENSIONS, Encoder
from shop.search.answering.gather import Means, gather
from shop.search.queries.filters import NO_FILTERS, Filters
from shop.search.queries.vectors import written
from shop.search.understanding.understand import Query

TOP = 10
WIDTHS = (40, 100, 200, 400)
SHARES = (0.5, 0.05, 0.005)
"""Of the products that a filter leaves."""

CHUNK = 20_000
SAME = 1e-4
"""Two similarities that differ by less are the same: half precision keeps three digits of each number."""

ROW = np.dtype([
    ("fields", ">i2"), ("price_bytes", ">i4"), ("price", ">i8"), ("vector_bytes", ">i4"), ("dimensions", ">i2"),
    ("unused", ">i2"), ("vector", ">f2", (DIMENSIONS,)),
])  # fmt: skip
"""A row as PostgreSQL's binary COPY writes it."""

HEAD_BYTES = 19

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Filtered:
    name: str
    filters: Filters


def measure(db: Database, database_url: str, encoder: Encoder, queries: Sequence[str], version: str) -> dict[str, Any]:
    """Recall@10 and milliseconds by the width of the graph search, and by how much the filter leaves."""
    asked = encoder.encode(list(queries))
    vectors = [written(vector.tolist()) for vector in asked]
    with psycopg.connect(database_url, autocommit=True) as connection:
        every = [Filtered("everything", NO_FILTERS), *_filters(connection)]
        best = _best(connection, asked, every, version)
        bare = Bare(connection, version)
        by_width: dict[str, Any] = {}
        for width in WIDTHS:
            bare.width(width)
            bare.graph(vectors[0])
            found, took = _timed([lambda one=one: [row[1] for row in bare.graph(one, TOP)] for one in vectors])
            by_width[str(width)] = {"recall": _recall(found, best["everything"]), "p50_ms": took}
    by_filter: dict[str, Any] = {}
    for one in every:
        found, took = _timed(
            [
                lambda text=text, vector=vector, one=one: _nearest(db, text, vector, one.filters, version)
                for text, vector in zip(queries, vectors, strict=True)
            ]
        )
        by_filter[one.name] = {"recall": _recall(found, best[one.name]), "p50_ms": took}
    return {"queries": len(queries), "graph_by_width": by_width, "product_by_filter": by_filter}


def _filters(connection: Tx) -> list[Filtered]:
    """Ranges of price in the middle of the catalogue, which leave about as many products as wanted."""
    found: list[Filtered] = []
    for share in SHARES:
        row = connection.execute(
            """
            SELECT percentile_disc(%(low)s) WITHIN GROUP (ORDER BY price),
                   percentile_disc(%(high)s) WITHIN GROUP (ORDER BY price)
              FROM products WHERE active
            """,
            {"low": 0.5 - share / 2, "high": 0.5 + share / 2},
        ).fetchone()
        assert row is not None, "an aggregate answers"
        found.append(Filtered(f"{100 * share:g} %", Filters(price_min=row[0], price_max=row[1])))
    return found


def _best(connection: Tx, asked: Matrix, every: Sequence[Filtered], version: str) -> Mapping[str, Matrix]:
    """By filter, the similarities of the ten nearest of all that pass (rows, in no order) to each query (columns)."""
    # As pgvector compares: the query in half precision, the sum in single.
    wanted = asked.astype(np.float16).astype(np.float32).T
    best = {one.name: np.full((0, len(asked)), -np.inf, dtype=np.float32) for one in every}
    for prices, vectors in _chunks(connection, version):
        similar = vectors @ wanted
        for one in every:
            low, high = one.filters.price_min, one.filters.price_max
            passes = slice(None) if low is None or high is None else (prices >= low) & (prices <= high)
            together = np.concatenate([best[one.name], similar[passes]])
            keep = min(TOP, len(together))
            best[one.name] = np.partition(together, len(together) - keep, axis=0)[len(together) - keep :]
    return best


def _chunks(connection: Tx, version: str) -> Generator[tuple[NDArray[np.int64], Matrix]]:
    with connection.cursor().copy(
        """
        COPY (SELECT coalesce(p.price, -1)::bigint, e.v FROM products p
                JOIN product_embeddings e ON e.product_id = p.id AND e.model_version = %s
               WHERE p.active) TO STDOUT (FORMAT BINARY)
        """,
        [version],
    ) as copy:
        held = bytearray()
        head = HEAD_BYTES
        for data in copy:
            held += data
            if head and len(held) >= head:
                del held[:head]
                head = 0
            if len(held) >= CHUNK * ROW.itemsize:
                yield _read(held)
        yield _read(held)


def _read(held: bytearray) -> tuple[NDArray[np.int64], Matrix]:
    """The whole rows of what has come; what is left is the beginning of the next."""
    rows = len(held) // ROW.itemsize
    table = np.frombuffer(bytes(held[: rows * ROW.itemsize]), dtype=ROW)
    del held[: rows * ROW.itemsize]
    return table["price"].astype(np.int64), table["vector"].astype(np.float32)


def _nearest(db: Database, text: str, vector: str, filters: Filters, version: str) -> list[float]:
    """Similarities of the ten nearest as the product finds them, which chooses between graph and comparing."""
    with db.transaction() as tx:
        query = Query(text=text, normalised=text, wanted=text, terms=())
        gathered = gather(tx, query, filters, Means(version=version, vector=vector, ways=()))
    near = (one.card.similarity for one in gathered.candidates if one.near)
    return sorted((one for one in near if one is not None), reverse=True)[:TOP]


def _timed(acts: Sequence[Any]) -> tuple[list[list[float]], float]:
    found: list[list[float]] = []
    took: list[float] = []
    for act in acts:
        began = time.perf_counter()
        found.append(act())
        took.append(time.perf_counter() - began)
    return found, round(1000 * float(np.median(took)), 2)


def _recall(found: Sequence[Sequence[float]], best: Matrix) -> float:
    there = len(best)
    hits = [
        sum(similarity >= least - SAME for similarity in similarities[:there])
        for similarities, least in zip(found, best.min(axis=0), strict=True)
    ]
    return round(float(sum(hits)) / (there * len(hits)), 4)
