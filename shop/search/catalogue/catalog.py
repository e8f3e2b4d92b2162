"""Catalogue changes that come through the API: kept as they came, applied by a job, or at once where it must be."""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound, Rejected
from shop.ids import new_id
from shop.progress import Progress, unheard
from shop.search.catalogue import index
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.queries import catalog as queries
from shop.search.queries import index as index_queries
from shop.search.queries import suggest as suggestions
from shop.search.queries import versions

MAX_PRODUCTS = 1000

KEPT_DAYS = 30
"""Applied batches answer the question what was sent, for as long as somebody may ask it."""


class BatchTooLarge(Rejected):
    """More products than one request may bring, or none."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


def receive_products(db: Database, products: Sequence[Mapping[str, object]]) -> str:
    """Keep them and stage their import. Answers the job's id. Raises BatchTooLarge."""
    return receive_lines(db, "\n".join(json.dumps(product) for product in products).encode())


def receive_lines(db: Database, body: bytes) -> str:
    """As `receive_products`, for NDJSON as it was sent: bad lines are told in the job's result."""
    lines = sum(1 for line in io.BytesIO(body) if line.strip())
    if not 1 <= lines <= MAX_PRODUCTS:
        raise BatchTooLarge(f"a batch has 1 to {MAX_PRODUCTS} products, this one has {lines}")
    batch_id = new_id("bat")
    with db.transaction() as tx:
        queries.insert_batch(tx, batch_id, body=gzip.compress(body, compresslevel=1), products=lines)
        return outbox.stage(tx, jobs.IMPORT_PRODUCTS, batch_id=batch_id)


def catalog(db: Database, batch_id: str, progress: Progress = unheard, *, currency: str = "eur") -> dict[str, object]:
    """Apply one batch; again, it finds nothing to change. Answers the import's report. Raises NotFound."""
    with db.transaction() as tx:
        found = queries.batch(tx, batch_id)
    if found is None:
        raise NotFound(f"there is no batch {batch_id}")
    body, said_at = found
    report = import_products(db, read_ndjson(io.BytesIO(body)), progress, currency=currency, said_at=said_at)
    with db.transaction() as tx:
        queries.mark_applied(tx, batch_id)
        queries.delete_applied_batches(tx, older_than_days=KEPT_DAYS)
    return report.as_dict()


def retire(db: Database, product_id: str) -> None:
    """Take a product out of search at once; an import that brings it again later brings it back, one that was handed in
    before and still waits does not. Raises NotFound.
    """
    with db.transaction() as tx:
        index.lock(tx)
        number = queries.retire_product(tx, product_id)
        if number is None:
            raise NotFound(f"there is no product {product_id}")
        index_queries.forget(tx, [number])
        suggestions.note_reworded(tx, [product_id])
        versions.bump(tx, "catalogue")
