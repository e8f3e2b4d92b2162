"""Keeps suggestions and the words for spelling in step with the catalogue and with what shoppers ask."""

import math
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from db.database import Database, Tx
from shop.progress import Progress, unheard
from shop.search.catalogue.product import CATEGORY_STEP, Product
from shop.search.language.slips import pieces
from shop.search.language.text import lexical_text, terms
from shop.search.queries import find, index, tops
from shop.search.queries import suggest as queries
from shop.search.queries.suggest import Known, Reworded, Wanted
from shop.search.suggesting.manners import is_personal, is_rude
from shop.search.suggesting.typed import beginnings, fold, keys
from shop.search.understanding import spelling

BITE = 2000
"""Products of one transaction: a second or two."""

RUN_S = 40.0
"""A run ends before the next is due; what is left is taken then."""

LEAST_ASKERS = 3
"""So many different people must have asked: what one person types is nobody else's business."""

ASKED_DAYS = 90

LONGEST_QUERY = 60

CHECKED_EVERY = timedelta(hours=1)
"""Whether suggested queries still have their askers, of whom an erasure may have taken some: ten microseconds each."""

OVERLAP = timedelta(minutes=2)
"""Searches are read again for so long, since one that began earlier may be written later."""

CROWDED = 64
"""From so many keys on, a beginning's best are kept ready. Fewer are read and sorted in a third of a millisecond."""

KEPT_READY = 12

LONGEST_NAME = 120
"""Characters of a product's name that fit into a list of suggestions."""

QUERY, CATEGORY, BRAND, PRODUCT = 3.0, 2.5, 2.0, 0.5
"""What people really ask comes first; the number of people, products or ratings adds up to a half."""

HEAVIEST_PRODUCT = 1.0
"""Below everything else (the lightest has 0.7 of 2.0), which tells the two apart without looking them up."""


def suggest(
    db: Database, progress: Progress = unheard, *, never: tuple[str, ...] = (), run_s: float = RUN_S
) -> dict[str, object]:
    """Take in what changed since the last run: searches, and products with other words.

    `never`: words that the shop does not want suggested because others typed them.

    Answers {queries, products, remaining}. May be stopped anywhere and may run twice: each bite is one transaction.
    """
    until = time.monotonic() + run_s
    asked = _asked(db, never)
    done = 0
    while True:
        with db.transaction() as tx:
            queries.lock(tx)
            bite = queries.take_reworded(tx, limit=BITE)
            _products(tx, bite)
        done += len(bite)
        if len(bite) < BITE or time.monotonic() >= until:
            break
        progress(done, None)
    with db.transaction() as tx:
        return {"queries": asked, "products": done, "remaining": queries.count_reworded(tx)}


def _asked(db: Database, never: tuple[str, ...]) -> int:
    now = datetime.now(UTC)
    with db.transaction() as tx:
        queries.lock(tx)
        since = queries.mark(tx, "suggest.queries")
        touched = queries.note_askers(
            tx, since=since and since - OVERLAP, days=ASKED_DAYS, longest=LONGEST_QUERY
        ) + queries.forget_askers(tx, days=ASKED_DAYS, limit=BITE)
        touched += _little_asked(tx, now)
        wanted = _worthy(tx, queries.count_askers(tx, touched), never)
        kept = {one.name for one in wanted}
        gone = queries.known(tx, "query", [query for query in touched if query not in kept])
        _replace(tx, wanted, gone)
        queries.set_mark(tx, "suggest.queries", now)
    return len(touched)


def _little_asked(tx: Tx, now: datetime) -> list[str]:
    checked = queries.mark(tx, "suggest.checked")
    if checked is not None and now - checked < CHECKED_EVERY:
        return []
    queries.set_mark(tx, "suggest.checked", now)
    return queries.little_asked(tx, least=LEAST_ASKERS, limit=BITE)


def _worthy(tx: Tx, askers: dict[str, int], never: tuple[str, ...]) -> list[Wanted]:
    """Asked by several people, neither personal nor rude, and of words that products have."""
    language = index.corpus(tx).language
    candidates = {
        query: terms(query, language)
        for query, people in askers.items()
        if people >= LEAST_ASKERS and not is_personal(query) and not is_rude(query, language, never)
    }
    known = {found.term for found in find.look_up(tx, list({term for each in candidates.values() for term in each}))}
    return [
        Wanted("query", query, query, _weight(QUERY, askers[query]))
        for query, each in candidates.items()
        if each and known.issuperset(each)
    ]


