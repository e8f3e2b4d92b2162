"""Candidates for a query: by meaning and by words, under the same filters, with all that ordering needs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.database import Tx
from shop.search.queries import cards as products
from shop.search.queries import find as queries
from shop.search.queries.cards import Card
from shop.search.queries.filters import Filters
from shop.search.queries.find import Match, Term, Wish
from shop.search.text import terms
from shop.search.understand import Query, evidence

CANDIDATES = 200
"""From each leg. Their best possible order would score .97, so that more would help nothing but the ordering."""

EF_SEARCH = 200
"""Width of the graph search: the 200 nearest with a recall of .99 in 2.5 ms."""

EVERY_WORD_PLACES = 1000
"""So far down the list of words, products with every word of the query are taken too: they are counted, filtered and
paged to. Beyond, totals are no longer exact."""

RARITY_SHARE = 0.3
"""Of the query's rarity, which a product's words must add up to. At a half the first relevant products are lost."""

EXACT_FACTOR = 600
"""Comparing every one of m passing products beats the graph while m * m < 600 * all: the graph would have to visit
200 * all / m products, each some three times the work."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`lexical` and `found` are 0 for a product without any of the words; `near` says that its meaning brought it.

    refused: per refused phrase, 1 the product says it lacks it, -1 it has it, 0 it says nothing.
    """

    card: Card
    lexical: float
    found: int
    mass: float
    by_words: bool
    near: bool
    refused: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """`usual`: middle and spread of the query's similarity to unrelated products, None when that is not known.

    least_mass: of rarity, for the words alone to keep a product in the list; `worthy` products have it.
    near_full: meaning brought as many as it may, so that there may be more.
    """

    candidates: Sequence[Candidate]
    least_mass: float
    usual: tuple[float, float] | None
    near_full: bool
    worthy: int


def gather(tx: Tx, query: Query, filters: Filters, *, version: str, vector: str | None, by_words: bool) -> Gathered:
    """`vector` None leaves meaning out, `by_words` False the words. In the transaction of one search."""
    queries.prepare(tx, ef_search=EF_SEARCH)
    documents = queries.count_products(tx)
    only = _only(tx, filters, documents)
    near = _near(tx, only, filters, version=version, vector=vector)
    known = queries.look_up(tx, query.terms) if by_words else []
    mass = sum(term.rarity for term in known) + (len(query.terms) - len(known)) * _rarest(documents)
    wish = Wish(CANDIDATES, len(query.terms), EVERY_WORD_PLACES, RARITY_SHARE * mass, near)
    matches = _matches(tx, only, filters, known, wish) if known else []
    cards = products.cards(tx, list({*near, *(match.n for match in matches)}), version=version, vector=vector)
    return Gathered(
        candidates=_candidates(cards, matches, set(near), _refused(tx, query, cards)),
        least_mass=wish.least_mass,
        usual=queries.usual_similarity(tx, version=version, vector=vector) if vector else None,
        near_full=len(near) == CANDIDATES,
        worthy=matches[0].worthy if matches else 0,
    )


def _only(tx: Tx, filters: Filters, documents: int) -> list[int] | None:
    """The products that pass, when the filters leave few enough to take each by itself; else None."""
    if not filters:
        return None
    few = math.isqrt(EXACT_FACTOR * documents) + 1
    passing = queries.passing(tx, filters, limit=few)
    return passing if len(passing) < few else None


def _near(tx: Tx, only: list[int] | None, filters: Filters, *, version: str, vector: str | None) -> list[int]:
    if vector is None:
        return []
    if only is None:
        return queries.nearest(tx, version=version, vector=vector, filters=filters, limit=CANDIDATES)
    return queries.nearest_among(tx, only, version=version, vector=vector, limit=CANDIDATES)


def _matches(tx: Tx, only: list[int] | None, filters: Filters, known: Sequence[Term], wish: Wish) -> list[Match]:
    if only is not None:
        return queries.matching_among(tx, only, known, wish)
    if filters:
        return queries.matching_filtered(tx, filters, known, wish)
    return queries.matching(tx, known, wish)


def _candidates(
    cards: Sequence[Card], matches: Sequence[Match], near: set[int], refused: Mapping[int, tuple[int, ...]]
) -> list[Candidate]:
    by_n = {match.n: match for match in matches}
    found: list[Candidate] = []
    for card in cards:
        match = by_n.get(card.n)
        found.append(
            Candidate(
                card=card,
                lexical=match.score if match else 0.0,
                found=match.found if match else 0,
                mass=match.mass if match else 0.0,
                by_words=match is not None and match.place <= CANDIDATES,
                near=card.n in near,
                refused=refused.get(card.n, ()),
            )
        )
    return found


def _refused(tx: Tx, query: Query, cards: Sequence[Card]) -> dict[int, tuple[int, ...]]:
    """Only products that name what is refused say anything about it."""
    found: dict[int, list[int]] = {}
    for place, phrase in enumerate(query.refused):
        stems = sorted(set(terms(phrase)))
        for n, text in products.texts_naming(tx, [card.n for card in cards], stems).items():
            found.setdefault(n, [0] * len(query.refused))[place] = evidence(text, phrase)
    return {n: tuple(said) for n, said in found.items()}


def _rarest(documents: int) -> float:
    # A word that no product has is rarer than any other.
    return math.log(1 + (documents + 0.5) / 0.5)
