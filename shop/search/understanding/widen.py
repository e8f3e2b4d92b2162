"""Other ways to say a query in words: with the shop's synonyms, a space more or less, under the language before."""

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
    for typed, written in query.spaced:
        place = next((at for at in range(len(query.terms)) if query.terms[at : at + len(typed)] == typed), None)
        if place is not None:
            way = (*query.terms[:place], *written, *query.terms[place + len(typed) :])
            found.setdefault(tuple(dict.fromkeys(way)))
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
