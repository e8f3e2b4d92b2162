"""Spaces: two words that the catalogue writes as one ("lap top"), and one that it writes as two ("laserprinter")."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from db.database import Tx
from shop.search.language.languages import language_of
from shop.search.language.text import stem
from shop.search.queries import words as queries

SHORTEST_PART = 3
"""Letters on either side of a space that may be put in: of shorter ones everything could be made."""

SHORTEST_JOINED, LONGEST_JOINED = 5, 20

Spaced: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Stems as they were typed, and as products have them."""

RATHER = 10
"""Two words that are known may be one where ten times as many products have the one as have both."""

LEAST_PRODUCTS = 2

MOST_READ = 20_000
"""Postings that are read to see how many products have both: some 20 ms."""


def may_be_one(each: Sequence[str], language: str) -> dict[tuple[str, str], str]:
    """Neighbours that could be one word, which that would be."""
    nothing = language_of(language).stop_words
    return {
        (first, then): first + then
        for first, then in pairwise(each)
        if min(len(first), len(then)) > 1
        and (first + then).isalpha()
        and SHORTEST_JOINED <= len(first + then) <= LONGEST_JOINED
        and nothing.isdisjoint((first, then))
    }


def stems(pairs: Mapping[tuple[str, str], str], language: str) -> set[str]:
    """Of both words and of the one."""
    return {stem(word, language) for pair, one in pairs.items() for word in (*pair, one)}


def spaced(
    tx: Tx, pairs: Mapping[tuple[str, str], str], products: Mapping[str, int], unknown: Collection[str], language: str
) -> tuple[Spaced, ...]:
    """What the catalogue writes otherwise. `products`: how many have a stem; `unknown`: words that none has."""
    found: list[Spaced] = []
    for (first, then), one in pairs.items():
        parts, whole = (stem(first, language), stem(then, language)), stem(one, language)
        if products.get(whole, 0) >= LEAST_PRODUCTS and _is_one(tx, parts, products, products[whole]):
            found.append((parts, (whole,)))
    for word in sorted(unknown):
        two = _split(tx, word, language)
        if two is not None:
            found.append(((stem(word, language),), two))
    return tuple(found)


def _is_one(tx: Tx, parts: tuple[str, str], products: Mapping[str, int], whole: int) -> bool:
    each = [products.get(part, 0) for part in parts]
    if not all(each):
        return True
    if sum(each) > MOST_READ:
        return False
    both, _ = queries.together(tx, parts[:1], parts[1:]).get(parts[0], (0, 0))
    return whole >= RATHER * max(both, 1)


def _split(tx: Tx, word: str, language: str) -> tuple[str, str] | None:
    """The stems of the two words that most products have together; None where none has any."""
    places = range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
    halves = [(stem(word[:place], language), stem(word[place:], language)) for place in places]
    products = queries.products_with(tx, sorted({part for half in halves for part in half})) if halves else {}
    best, most = None, 0
    for first, then in halves:
        has = (products.get(first, 0), products.get(then, 0))
        if min(has) < LEAST_PRODUCTS or sum(has) > MOST_READ:
            continue
        both, _ = queries.together(tx, [first], [then]).get(first, (0, 0))
        if both > most:
            best, most = (first, then), both
    return best
