"""The one list of a query under filters: gathered, ranked, and with the shop's pins at its head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from db.database import Tx
from shop.search.answering import facets
from shop.search.answering.facets import Facets
from shop.search.answering.gather import Candidate, Gathered, Means, gather
from shop.search.answering.rank import Parts, Ranked, rank
from shop.search.queries import cards
from shop.search.queries.filters import Filters
from shop.search.understanding.understand import Query


@dataclass(frozen=True, slots=True)
class Listing:
    """Best first, pinned ones before all."""

    ranked: Sequence[Ranked]
    is_exact: bool
    gathered: Gathered


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that decides a list. `generous`: what is merely somewhat alike is taken too."""

    query: Query
    filters: Filters
    means: Means
    pinned: Sequence[str] = ()
    generous: bool = False


def listing(tx: Tx, wanted: Wanted) -> Listing:
    gathered = gather(tx, wanted.query, wanted.filters, wanted.means)
    ranked, is_exact = rank(wanted.query, gathered, generous=wanted.generous)
    if wanted.pinned:
        ranked = _pin(tx, wanted, ranked)
    return Listing(ranked, is_exact, gathered)


def count_facets(tx: Tx, wanted: Wanted, found: Listing) -> Facets:
    """Counted in the list, each without its own filter: whoever chose one brand still sees what the others have.

    Where a list is not exact, its counts say how many there are at least.
    """
    filters = wanted.filters
    counted = seen = facets.count(_cards(found))
    if filters.categories:
        others = listing(tx, replace(wanted, filters=replace(filters, categories=())))
        counted = replace(counted, category=facets.count(_cards(others)).category)
    if filters.brands:
        others = listing(tx, replace(wanted, filters=replace(filters, brands=())))
        counted = replace(counted, brand=facets.count(_cards(others)).brand)
    if filters.price_min is not None or filters.price_max is not None:
        others = listing(tx, replace(wanted, filters=replace(filters, price_min=None, price_max=None)))
        counted = replace(counted, price=facets.count(_cards(others)).price)
    return facets.at_least(counted, seen)


def _cards(found: Listing) -> list[cards.Card]:
    return [one.candidate.card for one in found.ranked]


def _pin(tx: Tx, wanted: Wanted, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Pins pass the filters or are not shown; one that the query would not have found joins the list."""
    ns = cards.pinned_ns(tx, wanted.pinned, wanted.filters)
    there = {one.candidate.card.n: one for one in ranked}
    missing = [n for n in ns if n not in there]
    if missing:
        means = wanted.means
        there |= {card.n: _unfound(card) for card in cards.cards(tx, missing, version=means.version, vector=None)}
    head = [there[n]._replace(pinned=True) for n in ns if n in there]
    pinned = {one.candidate.card.n for one in head}
    return [*head, *(one for one in ranked if one.candidate.card.n not in pinned)]


def _unfound(card: cards.Card) -> Ranked:
    candidate = Candidate(card, 0.0, 0, worthy=False, every=False, by_words=False, near=False)
    return Ranked(candidate, 0.0, by_words=False, by_meaning=False, parts=Parts(*[0.0] * len(Parts._fields)))
