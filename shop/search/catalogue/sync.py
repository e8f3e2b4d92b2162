"""Pulls the catalogue from the Product service, page by page: all of it when asked, what changed every few minutes."""

import itertools
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound, NotYet
from shop.ids import new_id
from shop.ports.neighbours import NeighbourRefused, Product, ProductPage, Products
from shop.progress import Progress, unheard
from shop.search.catalogue.importing import BATCH, ImportReport, import_products
from shop.search.catalogue.product import BadRow
from shop.search.catalogue.reading import Row
from shop.search.queries import syncs as queries
from shop.search.queries.syncs import Sync

BITE_S = 60.0
"""Seconds of one run. Embedding is in the same queue, and new products should be found before a million is in."""

OVERLAP = timedelta(minutes=2)
"""Pulls of changes begin so much earlier than the last change seen: over there, too, a transaction may commit late."""

KEPT_DAYS = 7


class AlreadySyncing(NotYet):
    """Another pull is under way; this one comes after it."""

    code: ClassVar[str] = "already_syncing"


class GoesOn(NotYet):
    """Its bite is done and there is more. Not a failure: the others of the queue have their turn in between."""

    code: ClassVar[str] = "goes_on"


def begin(db: Database) -> str:
    """Ask for a pull of everything. Answers the job's id; while one waits or is interrupted, that one goes on."""
    with db.transaction() as tx:
        sync_id = queries.open_sync(tx, full=True)
        if sync_id is None:
            sync_id = new_id("syn")
            queries.start_full(tx, sync_id)
        return outbox.stage(tx, jobs.SYNC_PRODUCTS, unique_key=f"search.sync {sync_id}", sync_id=sync_id)


def sync(
    db: Database,
    products: Products,
    progress: Progress = unheard,
    *,
    sync_id: str | None = None,
    currency: str = "eur",
    bite_s: float = BITE_S,
) -> dict[str, Any]:
    """Pull on from the kept cursor; without `sync_id`, what changed since the last pull (nothing before a full one).

    Answers {seen, added, changed, rejected, problems}. Raises GoesOn after `bite_s`, AlreadySyncing, NotFound, and
    what the Product service raises; one that refuses a cursor of its own is asked from the beginning next time.
    """
    with db.session() as alone:
        if not queries.claim(alone):
            raise AlreadySyncing("another worker pulls", retry_after_s=5.0, spends_attempt=False)
        try:
            known = _known(db, sync_id)
            return {} if known is None else _pull(db, products, progress, known, currency, time.monotonic() + bite_s)
        finally:
            queries.give_back(alone)


def _known(db: Database, sync_id: str | None) -> Sync | None:
    with db.transaction() as tx:
        if sync_id is None:
            sync_id = queries.open_sync(tx, full=False)
        if sync_id is None:
            sync_id = new_id("syn")
            if not queries.start_changes(tx, sync_id, overlap=OVERLAP):
                return None
        found = queries.read(tx, sync_id)
    if found is None:
        raise NotFound(f"there is no pull {sync_id}")
    return found


def _pull(
    db: Database, products: Products, progress: Progress, known: Sync, currency: str, until: float
) -> dict[str, Any]:
    problems: list[dict[str, Any]] = []
    seen = known.seen
    if known.ended_at is None:
        pages = products.pages(cursor=known.cursor, updated_since=known.updated_since)
        try:
            for batch in _batches(pages):
                report = import_products(db, _rows(batch, seen), currency=currency)
                problems += report.as_dict()["problems"]
                seen += report.read
                _save(db, known.id, batch, report)
                progress(seen, None)
                if batch[-1].next_cursor and time.monotonic() >= until:
                    raise GoesOn(f"{seen:,} products so far", retry_after_s=0.0, spends_attempt=False)
        except NeighbourRefused as refusal:
            with db.transaction() as tx:
                queries.give_up(tx, known.id, reason=str(refusal))
            raise
    return _outcome(db, known.id, problems)


def _batches(pages: Iterable[ProductPage]) -> Generator[list[ProductPage]]:
    """Small pages together, as many as one import takes at once."""
    batch: list[ProductPage] = []
    for page in pages:
        batch.append(page)
        if sum(len(one.products) for one in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _rows(batch: Sequence[ProductPage], seen: int) -> Generator[Row]:
    # They stand in no file: their number is the how-manieth they were.
    numbers = itertools.count(seen + 1)
    for page in batch:
        for product in page.products:
            yield next(numbers), _row(product)
        for reason in page.problems:
            yield next(numbers), BadRow(reason)


def _row(product: Product) -> Mapping[str, object]:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "brand": product.brand or "",
        "price": product.price,
        "currency": product.currency,
        "stock": max(product.stock, 0),
        "attributes": dict(product.attributes),
        "image_url": product.image_url,
        "rating": product.rating,
        "rating_count": product.rating_count,
        "active": product.active,
    }


def _save(db: Database, sync_id: str, batch: Sequence[ProductPage], report: ImportReport) -> None:
    counts = {
        "seen": report.read,
        "added": report.added,
        "changed": report.changed,
        "rejected": report.rejected,
    }
    cursor = batch[-1].next_cursor
    with db.transaction() as tx:
        queries.save(tx, sync_id, cursor=cursor, counts=counts, newest=_newest(batch), ended=cursor is None)


def _newest(batch: Sequence[ProductPage]) -> datetime | None:
    times = [product.updated_at for page in batch for product in page.products if product.updated_at is not None]
    return max(times, default=None)


def _outcome(db: Database, sync_id: str, problems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    with db.transaction() as tx:
        queries.forget_changes(tx, days=KEPT_DAYS)
        done = queries.read(tx, sync_id)
    assert done is not None, "what was pulled a moment ago is kept for days"
    counts = {"seen": done.seen, "added": done.added, "changed": done.changed, "rejected": done.rejected}
    return {**counts, "problems": list(problems[:100])}
