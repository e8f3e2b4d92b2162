"""Gives every product its vector: what is new or reworded, in bites, each one kept as soon as it is done."""

import time
from typing import Any, ClassVar, NamedTuple

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.errors import NotYet
from shop.ports.encoder import Encoder
from shop.progress import Progress, unheard
from shop.search.catalogue.product import Product
from shop.search.language.text import embedding_text
from shop.search.queries import models as known_models
from shop.search.queries import vectors as queries
from shop.search.queries import versions
from shop.search.queries.models import Model
from shop.search.vectors import models

BITE = 5000
"""Products of one job, where it is done with them in time."""

RUN_S = 10.0
"""A run ends at the first save after so long: prices and products that leave the shop wait for the same worker."""

SAVE = 512
"""Products of one transaction: a kill loses three seconds of work, and the lengths still sort well into batches."""

FIRST_LOAD = 2000
"""From here, filling a graph row by row (4.8 ms each) costs more than building it when all vectors are there."""

SAMPLE = 300
"""Unrelated products that a query is compared with: their mean similarity is then known to a hundredth."""


class AlreadyEmbedding(NotYet):
    """Another run is at it. This one comes after it, since it may be about products that one has passed."""

    code: ClassVar[str] = "already_embedding"


def embed(
    db: Database, encoder: Encoder, progress: Progress = unheard, *, bite: int = BITE, run_s: float = RUN_S
) -> dict[str, Any]:
    """Encode up to `bite` products, for `run_s` seconds or little more, and stage the next bite if there are more.

    While another model still answers, its vectors are kept up to date too, where its files are still here: whatever is
    new is found by its meaning before and after this one takes over, which it does when every product has its vector.

    Answers {embedded, seconds, per_second, seconds_per_1000, remaining}. Raises AlreadyEmbedding, EncoderUnavailable.
    """
    with db.session() as alone:
        if not queries.claim(alone):
            raise AlreadyEmbedding("another worker embeds", retry_after_s=5.0, spends_attempt=False)
        try:
            return _embed_alone(db, encoder, progress, _Bite(bite, time.monotonic() + run_s))
        finally:
            queries.give_back(alone)


class _Bite(NamedTuple):
    products: int
    until: float


def _embed_alone(db: Database, encoder: Encoder, progress: Progress, bite: _Bite) -> dict[str, Any]:
    with db.transaction() as tx:
        version = models.register(tx, encoder)
        answering = known_models.active_model(tx)
        stale = queries.count_stale(tx, version)
        _make_room(tx, stale)
    began = time.monotonic()
    done = 0
    if answering is not None and answering.version != version:
        done = _keep_up(db, encoder, answering, bite)
    done += _embed_some(db, encoder, version, progress, bite, stale)
    seconds = time.monotonic() - began
    return {
        "embedded": done,
        "remaining": _finish(db, version, done),
        "seconds": round(seconds, 2),
        "per_second": round(done / seconds, 1) if seconds else 0.0,
        "seconds_per_1000": round(1000 * seconds / done, 2) if done else 0.0,
    }


def _keep_up(db: Database, encoder: Encoder, answering: Model, bite: _Bite) -> int:
    other = models.speaker(encoder, answering)
    if other is None:
        return 0  # its files are gone: until the new model takes over, what is new is found by its words
    with db.transaction() as tx:
        stale = queries.count_stale(tx, answering.version)
    return _embed_some(db, other, answering.version, unheard, bite, stale)


def _make_room(tx: Tx, stale: int) -> None:
    # The first load of a catalogue: without the index it is ten times faster, and search scans what there is.
    if stale >= FIRST_LOAD and queries.count_rows(tx) * 2 < stale:
        queries.drop_index(tx)


def _embed_some(db: Database, encoder: Encoder, version: str, progress: Progress, bite: _Bite, stale: int) -> int:
    done = after = 0
    total = min(stale, bite.products)
    while done < total and (not done or time.monotonic() < bite.until):
        with db.transaction() as tx:
            rows = queries.stale_products(tx, version, after=after, limit=min(SAVE, total - done))
        if not rows:
            break
        vectors = encoder.encode([embedding_text(_product(row)) for row in rows])
        with db.transaction() as tx:
            queries.save_vectors(tx, version, rows, vectors)
            versions.bump(tx, "catalogue")  # what was found before is found otherwise now
        done, after = done + len(rows), rows[-1].n
        progress(done, total)
    return done


def _product(row: queries.Stale) -> Product:
    return Product(
        id=row.id,
        name=row.name,
        description=row.description,
        category=row.category,
        brand=row.brand,
        attributes=row.attributes,
    )


def _finish(db: Database, version: str, done: int) -> int:
    with db.transaction() as tx:
        remaining = queries.count_stale(tx, version)
        if remaining:
            outbox.stage(tx, jobs.EMBED_PRODUCTS, unique_key="search.embed")
            return remaining
    with db.transaction() as tx:
        queries.build_index(tx)
    with db.transaction() as tx:
        # One product more or less in a hundred changes no mean.
        if done * 100 >= queries.count_rows(tx) or queries.count_sample(tx, version) < SAMPLE:
            queries.draw_sample(tx, version, size=SAMPLE)
            queries.analyze(tx)
        models.take_over(tx, version)
        if done:
            versions.bump(tx, "catalogue")
    return 0
