"""The pages after the first: of the list as it was kept, so that none repeats or skips a product."""

from collections.abc import Sequence
from dataclasses import replace

from db.database import Tx
from shop.search.answering import facets, pages
from shop.search.answering.asked import Hit, Leg, Place, SearchRequest, SearchResult
from shop.search.answering.known import Known
from shop.search.answering.pages import BY_MEANING, BY_WORDS, PINNED
from shop.search.answering.rank import Ranked
from shop.search.queries import cards, lists
from shop.search.queries.filters import Filters
from shop.search.understanding.understand import understand


def legs(marks: int) -> tuple[Leg, ...]:
    every: tuple[tuple[Leg, int], ...] = (("semantic", BY_MEANING), ("lexical", BY_WORDS))
    return tuple(leg for leg, mark in every if marks & mark)


def keep(tx: Tx, result: SearchResult, order: Sequence[Ranked], filters: Filters) -> None:
    lists.keep_list(
        tx,
        result.search_id,
        ns=[one.candidate.card.n for one in order],
        scores=[one.score for one in order],
        marks=[pages.marks(one) for one in order],
        told={
            "total": result.total,
            "total_is_exact": result.total_is_exact,
            "facets": facets.told(result.facets),
            "interpreted": dict(result.interpreted),
            "corrected": result.corrected,
            "degraded": result.degraded,
            "price": [filters.price_min, filters.price_max],
        },
    )


def further(tx: Tx, known: Known, request: SearchRequest, of: str) -> SearchResult | None:
    """The next page of a list as it was kept, without what has left the shop or the filters since. None on the first
    page, and when the list is no longer kept.
    """
    after = request.after
    if after is None or request.explain:
        return None
    kept = lists.kept_list(tx, after.search_id)
    if kept is None:
        return None
    told = kept.told
    low, high = told["price"]
    filters = replace(request.filters, price_min=low, price_max=high)
    still = lists.still_there(tx, kept.product_ns, filters, first=after.at + 1, limit=request.limit + 1)
    page = still[: request.limit]
    shown = {product.id: product for product in cards.shown(tx, [one.id for one in page])}
    return SearchResult(
        search_id=after.search_id,
        query=understand(told["corrected"] or request.text, known, literal=request.literal),
        interpreted=told["interpreted"],
        corrected=told["corrected"],
        total=told["total"],
        total_is_exact=told["total_is_exact"],
        facets=facets.read(told["facets"]),
        hits=[
            Hit(
                shown[one.id],
                round(kept.scores[one.place], 6),
                legs(kept.marks[one.place]),
                pinned=bool(kept.marks[one.place] & PINNED),
            )
            for one in page
            if one.id in shown
        ],
        next_place=Place(after.search_id, of, page[-1].place, page[-1].id) if len(still) > request.limit else None,
        took_ms=0.0,
        degraded=told["degraded"],
    )
