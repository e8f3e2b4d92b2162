"""Candidates for a query: by meaning and by words, under the same filters, with all that ordering needs."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from db.database import Tx
from shop.errors import NotYet
from shop.search.language.text import terms
from shop.search.queries import cards as products
from shop.search.queries import find as queries
from shop.search.queries.cards import Card
from shop.search.queries.filters import Filters
from shop.search.queries.find import Match, Wish
from shop.search.understanding.evidence import evidence
from shop.search.understanding.understand import Query

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

    worthy: its words alone keep it in the list. every: it has each word of one way to say the query.
    refused: per refused phrase, 1 the product says it lacks it, -1 it has it, 0 it says nothing.
    looks: name, colour and size in lower case, where the query asks for one.
    """

    card: Card
    lexical: float
    found: int
    worthy: bool
    every: bool
    by_words: bool
    near: bool
    refused: tuple[int, ...] = ()
    looks: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """`usual`: middle and spread of the query's similarity to unrelated products, None when that is not known.

    near_full: meaning brought as many as it may, so that there may be more. words_full: as much for the words.
    """

    candidates: Sequence[Candidate]
    usual: tuple[float, float] | None
    near_full: bool
    words_full: bool


@dataclass(frozen=True, slots=True)
class Means:
    """What a query is compared with: `ways` to say it in words, none to leave words out; `vector` None to leave meaning
    out, of model `version`; `taste`, None for strangers, what the asker had before.
    """

    version: str
    vector: str | None
    ways: Sequence[tuple[str, ...]]
    taste: str | None = None


@dataclass(frozen=True, slots=True)
class _Best:
    """The best of the ways, `score` as if its words were as rare as the first way's."""

    score: float
    found: int
    worthy: bool
    every: bool
    placed: bool


class LegAway(NotYet):
    """Words or meaning cannot be looked up now: too slow, locked, or broken. The transaction is lost with it."""

    code: ClassVar[str] = "search_unavailable"

    def __init__(self, leg: Literal["semantic", "lexical"]) -> None:
        super().__init__(f"search cannot look up {'words' if leg == 'lexical' else 'meaning'} now")
        self.leg: Literal["semantic", "lexical"] = leg


def gather(tx: Tx, query: Query, filters: Filters, means: Means) -> Gathered:
    """In the transaction of one search."""
    documents = queries.prepare(tx, ef_search=EF_SEARCH)
    only = _only(tx, filters, documents)
    try:
        near = _near(tx, only, filters, means)
    except queries.PartAway as error:
        raise LegAway("semantic") from error
    try:
        best, words_full = _by_words(tx, only, filters, means.ways, documents, near)
    except queries.PartAway as error:
        raise LegAway("lexical") from error
    cards = products.cards(tx, list({*near, *best}), version=means.version, vector=means.vector, taste=means.taste)
    candidates = _candidates(tx, query, cards, best, set(near))
    return Gathered(
        candidates=candidates,
        usual=queries.usual_similarity(tx, version=means.version, vector=means.vector) if means.vector else None,
        near_full=len(near) == CANDIDATES,
        words_full=words_full,
    )


def _only(tx: Tx, filters: Filters, documents: int) -> list[int] | None:
    """The products that pass, when the filters leave few enough to take each by itself; else None."""
    if not filters:
        return None
    few = math.isqrt(EXACT_FACTOR * documents) + 1
    passing = queries.passing(tx, filters, limit=few)
    return passing if len(passing) < few else None


def _near(tx: Tx, only: list[int] | None, filters: Filters, means: Means) -> list[int]:
    if means.vector is None:
        return []
    if only is None:
        return queries.nearest(tx, version=means.version, vector=means.vector, filters=filters, limit=CANDIDATES)
    return queries.nearest_among(tx, only, version=means.version, vector=means.vector, limit=CANDIDATES)


def _by_words(
    tx: Tx,
    only: list[int] | None,
    filters: Filters,
    ways: Sequence[tuple[str, ...]],
    documents: int,
    near: Sequence[int],
) -> tuple[dict[int, _Best], bool]:
    best: dict[int, _Best] = {}
    full, first_mass = False, 0.0
    for way in ways:
        known = queries.look_up(tx, way)
        mass = sum(term.rarity for term in known) + (len(way) - len(known)) * _rarest(documents)
        first_mass = first_mass or mass
        if not known:
            continue
        wish = Wish(CANDIDATES, len(way), EVERY_WORD_PLACES, RARITY_SHARE * mass, near)
        if only is not None:
            matches = queries.matching_among(tx, only, known, wish)
        elif filters:
            matches = queries.matching_filtered(tx, filters, known, wish)
        else:
            matches = queries.matching(tx, known, wish)
        full |= bool(matches) and sum(match.mass >= wish.least_mass for match in matches) < matches[0].worthy
        for match in matches:
            one = _best(match, wish, first_mass / mass)
            if match.n not in best or (best[match.n].every, best[match.n].score) < (one.every, one.score):
                best[match.n] = one
    return best, full


def _best(match: Match, wish: Wish, scale: float) -> _Best:
    return _Best(
        score=match.score * scale,
        found=match.found,
        worthy=match.mass >= wish.least_mass,
        every=match.found == wish.every,
        placed=match.place <= CANDIDATES,
    )


_NONE = _Best(0.0, 0, worthy=False, every=False, placed=False)


def _candidates(
    tx: Tx, query: Query, cards: Sequence[Card], best: Mapping[int, _Best], near: set[int]
) -> list[Candidate]:
    ns = [card.n for card in cards]
    refused = _said(tx, query, query.refused, ns)
    barred = {n for n, said in _said(tx, query, query.excluded, ns).items() if -1 in said}
    looks = products.looks(tx, ns) if query.of("colour") or query.of("size") else {}
    found: list[Candidate] = []
    for card in cards:
        match = best.get(card.n, _NONE)
        one = Candidate(
            card=card,
            lexical=match.score,
            found=match.found,
            worthy=match.worthy,
            every=match.every,
            by_words=match.placed,
            near=card.n in near,
        )
        if card.n in refused or card.n in looks:
            one = replace(one, refused=refused.get(card.n, ()), looks=_plain(looks.get(card.n, "")))
        if card.n not in barred:
            found.append(one)
    return found


_BETWEEN = re.compile(r"(?<=\d)[ -]?(?=[a-z\"])")


def _plain(looks: str) -> str:
    # `15.6-inch`, `15.6inch` and `15.6 inch` are one; gray is grey.
    return _BETWEEN.sub(" ", looks).replace('"', "inch").replace("gray", "grey")


def _said(tx: Tx, query: Query, phrases: Sequence[str], ns: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Only products that name what is refused say anything about it."""
    found: dict[int, list[int]] = {}
    for place, phrase in enumerate(phrases):
        stems = sorted(set(terms(phrase, query.language)))
        for n, text in products.texts_naming(tx, ns, stems).items() if stems else ():
            found.setdefault(n, [0] * len(phrases))[place] = evidence(text, phrase, query.language)
    return {n: tuple(said) for n, said in found.items()}


def _rarest(documents: int) -> float:
    # A word that no product has is rarer than any other.
    return math.log(1 + (documents + 0.5) / 0.5)
