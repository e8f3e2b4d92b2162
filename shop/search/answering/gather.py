"""Candidates for a query: by meaning and by words, under the same filters, with all that ordering needs."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from db.database import Tx
from shop.errors import NotYet
from shop.search.language.text import terms
from shop.search.queries import cards as products
from shop.search.queries import find as queries
from shop.search.queries.candidates import CANDIDATES, Sought, Way, candidates
from shop.search.queries.cards import Card
from shop.search.queries.filters import Filters
from shop.search.queries.find import EF_SEARCH, Term
from shop.search.queries.vectors import Vector
from shop.search.understanding.evidence import evidence
from shop.search.understanding.understand import Query

RARITY_SHARE = 0.3
"""Of the query's rarity, which a product's words must add up to. At a half the first relevant products are lost."""

EXACT_FACTOR = 600
"""Comparing every one of m passing products beats the graph while m * m < 600 * all: the graph would have to visit
200 * all / m products, each some three times the work."""


class Candidate(NamedTuple):
    """`lexical` and `found` are 0 for a product without any of the words; `near` says that its meaning brought it.

    worthy: its words alone keep it in the list. every: it has each word of one way to say the query.
    refused: per refused phrase, 1 the product says it lacks it, -1 it has it, 0 it says nothing.
    looks: name, colour and size in lower case, where the query asks for one. A tuple, since a search has hundreds.
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
    out, of model `version`; `taste`, None for strangers, what the asker had before. documents: how many products are
    indexed, None where the search's transaction has no settings yet.
    """

    version: str
    vector: Vector | None
    ways: Sequence[tuple[str, ...]]
    taste: Vector | None = None
    documents: int | None = None


class LegAway(NotYet):
    """Words or meaning cannot be looked up now: too slow, locked, or broken. The transaction is lost with it."""

    code: ClassVar[str] = "search_unavailable"

    def __init__(self, leg: Literal["semantic", "lexical"]) -> None:
        super().__init__(f"search cannot look up {'words' if leg == 'lexical' else 'meaning'} now")
        self.leg: Literal["semantic", "lexical"] = leg


def gather(tx: Tx, query: Query, filters: Filters, means: Means) -> Gathered:
    """In the transaction of one search. Raises LegAway: where both legs were asked it may be either."""
    documents = queries.prepare(tx, ef_search=EF_SEARCH) if means.documents is None else means.documents
    only = _only(tx, filters, documents)
    try:
        ways = _ways(tx, means, documents)
        sought = Sought(means.version, means.vector, means.taste, ways, filters, only)
        rows = candidates(tx, sought)
    except queries.PartAway as error:
        raise LegAway("lexical" if means.vector is None else "semantic") from error
    return _gathered(tx, query, rows, ways)


def _only(tx: Tx, filters: Filters, documents: int) -> list[int] | None:
    """The products that pass, when the filters leave few enough to take each by itself; else None."""
    if not filters:
        return None
    queries.plan_each(tx)
    few = math.isqrt(EXACT_FACTOR * documents) + 1
    passing = queries.passing(tx, filters, limit=few)
    return passing if len(passing) < few else None


def _ways(tx: Tx, means: Means, documents: int) -> list[Way]:
    """Also those of which the index has no word: their places are told by number."""
    stems = sorted({term for way in means.ways for term in way})
    known = {term.term: term for term in queries.look_up(tx, stems)} if stems else {}
    return [_way(way, [known[term] for term in way if term in known], documents) for way in means.ways]


def _way(stems: Sequence[str], known: Sequence[Term], documents: int) -> Way:
    mass = sum(term.rarity for term in known) + (len(stems) - len(known)) * _rarest(documents)
    return Way(
        ids=[term.id for term in known],
        rarities=[term.rarity for term in known],
        every=len(stems),
        mass=mass,
        least_mass=RARITY_SHARE * mass,
    )


def _gathered(tx: Tx, query: Query, rows: Sequence[tuple[Any, ...]], ways: Sequence[Way]) -> Gathered:
    ns = [row[0] for row in rows]
    refused = _said(tx, query, query.refused, ns)
    barred = {n for n, said in _said(tx, query, query.excluded, ns).items() if -1 in said}
    looks = products.looks(tx, ns) if query.of("colour") or query.of("size") else {}
    first_mass = next((way.mass for way in ways if way.mass), 0.0)
    found: dict[int, Candidate] = {}
    usual: tuple[float, float] | None = None
    shown, worthy_ones = [0] * len(ways), [0] * len(ways)
    for *card, near, number, score, words, mass, place, all_worthy, middle, spread in rows:
        n = card[0]
        match = _NONE
        if number is not None:
            way = ways[number]
            worthy = mass >= way.least_mass
            # As if its words were as rare as the first way's.
            match = score * (first_mass / way.mass), words, worthy, words == way.every, place <= CANDIDATES
            shown[number] += worthy
            worthy_ones[number] = all_worthy
        usual = None if middle is None else (middle, spread)
        if n in found and (found[n].every, found[n].lexical) >= (match[3], match[0]):
            continue
        card[2] = card[2].lower()  # quicker here than by the database's rules
        found[n] = Candidate(Card._make(card), *match, near, refused.get(n, ()), _plain(looks.get(n, "")))
    candidates = [one for n, one in found.items() if n not in barred] if barred else list(found.values())
    return Gathered(
        candidates,
        usual,
        near_full=sum(one.near for one in found.values()) == CANDIDATES,
        words_full=shown != worthy_ones,
    )


_NONE = (0.0, 0, False, False, False)
"""Of a product with none of the words: its score, how many it has, and that it is neither worthy, nor has it every one,
nor a place among the best."""

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
