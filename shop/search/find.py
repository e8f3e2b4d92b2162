"""Answers a search: one list, and from it the total, the facets and every page."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from db.database import Database, Tx
from shop.errors import Rejected
from shop.ids import new_id
from shop.ports.encoder import Encoder, EncoderUnavailable
from shop.search import facets, spelling
from shop.search.facets import Facets
from shop.search.gather import gather
from shop.search.models import model_version
from shop.search.queries import cards, log
from shop.search.queries.cards import Shown
from shop.search.queries.filters import NO_FILTERS, Filters
from shop.search.queries.vectors import written
from shop.search.rank import RANKER, Ranked, rank
from shop.search.text import normalise
from shop.search.understand import Query, understand

Sort = Literal["relevance", "price_asc", "price_desc", "rating", "newest"]
Mode = Literal["hybrid", "semantic", "lexical"]
Leg = Literal["semantic", "lexical"]

LOGGED_PRODUCTS = 10
"""The first page as most shops show it: enough to ask later which of them were clicked."""

LAST = 1e18
"""Sorts what has no price or rating behind everything that has."""


class WrongPlace(Rejected):
    """This cursor belongs to another search, or to the same with other filters."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the sort key and id of its last product, in the search it is of."""

    search_id: str
    of: str
    key: float
    product_id: str


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """`after` is the place a page before ended; it goes with the same text, filters, sort and mode only.

    `correct` False takes every word as it is written.
    """

    text: str
    filters: Filters = NO_FILTERS
    sort: Sort = "relevance"
    mode: Mode = "hybrid"
    limit: int = 20
    after: Place | None = None
    customer_id: str | None = None
    visitor_id: str | None = None
    correct: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """`score` is between 0 and 1 and compares within this search only."""

    product: Shown
    score: float
    matched: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """total_is_exact False: there are at least `total`. degraded: the model is away, words alone were compared.

    corrected: what was searched instead of what was written, None when that is the same.
    """

    search_id: str
    query: Query
    corrected: str | None
    total: int
    total_is_exact: bool
    facets: Facets
    hits: Sequence[Hit]
    next_place: Place | None
    took_ms: float
    degraded: bool


def find(db: Database, encoder: Encoder, request: SearchRequest) -> SearchResult:
    """Total, facets and pages come from one list. Its first page is logged; later ones keep its search_id.

    Raises WrongPlace.
    """
    began = time.perf_counter()
    of = _fingerprint(request)
    if request.after is not None and request.after.of != of:
        raise WrongPlace("the cursor belongs to another search")
    corrected = _corrected(db, encoder, request)
    query = understand(corrected or request.text)
    vector = _vector(encoder, query, request.mode)
    by_words = request.mode != "semantic" or vector is None
    search_id = request.after.search_id if request.after else new_id("sch")
    with db.transaction() as tx:
        gathered = gather(tx, query, request.filters, version=model_version(encoder), vector=vector, by_words=by_words)
        ranked, is_exact = rank(query, gathered)
        page, more = _page(ranked, request)
        result = SearchResult(
            search_id=search_id,
            query=query,
            corrected=corrected,
            total=len(ranked),
            total_is_exact=is_exact,
            facets=facets.count([one.candidate.card for one in ranked]),
            hits=_hits(tx, page),
            next_place=_place(request, search_id, of, page[-1]) if more else None,
            took_ms=0.0,
            degraded=vector is None and request.mode != "lexical",
        )
        return _logged(tx, request, result, began)


def warm(encoder: Encoder) -> bool:
    """Load the model ahead of the first search; False where its files are not there yet."""
    try:
        encoder.warm()
    except EncoderUnavailable:
        return False
    return True


def _fingerprint(request: SearchRequest) -> str:
    asked = repr((request.text, request.filters, request.sort, request.mode, request.correct))
    return hashlib.blake2b(asked.encode(), digest_size=6).hexdigest()


def _corrected(db: Database, encoder: Encoder, request: SearchRequest) -> str | None:
    if not request.correct:
        return None
    with db.transaction() as tx:
        return spelling.correct(tx, encoder, request.text)


def _vector(encoder: Encoder, query: Query, mode: Mode) -> str | None:
    """As pgvector reads it; None when meaning is not asked for or the model is away."""
    if mode == "lexical":
        return None
    try:
        return written(encoder.encode([query.wanted])[0].tolist())
    except EncoderUnavailable:
        return None


def _page(ranked: Sequence[Ranked], request: SearchRequest) -> tuple[list[Ranked], bool]:
    key = _SORTS[request.sort]
    order = sorted(ranked, key=lambda one: (key(one), one.candidate.card.id))
    after = request.after
    if after is not None:
        order = [one for one in order if (key(one), one.candidate.card.id) > (after.key, after.product_id)]
    return order[: request.limit], len(order) > request.limit


def _place(request: SearchRequest, search_id: str, of: str, last: Ranked) -> Place:
    return Place(search_id, of, _SORTS[request.sort](last), last.candidate.card.id)


def _by_price(one: Ranked) -> float:
    return LAST if one.candidate.card.price is None else float(one.candidate.card.price)


def _by_price_falling(one: Ranked) -> float:
    return LAST if one.candidate.card.price is None else -float(one.candidate.card.price)


def _by_rating(one: Ranked) -> float:
    # Of equal ratings the one that more people gave comes first.
    card = one.candidate.card
    return LAST if card.rating is None else -(round(card.rating, 2) * 1e10 + (card.rating_count or 0))


_SORTS: Mapping[Sort, Callable[[Ranked], float]] = {
    "relevance": lambda one: -one.score,
    "price_asc": _by_price,
    "price_desc": _by_price_falling,
    "rating": _by_rating,
    "newest": lambda one: -one.candidate.card.created_at.timestamp(),
}


def _hits(tx: Tx, page: Sequence[Ranked]) -> list[Hit]:
    shown = {product.id: product for product in cards.shown(tx, [one.candidate.card.id for one in page])}
    return [
        Hit(
            product=shown[one.candidate.card.id],
            score=one.score,
            matched=_matched(one),
        )
        for one in page
        if one.candidate.card.id in shown  # retired since the list was made
    ]


def _matched(one: Ranked) -> tuple[Leg, ...]:
    legs: tuple[tuple[Leg, bool], ...] = (("semantic", one.by_meaning), ("lexical", one.by_words))
    return tuple(leg for leg, did in legs if did)


def _logged(tx: Tx, request: SearchRequest, result: SearchResult, began: float) -> SearchResult:
    result = replace(result, took_ms=round((time.perf_counter() - began) * 1000, 2))
    if request.after is None:
        log.insert_search(
            tx,
            log.Search(
                id=result.search_id,
                customer_id=request.customer_id,
                visitor_id=request.visitor_id,
                query=request.text[: log.LONGEST_QUERY],
                normalised=normalise(request.text)[: log.LONGEST_QUERY],
                corrected=result.corrected and result.corrected[: log.LONGEST_QUERY],
                interpreted=result.query.interpreted,
                filters={name: value for name, value in request.filters.parameters().items() if value is not None},
                sort=request.sort,
                mode=request.mode,
                total=result.total,
                total_is_exact=result.total_is_exact,
                first_products=[hit.product.id for hit in result.hits[:LOGGED_PRODUCTS]],
                ranker=RANKER,
                degraded=result.degraded,
                took_ms=result.took_ms,
            ),
        )
    return result
