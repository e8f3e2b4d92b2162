"""Puts the index over to another language, in bites, while search goes on under both."""

from db.database import Database
from shop.progress import Progress, unheard
from shop.search.catalogue import index
from shop.search.catalogue.product import Product
from shop.search.language.text import stem
from shop.search.queries import index as index_queries
from shop.search.queries import languages as queries
from shop.search.queries import versions
from shop.search.queries.languages import Told

BITE = 500
"""Products of one transaction: a second or two, during which an import waits for the index."""

WORDS = 20_000
"""Words of the spelling of one statement."""


def reindex(db: Database, language: str, progress: Progress = unheard) -> dict[str, object]:
    """Answers how many products were put over: none when the index is in that language already.

    From the first commit on, what is imported is in the new language and queries are looked up under both. A killed run
    goes on where it was: each product's row says under which stemmer its words are kept.
    """
    with db.transaction() as tx:
        index.lock(tx)
        if queries.set_language(tx, language) is not None:
            versions.bump(tx, "merchandising")
        total = queries.count_elsewhere(tx, language)
    done = _put_over(db, language, progress, total)
    if done or total == 0:
        _finish(db, language)
    return {"products": done, "language": language}


def _put_over(db: Database, language: str, progress: Progress, total: int) -> int:
    done = 0
    while True:
        with db.transaction() as tx:
            index.lock(tx)
            bite = queries.products_elsewhere(tx, language, limit=BITE)
            index.write(tx, [(told.n, _product(told)) for told in bite])
        if not bite:
            return done
        done += len(bite)
        progress(done, max(total, done))


def _finish(db: Database, language: str) -> None:
    with db.transaction() as tx:
        index.lock(tx)
        if index_queries.corpus(tx).former_language is None:
            return
        words = queries.all_words(tx)
        for start in range(0, len(words), WORDS):
            some = words[start : start + WORDS]
            queries.set_stems(tx, some, [stem(word, language) for word in some])
        queries.end_former_language(tx)
        versions.bump(tx, "merchandising")


def _product(told: Told) -> Product:
    return Product(
        id=told.id,
        name=told.name,
        description=told.description,
        category=told.category,
        brand=told.brand,
        attributes=told.attributes,
        active=told.active,
    )
