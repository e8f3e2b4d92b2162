"""Other ways to say a query in words: with the shop's synonyms, and as the index had it before its language changed."""

from collections.abc import Iterator

from shop.search.answering.known import Known
from shop.search.language.text import terms
from shop.search.understanding.understand import Query

MOST_WAYS = 6
"""Each is looked up by itself. Two words with two synonyms each fill them."""


def ways(query: Query, known: Known) -> list[tuple[str, ...]]:
    """Stems to look up, the query's own first."""
    found: dict[tuple[str, ...], None] = {query.terms: None}
    if known.former_language is not None:
        found.setdefault(tuple(dict.fromkeys(terms(query.wanted, known.former_language))))
    waiting = list(found)
    while waiting and len(found) < MOST_WAYS:
        for other in _replaced(waiting.pop(0), known):
            if other not in found and len(found) < MOST_WAYS:
                found[other] = None
                waiting.append(other)
    return list(found)


def _replaced(way: tuple[str, ...], known: Known) -> Iterator[tuple[str, ...]]:
    for place, stem in enumerate(way):
        for synonym in known.synonyms.get(stem, ()):
            end = place + len(synonym.from_)
            if way[place:end] == synonym.from_:
                for other in synonym.to:
                    yield tuple(dict.fromkeys((*way[:place], *other, *way[end:])))
