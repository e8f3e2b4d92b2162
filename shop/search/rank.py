"""One order from two opinions: what the words say and what the meaning says, and where the list ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shop.search.gather import Candidate, Gathered
from shop.search.text import terms
from shop.search.understand import Query

RANKER = "blend-1"
"""Kept with each logged search. A change of any weight below is another ranker and gets another name."""

LEXICAL, SEMANTIC = 0.3, 0.7
"""Each leg's best candidate has 1, its last 0. Fixed before the trials; both public sets are flat around them."""

EVERY_WORD = 0.4
"""The largest cheap gain there is: +.025 and +.077 NDCG@10 over the sum of the legs."""

BRAND_NAMED = 0.1

LACKS, HAS = 0.1, -0.2
"""For what the shopper refused ("without buckle"): a product that says so, a product that has it nevertheless."""

UNUSUAL = 3.0
"""Spreads above the usual similarity of unrelated products, from where meaning alone brings a product in. Calibrated
per query: one fixed floor does not travel from query to query. At 3.5 the first relevant products are lost."""

HARDLY = 0.28
"""A cosine below which nothing is alike, however unusual it is for this query: runs of letters that are no words are
.25 from dozens of products."""

CERTAIN = 0.5
"""A cosine that says enough by itself, also where most of a shop is what was asked for: shoes in a shop of shoes."""

BEST_SCORE = LEXICAL + SEMANTIC + EVERY_WORD + BRAND_NAMED + LACKS


@dataclass(frozen=True, slots=True)
class Ranked:
    """`score` between 0 and 1; `by_words` and `by_meaning` tell which leg keeps it in the list."""

    candidate: Candidate
    score: float
    by_words: bool
    by_meaning: bool


def rank(query: Query, gathered: Gathered) -> tuple[list[Ranked], bool]:
    """What is in the list, best first, and whether that is all there is.

    The cut looks at a product and the query alone, never at the other candidates: with a filter the list is the
    same list without what the filter takes away.
    """
    worthy = [one.lexical for one in gathered.candidates if one.by_words and one.mass >= gathered.least_mass]
    lexical = _scale(worthy)
    semantic = _scale([one.card.similarity for one in gathered.candidates if one.card.similarity is not None])
    floor = _floor(gathered)
    kept: list[Ranked] = []
    for one in gathered.candidates:
        by_meaning = one.near and one.card.similarity is not None and one.card.similarity >= floor
        by_words = one.found > 0 and one.mass >= gathered.least_mass
        if by_words or by_meaning:
            kept.append(Ranked(one, _score(query, one, lexical, semantic), by_words, by_meaning))
    kept.sort(key=lambda ranked: (-ranked.score, ranked.candidate.card.id))
    return kept, not _is_cut(gathered, kept)


def _score(
    query: Query, one: Candidate, lexical: Callable[[float], float], semantic: Callable[[float], float]
) -> float:
    score = LEXICAL * lexical(one.lexical) if one.found else 0.0
    if one.card.similarity is not None:
        score += SEMANTIC * semantic(one.card.similarity)
    if query.terms and one.found == len(query.terms):
        score += EVERY_WORD
    if one.card.brand and _brand_terms(one.card.brand) <= set(query.terms):
        score += BRAND_NAMED
    for said in one.refused:
        score += LACKS if said > 0 else HAS if said < 0 else 0.0
    return round(max(score, 0.0) / BEST_SCORE, 6)


@lru_cache(maxsize=10_000)
def _brand_terms(brand: str) -> frozenset[str]:
    # A brand of stop words alone would be named by every query.
    return frozenset(terms(brand)) or frozenset({""})


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high <= low:
        return lambda value: 1.0 if values and value >= high else 0.0
    return lambda value: max(0.0, (value - low) / (high - low))


def _floor(gathered: Gathered) -> float:
    if gathered.usual is None:
        return 0.0
    middle, spread = gathered.usual
    return max(HARDLY, min(middle + UNUSUAL * spread, CERTAIN))


def _is_cut(gathered: Gathered, kept: Sequence[Ranked]) -> bool:
    # By words it is known how many there are; by meaning a full leg may have been fuller.
    if sum(ranked.by_words for ranked in kept) < gathered.worthy:
        return True
    return gathered.near_full and all(ranked.by_meaning for ranked in kept if ranked.candidate.near)
