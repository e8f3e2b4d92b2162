"""One order from two opinions: what the words say and what the meaning says, and where the list ends."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from shop.search.answering.gather import Candidate, Gathered
from shop.search.answering.naming import Names, names
from shop.search.language.text import terms
from shop.search.understanding.understand import Query

RANKER = "blend-3"
"""Kept with each logged search. A change of any weight below is another ranker and gets another name."""

LEXICAL, SEMANTIC = 0.3, 0.7
"""Each leg's best candidate has 1, its last 0. Fixed before the trials; both public sets are flat around them."""

EVERY_WORD = 0.4
"""The largest cheap gain there is: +.025 and +.077 NDCG@10 over the sum of the legs."""

BRAND_NAMED = 0.1

LACKS, HAS = 0.1, -0.2
"""For what the shopper refused ("without buckle"): a product that says so, a product that has it nevertheless."""

PHRASE = 0.1
"""For the share of the query's pairs of words that stand together in the name: +.009 and 0 NDCG@10."""

TITLE = 0.3
"""For a name that is what was asked for and little else: +.010 and +.008 NDCG@10. The gain is flat from .2 to .5."""

BESIDE, OTHER_THING = -0.1, -0.05
"""For a product that is made for what was asked for, as a strap is for a watch (+.003 and 0 NDCG@10), and for the watch
where a strap for it was asked for. A list of words like strap, case, charger took .003 and more from electronics."""

PRICE = 0.05
"""For the very price that was named with "around"; half of it for one that is off by half of what is let through."""

COLOUR, SIZE, CATEGORY = 0.05, 0.05, 0.02
"""For what the query names and the product is. The words count already; this is for the colour that is the product's
own, the size that stands together, and, hardly more than between equals, the shelf: categories are often wrong."""

SOLD_OUT = -0.05
POPULAR, MANY = 0.03, 50
"""Half of it for a product that 50 people had. Small beside .3 and .7: what is asked for decides, and what is popular
only between equals. As a larger bonus it cost relevance in the trials."""

PERSONAL, ALIKE = 0.06, 0.5
"""All of it for a product as like what the asker had before as two products of one kind are (a cosine of a half)."""

UNUSUAL = 3.0
"""Spreads above the usual similarity of unrelated products, from where meaning alone brings a product in. Calibrated
per query: one fixed floor does not travel from query to query. At 3.5 the first relevant products are lost."""

UNUSUAL_FOR_RESCUE = 2.0
"""Where nothing else was found, what is merely somewhat alike is better than an empty page."""

HARDLY = 0.28
"""A cosine below which nothing is alike, however unusual it is for this query: runs of letters that are no words are
.25 from dozens of products."""

CERTAIN = 0.5
"""A cosine that says enough by itself, also where most of a shop is what was asked for: shoes in a shop of shoes."""

BEST_SCORE = (
    LEXICAL
    + SEMANTIC
    + EVERY_WORD
    + BRAND_NAMED
    + PHRASE
    + TITLE
    + LACKS
    + COLOUR
    + SIZE
    + CATEGORY
    + PRICE
    + POPULAR
    + PERSONAL
)


class Parts(NamedTuple):
    """What a score is added up from."""

    words: float
    meaning: float
    every_word: float
    phrase: float
    title: float
    accessory: float
    brand: float
    without: float
    colour: float
    size: float
    category: float
    price: float
    stock: float
    popularity: float
    personal: float
    learned: float = 0.0