def _weight(least: float, count: int) -> float:
    # In steps, so that one more of a thousand changes nothing that would have to be written.
    return least + min(round(math.log1p(count) * 2) / 2 / 30, 0.5)


def _products(tx: Tx, bite: Sequence[Reworded]) -> None:
    here = [_product(row) for row in bite if row.active]
    spelling.learn(tx, [lexical_text(product) for product in here])
    before = queries.known(tx, "product", [row.id for row in bite])
    kept = {product.id for product in here}
    wanted = [_wanted(product) for product in here]
    categories = {one.category for one in (*before, *wanted) if one.category}
    brands = {one.brand for one in (*before, *wanted) if one.brand}
    found = [
        *_counted("category", CATEGORY, queries.count_in_categories(tx, sorted(categories))),
        *_counted("brand", BRAND, queries.count_of_brands(tx, sorted(brands))),
    ]
    filled = {(one.kind, one.name) for one in found}
    empty = [
        one
        for kind, names in (("category", categories), ("brand", brands))
        for one in queries.known(tx, kind, sorted(names))
        if (kind, one.name) not in filled
    ]
    _replace(tx, [*wanted, *found], [*(one for one in before if one.name not in kept), *empty])


def _product(row: Reworded) -> Product:
    return Product(
        id=row.id,
        name=row.name or "",
        description=row.description or "",
        category=row.category or "",
        brand=row.brand or "",
        attributes=row.attributes or {},
        rating_count=row.rating_count,
    )


def _wanted(product: Product) -> Wanted:
    text = product.name
    if len(text) > LONGEST_NAME:
        text = text[:LONGEST_NAME].rsplit(" ", 1)[0] + "…"
    weight = min(_weight(PRODUCT, product.rating_count or 0), HEAVIEST_PRODUCT)
    return Wanted("product", product.id, text, weight, product.category.lower(), product.brand.lower())


def _counted(kind: str, least: float, counted: Iterable[tuple[str, int]]) -> list[Wanted]:
    """One for all spellings, written as most products have it; a category is shown by its last step."""
    found: dict[str, tuple[str, int]] = {}
    for written, count in counted:
        first = found.get(written.lower(), (written, 0))
        found[written.lower()] = (first[0], first[1] + count)
    return [
        Wanted(kind, name, written.rsplit(CATEGORY_STEP, 1)[-1], _weight(least, count))
        for name, (written, count) in found.items()
    ]


def _replace(tx: Tx, wanted: Sequence[Wanted], gone: Sequence[Known]) -> None:
    """Write these, take those out, and bring the beginnings of both up to date."""
    wanted = [one for one in wanted if fold(one.text)]
    changed = queries.save(tx, wanted)
    lost = [one.id for one in gone]
    touched = set(queries.drop_keys(tx, [*changed.values(), *lost]))
    queries.drop(tx, lost)
    rows = [
        (key, changed[one.kind, one.name], weight)
        for one in wanted
        if (one.kind, one.name) in changed
        for key, weight in keys(one.text, one.weight).items()
    ]
    queries.add_keys(tx, rows)
    _begin(tx, beginnings(key for one in wanted for key in keys(one.text, one.weight)))
    _prepare(tx, touched.union(key for key, _, _ in rows))


def _begin(tx: Tx, words: set[str]) -> None:
    new = sorted(words - queries.known_beginnings(tx, words))
    if new:
        queries.add_beginnings(tx, {word: sorted(pieces(word)) for word in new})


def _prepare(tx: Tx, touched: set[str]) -> None:
    """Walks down from single letters, and only below beginnings that are crowded themselves."""
    crowded: set[str] = set()
    roomy: set[str] = set()
    depth, level = 1, {key[:1] for key in touched}
    while level:
        full = tops.crowded(tx, sorted(level), limit=CROWDED)
        crowded |= full
        roomy |= level - full
        depth += 1
        level = {key[:depth] for key in touched if len(key) >= depth and key[: depth - 1] in full}
    tops.drop_tops(tx, sorted(roomy))
    tops.save_tops(tx, sorted(crowded), product_weight=HEAVIEST_PRODUCT, each=KEPT_READY)
