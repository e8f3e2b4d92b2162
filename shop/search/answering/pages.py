"""Pages of a list: its order, and how the next page finds that order again whatever has changed meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from shop.search.answering.rank import Ranked

Sort = Literal["relevance", "price_asc", "price_desc", "rating", "newest"]

KEPT_MINUTES = 60
"""How long the order of a search is kept for its further pages. Later, a page goes on behind its last product in the
list as it is then."""

LAST = 1e18
"""Sorts what has no price or rating behind everything that has."""

BY_MEANING, BY_WORDS, PINNED = 1, 2, 4


def ordered(ranked: Sequence[Ranked], sort: Sort) -> list[Ranked]:
    """`ranked` comes in the order of relevance, pins first."""
    if sort == "relevance":
        return list(ranked)
    key = _SORTS[sort]
    return sorted(ranked, key=lambda one: (key(one), one.candidate.card.id))


def begins_at(order: Sequence[Ranked], after: tuple[int, str] | None) -> int:
    """Where the next page begins in a list that was made anew: behind the last product shown, else at its place."""
    if after is None:
        return 0
    place, product_id = after
    ids = [one.candidate.card.id for one in order]
    return ids.index(product_id) + 1 if product_id in ids else min(place, len(ids))


def marks(one: Ranked) -> int:
    return BY_MEANING * one.by_meaning + BY_WORDS * one.by_words + PINNED * one.pinned


def _by_price(one: Ranked) -> float:
    return LAST if one.candidate.card.price is None else float(one.candidate.card.price)


def _by_price_falling(one: Ranked) -> float:
    return LAST if one.candidate.card.price is None else -float(one.candidate.card.price)


def _by_rating(one: Ranked) -> float:
    # Of equal ratings the one that more people gave comes first.
    card = one.candidate.card
    return LAST if card.rating is None else -(round(card.rating, 2) * 1e10 + (card.rating_count or 0))


_SORTS: Mapping[Sort, Callable[[Ranked], float]] = {
    "price_asc": _by_price,
    "price_desc": _by_price_falling,
    "rating": _by_rating,
    "newest": lambda one: -one.candidate.card.created,
}
