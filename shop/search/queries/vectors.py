"""Vectors of products: which are missing, storing them, the index over them, the sample of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg
from numpy.typing import NDArray
from pgvector import HalfVector
from pgvector.psycopg.halfvec import HalfVectorBinaryDumper
from psycopg.rows import class_row

from db.database import Tx
from shop.ports.encoder import Vectors

Vector: TypeAlias = HalfVector | str
"""A parameter that the statement casts to halfvec: binary, or as pgvector writes it."""

# Without a type of its own, so that no connection must ask for pgvector's first: the cast in the statement decides.
psycopg.adapters.register_dumper(HalfVector, HalfVectorBinaryDumper)

EMBED_LOCK = 7_305_002
"""The advisory lock of the one worker that embeds; any number that nobody else uses."""

INDEX_BYTES_A_ROW = 2048
"""Memory an HNSW build needs for each vector of 384 halves (776 bytes) with its 16 to 32 neighbours, rounded up."""


@dataclass(frozen=True, slots=True)
class Stale:
    n: int
    id: str
    name: str
    description: str
    category: str
    brand: str
    attributes: Mapping[str, Any]
    content_hash: bytes


def claim(session: Tx) -> bool:
    """Be the one that embeds for as long as this session lives; False when another one is."""
    row = session.execute("SELECT pg_try_advisory_lock(%(key)s)", {"key": EMBED_LOCK}).fetchone()
    return bool(row and row[0])


def give_back(session: Tx) -> None:
    """Let the next one embed. A session that merely ends is noticed by the server only some moments later."""
    session.execute("SELECT pg_advisory_unlock(%(key)s)", {"key": EMBED_LOCK})


def count_stale(tx: Tx, version: str) -> int:
    row = tx.execute(
        """
        SELECT count(*)
          FROM products p
          LEFT JOIN product_embeddings e ON e.product_id = p.id AND e.model_version = %(version)s
         WHERE p.active AND e.content_hash IS DISTINCT FROM p.content_hash
        """,
        {"version": version},
    ).fetchone()
    return row[0] if row else 0


def stale_products(tx: Tx, version: str, *, after: int, limit: int) -> list[Stale]:
    """Products without a vector for the words they have now, by number, from beyond `after`."""
    cur = tx.cursor(row_factory=class_row(Stale))
    return cur.execute(
        """
        SELECT p.n, p.id, p.name, p.description, p.category, p.brand, p.attributes, p.content_hash
          FROM products p
          LEFT JOIN product_embeddings e ON e.product_id = p.id AND e.model_version = %(version)s
         WHERE p.active AND p.n > %(after)s AND e.content_hash IS DISTINCT FROM p.content_hash
      ORDER BY p.n
         LIMIT %(limit)s
        """,
        {"version": version, "after": after, "limit": limit},
    ).fetchall()


def save_vectors(tx: Tx, version: str, rows: Sequence[Stale], vectors: Vectors) -> None:
    """Under the hash the words had when they were read: reworded since, the product is stale still."""
    tx.execute(
        """
        INSERT INTO product_embeddings (product_id, model_version, content_hash, v)
        SELECT p.id, %(version)s, g.content_hash, g.v::halfvec(384)
          FROM unnest(%(ids)s::text[], %(hashes)s::bytea[], %(vectors)s::text[]) AS g(id, content_hash, v)
          JOIN products p USING (id)
            ON CONFLICT (product_id, model_version)
            DO UPDATE SET content_hash = EXCLUDED.content_hash, v = EXCLUDED.v, updated_at = now()
        """,
        {
            "version": version,
            "ids": [row.id for row in rows],
            "hashes": [row.content_hash for row in rows],
            "vectors": [written(vector.tolist()) for vector in vectors],
        },
    )


def written(vector: Sequence[float]) -> str:
    """As pgvector reads it. Five digits are more than half precision keeps."""
    return f"[{','.join([f'{number:.5g}' for number in vector])}]"


def halves(vector: NDArray[Any]) -> HalfVector:
    """As pgvector keeps it, 772 bytes."""
    return HalfVector(vector)


def count_rows(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM product_embeddings").fetchone()
    return row[0] if row else 0


def drop_index(tx: Tx) -> None:
    tx.execute("DROP INDEX IF EXISTS product_embeddings_v")


def build_index(tx: Tx) -> None:
    """Build the vector index if it is not there: 10 s for 26,000 products, minutes for a million.

    Up to a gigabyte is taken for it, and more where the server's own maintenance_work_mem is more.
    """
    row = tx.execute("SELECT to_regclass('product_embeddings_v') IS NOT NULL").fetchone()
    if row and row[0]:
        return
    tx.execute("SET LOCAL statement_timeout = 0")  # as long as it takes: the job has a limit of its own
    tx.execute(
        """
        SELECT set_config('maintenance_work_mem',
                          greatest(least(greatest(count(*) * %(each)s / 1024, 65536), 1048576), allowed.kb)::text
                          || 'kB', true)
          FROM product_embeddings,
               (SELECT setting::bigint AS kb FROM pg_settings WHERE name = 'maintenance_work_mem') allowed
      GROUP BY allowed.kb
        """,
        {"each": INDEX_BYTES_A_ROW},
    )
    tx.execute(
        """
        CREATE INDEX IF NOT EXISTS product_embeddings_v ON product_embeddings USING hnsw (v halfvec_ip_ops)
          WITH (m = 16, ef_construction = 128)
        """
    )


def analyze(tx: Tx) -> None:
    """Tell the planner what is in the table now."""
    tx.execute("ANALYZE product_embeddings")


def count_sample(tx: Tx, version: str) -> int:
    row = tx.execute(
        "SELECT count(*) FROM search_sample WHERE model_version = %(version)s", {"version": version}
    ).fetchone()
    return row[0] if row else 0


def draw_sample(tx: Tx, version: str, *, size: int) -> None:
    """Take the sample anew: always the products whose hashed ids come first, so that it changes little."""
    tx.execute("DELETE FROM search_sample WHERE model_version = %(version)s", {"version": version})
    tx.execute(
        """
        INSERT INTO search_sample (product_id, model_version, v)
        SELECT e.product_id, e.model_version, e.v
          FROM product_embeddings e
          JOIN products p ON p.id = e.product_id
         WHERE e.model_version = %(version)s AND p.active
      ORDER BY md5(e.product_id), e.product_id
         LIMIT %(size)s
        """,
        {"version": version, "size": size},
    )
