"""The lexical index: which product has which words, weighed for BM25, kept in step with the catalogue."""

from collections import Counter
from collections.abc import Sequence

from db import outbox
from db.database import Tx
from shop import jobs
from shop.search.catalogue.product import Product
from shop.search.language.text import lexical_text, terms
from shop.search.queries import index as queries

DRIFT = 0.2
"""A fifth off, the average length changes the order of hardly any result; beyond, all postings are weighed anew."""


def lock(tx: Tx) -> None:
    """One writer at a time, until the transaction ends: two would count the same words and lock each other's rows."""
    queries.lock_index(tx)


def write(tx: Tx, products: Sequence[tuple[int, Product]]) -> None:
    """Put the words of these products in place of those they had; what is not active has none.

    `products` are numbers with their products. Whoever calls holds the lock.
    """
    language = queries.corpus(tx).language
    counts = {n: Counter(terms(lexical_text(product), language) if product.active else ()) for n, product in products}
    ids = _term_ids(tx, {term for counted in counts.values() for term in counted})
    queries.forget(tx, list(counts))
    lengths = [counted.total() for counted in counts.values() if counted]
    if not lengths:
        return
    average = queries.settle_average(tx, guess=sum(lengths) / len(lengths))
    flat = [(n, ids[term], count) for n, counted in counts.items() for term, count in counted.items()]
    queries.remember(
        tx,
        product_ns=[n for n, _, _ in flat],
        term_ids=[term for _, term, _ in flat],
        counts=[count for _, _, count in flat],
        average_length=average,
        language=language,
    )


def reweigh_if_drifted(tx: Tx) -> None:
    """Stage search.reweigh when products have become so much longer or shorter that their weights are off."""
    corpus = queries.corpus(tx)
    if corpus.documents and abs(corpus.true_average / corpus.average_length - 1) > DRIFT:
        queries.set_average(tx, corpus.true_average)
        outbox.stage(tx, jobs.REWEIGH_PRODUCTS, unique_key="search.reweigh")


def _term_ids(tx: Tx, wanted: set[str]) -> dict[str, int]:
    known = queries.term_ids(tx, list(wanted))
    new = wanted - known.keys()
    return known | queries.add_terms(tx, sorted(new)) if new else known
