"""Answers a search: one list, and from it the total, the facets and every page."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from db.database import Database, Tx
from shop.ids import new_id
from shop.ports.encoder import Encoder, EncoderUnavailable
from shop.search.answering import pages
from shop.search.answering.asked import Hit, Leg, Mode, Place, SearchRequest, SearchResult, WrongPlace
from shop.search.answering.explain import Explanation, explain
from shop.search.answering.further import further, keep, legs
from shop.search.answering.gather import LegAway, Means
from shop.search.answering.known import Knowledge, Known
from shop.search.answering.listing import Listing, Wanted, count_facets, listing
from shop.search.answering.pages import Sort
from shop.search.answering.rank import RANKER, Ranked
from shop.search.answering.rescue import rescue
from shop.search.answering.taste import taste
from shop.search.language.text import normalise
from shop.search.learning.learned import Learned, with_learned
from shop.search.queries import cards, log
from shop.search.queries.filters import Filters
from shop.search.queries.vectors import Vector, halves
from shop.search.understanding import spelling
from shop.search.understanding.spelling import Spelt
from shop.search.understanding.understand import Query, understand
from shop.search.understanding.widen import ways
from shop.search.vectors import models

__all__ = ["Hit", "Leg", "Mode", "Place", "SearchRequest", "SearchResult", "Sort", "WrongPlace", "find", "warm"]

INSTEAD: Mapping[Mode, Sequence[Mode]] = {
    "hybrid": ("hybrid", "lexical", "semantic"),
    "lexical": ("lexical", "semantic"),
    "semantic": ("semantic", "lexical"),
}
"""What is asked where a leg is away, in this order: which of two it was, the one statement for both does not tell."""

LOGGED_PRODUCTS = 10
"""The first page as most shops show it: enough to ask later which of them were clicked."""


def find(db: Database, encoder: Encoder, request: SearchRequest, knowledge: Knowledge | None = None) -> SearchResult:
    """Total, facets and pages come from one list. Its first page is logged; later ones keep its search_id.

    `knowledge` is what the process keeps between searches; without it, it is read for this one. Raises WrongPlace.
    """
    return search(db, encoder, request, knowledge or Knowledge())[0]


def search(db: Database, encoder: Encoder, request: SearchRequest, knowledge: Knowledge) -> tuple[SearchResult, Known]:
    """As `find`, and what was known. Where words or meaning cannot be looked up, the other one answers alone
    (`degraded`). Raises WrongPlace, and LegAway where neither can.
    """
    began = time.perf_counter()
    of = fingerprint(request)
    if request.after is not None and request.after.of != of:
        raise WrongPlace("the cursor belongs to another search")
    away: LegAway | None = None
    for legs_asked in INSTEAD[request.mode]:
        try:
            with db.transaction() as tx:
                known = knowledge.of(tx)
                return _answered(tx, _search(request, of, known, encoder, legs_asked), began), known
        except LegAway as error:
            away = error
    assert away is not None, "every mode has legs"
    raise away


def listed(tx: Tx, encoder: Encoder, known: Known, request: SearchRequest) -> tuple[Query, Sequence[Ranked]]:
    """How the query is read, and the whole list as it is before clicks have a say; nothing is logged or kept. Raises
    LegAway.
    """
    search = _search(request, fingerprint(request), known, encoder, request.mode)
    found = _found(tx, search, *_read(tx, search))
    return found.wanted.query, found.listing.ranked


def warm(encoder: Encoder) -> bool:
    """Load the model ahead of the first search; False where its files are not there yet."""
    try:
        encoder.warm()
    except EncoderUnavailable:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Search:
    request: SearchRequest
    of: str
    known: Known
    encoder: Encoder
    speaker: Encoder | None
    legs: Mode


def _search(request: SearchRequest, of: str, known: Known, encoder: Encoder, legs: Mode) -> _Search:
    return _Search(request, of, known, encoder, models.speaker(encoder, known.model), legs)


def _answered(tx: Tx, search: _Search, began: float) -> SearchResult:
    request, known = search.request, search.known
    following = further(tx, known, request, search.of)
    if following is not None:
        return replace(following, took_ms=_since(began))
    wanted, corrected = _read(tx, search)
    return logged(tx, request, _first(tx, search, wanted, corrected), began)


def fingerprint(request: SearchRequest) -> str:
    """What a cursor belongs to."""
    asked = repr((request.text, request.filters, request.sort, request.mode, request.correct, request.literal))
    return hashlib.blake2b(asked.encode(), digest_size=6).hexdigest()


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


def _read(tx: Tx, search: _Search) -> tuple[Wanted, str | None]:
    """What is wanted, and the query as it was put right, None where nothing was wrong with it."""
    request, known = search.request, search.known
    spelt = _spelt(tx, search.encoder, known, request)
    query = understand(spelt.text or request.text, known, literal=request.literal)
    query = replace(query, spaced=spelt.spaced) if spelt.spaced else query
    return _wanted(tx, query, _vector(search.speaker, query, search.legs), search), spelt.text


def _spelt(tx: Tx, encoder: Encoder, known: Known, request: SearchRequest) -> Spelt:
    return spelling.correct(tx, encoder, request.text, language=known.language) if request.correct else Spelt()


def _vector(speaker: Encoder | None, query: Query, mode: Mode) -> Vector | None:
    """None when meaning is not asked for or the model is away."""
    if mode == "lexical" or speaker is None:
        return None
    try:
        return halves(speaker.encode([query.wanted])[0])
    except EncoderUnavailable:
        return None


def _wanted(tx: Tx, query: Query, vector: Vector | None, search: _Search) -> Wanted:
    request, known = search.request, search.known
    version = _version(known, search.encoder)
    pins = known.pins.get(normalise(request.text))
    return Wanted(
        query=query,
        filters=_with_price(request.filters, query),
        means=Means(
            version=version,
            vector=vector,
            ways=ways(query, known) if search.legs != "semantic" or vector is None else (),
            taste=_taste(tx, query, request, version) if vector is not None else None,
            documents=known.documents,
        ),
        pinned=pins.product_ids if pins and pins.holds(datetime.now(UTC)) else (),
    )


def _version(known: Known, encoder: Encoder) -> str:
    return known.model.version if known.model else models.model_version(encoder)


def _with_price(filters: Filters, query: Query) -> Filters:
    """What the shopper set by hand goes before what the words say."""
    price = query.price
    if price is None or filters.price_min is not None or filters.price_max is not None:
        return filters
    return replace(filters, price_min=price.low, price_max=price.high)


def is_personal(tx: Tx, encoder: Encoder, known: Known, request: SearchRequest) -> bool:
    """Whether what the asker had before may change the answer. Correcting a query never makes it so: words that name a
    brand or hold a digit stay as they are.
    """
    if not request.customer_id and not request.visitor_id:
        return False
    query = understand(request.text, known, literal=request.literal)
    return request.mode != "lexical" and _taste(tx, query, request, _version(known, encoder)) is not None


def _taste(tx: Tx, query: Query, request: SearchRequest, version: str) -> Vector | None:
    if not request.personal or request.sort != "relevance":
        return None
    persons = [f"c:{request.customer_id}"] if request.customer_id else []
    persons += [f"v:{request.visitor_id}"] if request.visitor_id else []
    return taste(tx, query, persons, visitor_id=request.visitor_id, version=version)


def _first(tx: Tx, search: _Search, wanted: Wanted, corrected: str | None) -> SearchResult:
    """The page of a list that is made now: the first one, or one whose list is no longer kept."""
    request = search.request
    wanted, found, interpreted, corrected = _found(tx, search, wanted, corrected)
    learned = Learned(found.ranked)
    if search.known.learning != "off":
        learned = with_learned(tx, wanted.query.normalised, found.ranked, request)
    order = pages.ordered(learned.ranked, request.sort)
    start = pages.begins_at(order, request.after and (request.after.at + 1, request.after.product_id))
    page = order[start : start + request.limit]
    result = SearchResult(
        search_id=request.after.search_id if request.after else new_id("sch"),
        query=wanted.query,
        interpreted=interpreted,
        corrected=corrected,
        total=len(order),
        total_is_exact=found.is_exact,
        facets=count_facets(tx, wanted, found),
        hits=_hits(tx, page, explain(tx, wanted, found, page) if request.explain else {}),
        next_place=None,
        took_ms=0.0,
        degraded=search.legs != request.mode or (wanted.means.vector is None and request.mode != "lexical"),
        personal=wanted.means.taste is not None,
        teams=learned.teams,
        learned=learned.counts,
    )
    if start + request.limit < len(order):
        place = Place(result.search_id, search.of, start + len(page) - 1, page[-1].candidate.card.id)
        result = replace(result, next_place=place)
        keep(tx, result, order, wanted.filters)
    return result


class _Found(NamedTuple):
    wanted: Wanted
    listing: Listing
    interpreted: dict[str, Any]
    corrected: str | None


def _found(tx: Tx, search: _Search, wanted: Wanted, corrected: str | None) -> _Found:
    """The list of what is wanted, or of what is searched instead where that finds nothing."""
    request, interpreted = search.request, dict(wanted.query.interpreted)
    found = listing(tx, wanted)
    if found.ranked:
        return _Found(wanted, found, interpreted, corrected)
    rescued = rescue(
        tx, wanted, chosen=request.filters, respelt=lambda: _respelt(tx, search, corrected or request.text)
    )
    if rescued is None:
        return _Found(wanted, found, interpreted, corrected)
    corrected = rescued.wanted.query.text if rescued.step == "spelling" else corrected
    return _Found(rescued.wanted, rescued.found, interpreted | {"rescued": rescued.step}, corrected)


def _respelt(tx: Tx, search: _Search, text: str) -> Wanted | None:
    if not search.request.correct:
        return None
    other = spelling.correct(tx, search.encoder, text, language=search.known.language, boldly=True).text
    if other is None:
        return None
    query = understand(other, search.known, literal=search.request.literal)
    return _wanted(tx, query, _vector(search.speaker, query, search.legs), search)


def _hits(tx: Tx, page: Sequence[Ranked], explanations: Mapping[str, Explanation]) -> list[Hit]:
    shown = {product.id: product for product in cards.shown(tx, [one.candidate.card.id for one in page])}
    return [
        Hit(shown[product_id], one.score, legs(pages.marks(one)), one.pinned, explanations.get(product_id))
        for one in page
        if (product_id := one.candidate.card.id) in shown  # retired since the list was made
    ]


def logged(tx: Tx, request: SearchRequest, result: SearchResult, began: float) -> SearchResult:
    """The result with the time it took, written down if it is a shopper's first page."""
    result = replace(result, took_ms=_since(began))
    if request.after is None and request.counted:
        log.insert_search(
            tx,
            log.Search(
                id=result.search_id,
                customer_id=request.customer_id,
                visitor_id=request.visitor_id,
                query=request.text[: log.LONGEST_QUERY],
                normalised=normalise(request.text)[: log.LONGEST_QUERY],
                corrected=result.corrected and result.corrected[: log.LONGEST_QUERY],
                interpreted=result.interpreted,
                filters={name: value for name, value in request.filters.parameters().items() if value is not None},
                sort=request.sort,
                mode=request.mode,
                total=result.total,
                total_is_exact=result.total_is_exact,
                first_products=[hit.product.id for hit in result.hits[:LOGGED_PRODUCTS]],
                ranker=RANKER + ("+trial" if result.teams else "+learned" if result.learned else ""),
                degraded=result.degraded,
                cached=result.cached,
                took_ms=result.took_ms,
                teams=result.teams or None,
            ),
        )
    return result