class Ranked(NamedTuple):
    """`score` between 0 and 1; `by_words` and `by_meaning` tell which leg keeps it in the list. A tuple, since a search
    has hundreds.
    """

    candidate: Candidate
    score: float
    by_words: bool
    by_meaning: bool
    parts: Parts
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Of one query, made ready for being looked for in hundreds of products."""

    terms: frozenset[str]
    names: Names
    colours: frozenset[str]
    sizes: Sequence[re.Pattern[str]]
    categories: frozenset[str]
    price: tuple[int, int] | None
    """What was aimed at, and the most that is let through."""


@dataclass(frozen=True, slots=True)
class _Scales:
    lexical: Callable[[float], float]
    semantic: Callable[[float], float]


def rank(query: Query, gathered: Gathered, *, generous: bool = False) -> tuple[list[Ranked], bool]:
    """What is in the list, best first, and whether that is all there is.

    The cut looks at a product and the query alone, never at the other candidates: with a filter the list is the
    same list without what the filter takes away. generous: where nothing was found, for a second look.
    """
    scales = _Scales(
        lexical=_scale([one.lexical for one in gathered.candidates if one.by_words and one.worthy]),
        semantic=_scale([one.card.similarity for one in gathered.candidates if one.card.similarity is not None]),
    )
    least = floor(gathered, generous=generous)
    asked = _Asked(
        frozenset(query.terms),
        names(query),
        frozenset(query.of("colour")),
        [_standing_together(size) for size in query.of("size")],
        frozenset(query.of("category")),
        _aimed(query),
    )
    listed = [(one, one.worthy, _is_alike(one, least)) for one in gathered.candidates]
    listed = [one for one in listed if one[1] or one[2]]
    parts = _parts(query, asked, [one for one, _, _ in listed], scales)
    kept = [
        Ranked(one, score_of(its), by_words, by_meaning, its)
        for (one, by_words, by_meaning), its in zip(listed, parts, strict=True)
    ]
    kept.sort(key=lambda ranked: (-ranked.score, ranked.candidate.card.id))
    return kept, not _is_cut(gathered, kept)


def _is_alike(one: Candidate, least: float) -> bool:
    return one.near and one.card.similarity is not None and one.card.similarity >= least


def floor(gathered: Gathered, *, generous: bool = False) -> float:
    """The similarity from which meaning alone keeps a product in the list."""
    if gathered.usual is None:
        return 0.0
    middle, spread = gathered.usual
    unusual = UNUSUAL_FOR_RESCUE if generous else UNUSUAL
    return max(HARDLY, min(middle + unusual * spread, CERTAIN))


def score_of(parts: Parts) -> float:
    return round(min(max(sum(parts), 0.0) / BEST_SCORE, 1.0), 6)


def _parts(query: Query, asked: _Asked, them: Sequence[Candidate], scales: _Scales) -> list[Parts]:
    """Of each of these. Column by column: a search has hundreds, and most columns are empty in most searches."""
    read = asked.names.read
    cards = [one.card for one in them]
    named = [read(card.name) for card in cards]
    nothing = [0.0] * len(them)
    brands = {brand: BRAND_NAMED * _is_named(brand, query.language, asked) for brand in {card.brand for card in cards}}
    lexical, semantic = scales.lexical, scales.semantic
    columns = (
        [LEXICAL * lexical(one.lexical) if one.found else 0.0 for one in them],
        [0.0 if card.similarity is None else SEMANTIC * semantic(card.similarity) for card in cards],
        [EVERY_WORD if one.every else 0.0 for one in them] if query.terms else nothing,
        [PHRASE * one.phrase for one in named],
        [TITLE * one.cover for one in named],
        [BESIDE * one.beside + (OTHER_THING if one.other else 0.0) for one in named],
        [brands[card.brand] for card in cards],
        [_refusals(one) for one in them] if query.refused else nothing,
        [COLOUR * _has_one(one.looks, asked.colours) for one in them] if asked.colours else nothing,
        [SIZE * _fits(one.looks, asked.sizes) for one in them] if asked.sizes else nothing,
        [CATEGORY * (card.category.lower() in asked.categories) for card in cards] if asked.categories else nothing,
        [PRICE * _price_fit(asked.price, card.price) for card in cards] if asked.price else nothing,
        [0.0 if card.available else SOLD_OUT for card in cards],
        [POPULAR * card.people / (card.people + MANY) if card.people else 0.0 for card in cards],
        [0.0 if card.liking is None else PERSONAL * max(0.0, min(card.liking / ALIKE, 1.0)) for card in cards],
        nothing,
    )
    return list(map(Parts._make, zip(*columns, strict=True)))


def _is_named(brand: str, language: str, asked: _Asked) -> bool:
    return bool(brand) and _brand_terms(brand, language) <= asked.terms


def _refusals(one: Candidate) -> float:
    return sum(LACKS if said > 0 else HAS if said < 0 else 0.0 for said in one.refused)


def _has_one(looks: str, colours: Iterable[str]) -> bool:
    return any(_has_word(looks, colour) for colour in colours)


def _fits(looks: str, sizes: Iterable[re.Pattern[str]]) -> bool:
    return any(size.search(looks) for size in sizes)


def _has_word(looks: str, colour: str) -> bool:
    word = "grey" if colour == "gray" else colour
    return word in looks and re.search(rf"(?<!\w){word}(?!\w)", looks) is not None


def _aimed(query: Query) -> tuple[int, int] | None:
    wish = query.price
    if wish is None or wish.aim is None or wish.high is None or wish.high <= wish.aim:
        return None
    return wish.aim, wish.high


def _price_fit(aimed: tuple[int, int], price: int | None) -> float:
    """1 at the price that was aimed at, 0 at either end of what is let through."""
    if price is None:
        return 0.0
    aim, high = aimed
    return max(0.0, 1 - abs(price - aim) / (high - aim))


@lru_cache(maxsize=1000)
def _standing_together(size: str) -> re.Pattern[str]:
    number, _, unit = size.partition(" ")
    if number[:1].isdigit():
        return re.compile(rf"(?<![\w.,/]){re.escape(number)}\s?{re.escape(unit[:2])}")
    return re.compile(rf"(?<![\w.,]){re.escape(unit)}(?![\w.,])")


@lru_cache(maxsize=10_000)
def _brand_terms(brand: str, language: str) -> frozenset[str]:
    # A brand of stop words alone would be named by every query.
    return frozenset(terms(brand, language)) or frozenset({""})


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high <= low:
        return lambda value: 1.0 if values and value >= high else 0.0
    width = high - low
    return lambda value: (value - low) / width if value > low else 0.0


def _is_cut(gathered: Gathered, kept: Sequence[Ranked]) -> bool:
    # By words it is known how many there are; by meaning a full leg may have been fuller.
    if gathered.words_full:
        return True
    return gathered.near_full and all(ranked.by_meaning for ranked in kept if ranked.candidate.near)
