"""Takes a catalogue in: every row checked, the good ones stored in batches, the bad ones reported with their line."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from db import outbox
from db.database import Database, Tx
from shop import jobs
from shop.progress import Progress, unheard
from shop.search.catalogue import index
from shop.search.catalogue.product import BadRow, Product, read_product
from shop.search.catalogue.reading import Row
from shop.search.language.text import TEXT_VERSION, embedding_text, lexical_text
from shop.search.queries import catalog as queries
from shop.search.queries import index as index_queries
from shop.search.queries import suggest as suggestions
from shop.search.queries import versions

BATCH = 1000
"""Rows of one transaction: long enough that the round trips do not count, short enough that a crash loses a second."""

PROBLEMS_KEPT = 100
"""A file of a million bad lines is told by its first hundred."""


@dataclass(slots=True)
class ImportReport:
    """What became of each row: read = added + changed + unchanged + repeated + rejected."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    rejected: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"problems": [{"line": line, "reason": reason} for line, reason in self.problems]}


def import_products(
    db: Database,
    rows: Iterable[Row],
    progress: Progress = unheard,
    *,
    currency: str = "eur",
    said_at: datetime | None = None,
) -> ImportReport:
    """Store what is new or different and stage its embedding; rows that say nothing new are left untouched, and so are
    products about which something was said after `said_at` (None: now).

    Each batch of 1,000 is one transaction, so that what is reported as done stays done whatever happens next. Of an
    id that comes twice in a batch the later row counts. Progress is told in rows; their total is not known.
    """
    report = ImportReport()
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        products = _read(batch, report, currency)
        with db.transaction() as tx:
            _store(tx, products, report, said_at)
        report.read += len(batch)
        progress(report.read, None)
    with db.transaction() as tx:
        index.reweigh_if_drifted(tx)
        if report.added + report.changed >= BATCH:
            index_queries.analyze(tx)
    return report


def _read(batch: Sequence[Row], report: ImportReport, currency: str) -> list[Product]:
    products: dict[str, Product] = {}
    for line, row in batch:
        try:
            product = _product(row, currency)
        except BadRow as bad:
            report.rejected += 1
            if len(report.problems) < PROBLEMS_KEPT:
                report.problems.append((line, str(bad)))
            continue
        report.repeated += product.id in products
        products[product.id] = product
    return list(products.values())


def _product(row: Mapping[str, object] | BadRow, currency: str) -> Product:
    if isinstance(row, BadRow):
        raise row
    return read_product(row, currency=currency)


def _store(tx: Tx, products: Sequence[Product], report: ImportReport, said_at: datetime | None) -> None:
    index.lock(tx)
    rows = json.dumps([stored_row(product) for product in products])
    changed = queries.update_products(tx, rows, said_at=said_at)
    added = queries.insert_products(tx, rows, said_at=said_at)
    report.changed += len(changed)
    report.added += len(added)
    report.unchanged += len(products) - len(changed) - len(added)

    if changed or added:
        versions.bump(tx, "catalogue")
    number = {row.id: row.n for row in (*changed, *added) if row.words_changed}
    reworded = [(number[product.id], product) for product in products if product.id in number]
    if reworded:
        index.write(tx, reworded)
        suggestions.note_reworded(tx, sorted(number))
        outbox.stage(tx, jobs.EMBED_PRODUCTS, unique_key="search.embed")


def stored_row(product: Product) -> dict[str, Any]:
    """All fields as the table keeps them, with both hashes in hex."""
    fields = asdict(product)
    content = (TEXT_VERSION, lexical_text(product), embedding_text(product))
    fields["content_hash"] = _digest(content)
    fields["row_hash"] = _digest(fields)
    return fields


def _digest(value: object) -> str:
    written = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.blake2b(written, digest_size=16).hexdigest()
