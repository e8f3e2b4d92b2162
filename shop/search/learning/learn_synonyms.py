"""Synonyms suggested to the shop: what several people wrote instead, when their own word gave them nothing to click."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from db.database import Database, Tx
from shop.ids import new_id
from shop.search.language.text import normalise, terms, words
from shop.search.queries import index, reformulations

DAYS = 90

MINUTES = 5
"""From one search to the next, so that they are about the same thing."""

LEAST_PEOPLE = 3
"""Whoever searches alone may have changed their mind; and what a single person wrote is nobody's business."""

MOST_WORDS = 2

LONGEST = 40

READ = 20_000

EXAMPLES = 5

SLIP = 0.67
"""Of the letters, in the same order. `couch` and `sofa` have a fifth, `headphnes` and `headphones` 95%."""


@dataclass(slots=True)
class _Pair:
    people: set[int] = field(default_factory=set[int])
    queries: list[str] = field(default_factory=list[str])


def suggest_synonyms(db: Database) -> int:
    """Answers how many are suggested. None is applied before a person made it active; dismissed ones stay dismissed."""
    with db.transaction() as tx:
        language = index.corpus(tx).language
        pairs = _pairs(reformulations.reformulations(tx, days=DAYS, minutes=MINUTES, limit=READ), language)
        strong = {pair: found for pair, found in pairs.items() if len(found.people) >= LEAST_PEOPLE}
        return sum(_suggest(tx, before, after, strong) for before, after in strong)


def _suggest(tx: Tx, before: str, after: str, strong: Mapping[tuple[str, str], _Pair]) -> bool:
    both_ways = (after, before) in strong
    if both_ways and after < before:
        return False  # told once, by the other one
    plain = [normalise(before), normalise(after)]
    equal, one_way = "\n".join(sorted(plain)), "\n".join(plain)
    if reformulations.is_decided(tx, equal=equal, one_way=one_way):
        return False
    if both_ways:
        reformulations.withdraw(tx, one_ways=[one_way, "\n".join(reversed(plain))])
    found = strong[before, after]
    back = strong[after, before] if both_ways else _Pair()
    return reformulations.suggest_synonyms(
        tx,
        synonyms_id=new_id("syn"),
        kind="equal" if both_ways else "one_way",
        terms=[before, after],
        folded=equal if both_ways else one_way,
        evidence={
            "people": len(found.people | back.people),
            "days": DAYS,
            "searches": [*found.queries, *back.queries][:EXAMPLES],
        },
    )


def _pairs(found: Iterable[tuple[str, str, list[int]]], language: str) -> dict[tuple[str, str], _Pair]:
    pairs: defaultdict[tuple[str, str], _Pair] = defaultdict(_Pair)
    for query, next_query, people in found:
        pair = _replaced(query, next_query, language)
        if pair is not None:
            pairs[pair].people.update(people)
            # Beside the two words, a query of fewer may hold a name: it is shown to nobody, and erased with its search.
            if len(people) >= LEAST_PEOPLE:
                pairs[pair].queries.append(f"{query} -> {next_query}")
    return pairs


def _replaced(query: str, next_query: str, language: str) -> tuple[str, str] | None:
    """What stood in one and stands in the other, where the rest is the same; None for slips of the finger, other forms
    of a word, numbers, and whatever is longer than two words.
    """
    first, second = words(query), words(next_query)
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    before, after = first[start : len(first) - end], second[start : len(second) - end]
    if not (1 <= len(before) <= MOST_WORDS and 1 <= len(after) <= MOST_WORDS):
        return None
    one, other = " ".join(before), " ".join(after)
    if len(one) > LONGEST or len(other) > LONGEST or any(letter.isdigit() for letter in one + other):
        return None
    stems = terms(one, language), terms(other, language)
    if not all(stems) or set(stems[0]) & set(stems[1]) or _alike(one, other):
        return None
    return one, other


def _alike(one: str, other: str) -> bool:
    """Whether one is rather a slip than another word: two of three letters in the same order."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio() > SLIP
