"""What a product's name says to a query: how much of each is in the other, in which order, and for what it is made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from shop.search.language.languages import language_of
from shop.search.language.text import terms
from shop.search.understanding.understand import Query

SHORTEST_HEAD = 4
"""Letters before "for": a name that begins with it says nothing else of what the product is."""


class Naming(NamedTuple):
    """Shares from 0 to 1. phrase: of the query's pairs of words, those that stand together. cover: how much of each is
    in the other (Dice). beside: of what is asked for, that which stands only in what the product is made for ("band
    for a watch" to "watch"). other: what is asked for is not in the name at all, though the query says for what
    ("watch band for runners" to "watch").
    """

    phrase: float
    cover: float
    beside: float
    other: bool


@dataclass(frozen=True, slots=True)
class Names:
    """One query, made ready for being compared with hundreds of names."""

    starts: Sequence[str]
    """How the query's words begin."""
    main: frozenset[str]
    """Those of what is asked for, without what it is to be for."""
    head: str | None
    """The last of `main` where the query says for what."""
    pairs: Sequence[tuple[str, str, re.Pattern[str]]]
    purposes: tuple[str, ...]

    def read(self, name: str) -> Naming:
        """`name` in lower case. Written for speed: it is read for hundreds of names in each search."""
        places: dict[str, int] = {}
        there = 0
        for start in self.starts:
            if start not in places:
                at = name.find(start)
                if at > 0 and name[at - 1].isalnum():
                    at = _next_place(name, start, at)
                places[start] = at
                there += at >= 0
        other = self.head is not None and places[self.head] < 0
        if not there:
            return _OTHER if other else _NOTHING
        ends = self._head_ends(name)
        return Naming(
            phrase=self._together(name, places) / len(self.pairs) if there > 1 and self.pairs else 0.0,
            cover=min(1.0, 2 * there / (name.count(" ") + 1 + len(self.starts))),
            beside=sum(places[start] > ends for start in self.main) / (len(self.main) or 1) if ends else 0.0,
            other=other,
        )

    def _head_ends(self, name: str) -> int:
        """Where the name begins to say what the product is for; 0 where it does not say so."""
        ends = 0
        for sign in self.purposes:
            at = name.find(sign, SHORTEST_HEAD)
            if at > 0 and (at < ends or not ends):
                ends = at
        return ends

    def _together(self, name: str, places: dict[str, int]) -> int:
        found = 0
        for first, then, form in self.pairs:
            if places[first] >= 0 and places[then] >= 0 and form.search(name) is not None:
                found += 1
        return found


_NOTHING, _OTHER = Naming(0.0, 0.0, 0.0, other=False), Naming(0.0, 0.0, 0.0, other=True)


def names(query: Query) -> Names:
    starts = [_start(stem) for stem in query.terms]
    purposes = tuple(f" {sign} " for sign in language_of(query.language).made_for)
    asked, for_what = _split(query.wanted, purposes)
    main = [_start(stem) for stem in terms(asked, query.language)] if for_what else starts
    main = [start for start in main if start in starts] or starts
    return Names(
        starts=starts,
        main=frozenset(main),
        head=main[-1] if for_what and main is not starts else None,
        pairs=[(first, then, _form(first, then)) for first, then in pairwise(starts)],
        purposes=purposes,
    )


def _start(stem: str) -> str:
    return stem.removesuffix("i") or stem  # battery has the stem batteri


def _split(wanted: str, purposes: Sequence[str]) -> tuple[str, bool]:
    ends = min((at for sign in purposes if (at := wanted.find(sign)) > 0), default=0)
    return (wanted[:ends], True) if ends else (wanted, False)


@lru_cache(maxsize=10_000)
def _form(first: str, then: str) -> re.Pattern[str]:
    """Words that begin so, with nothing but spaces and marks between them."""
    return re.compile(rf"(?<![^\W_]){re.escape(first)}[^\W_]*[\W_]+{re.escape(then)}")


def _next_place(name: str, start: str, at: int) -> int:
    """Where a word of the name begins so behind `at`; -1 where none does."""
    while at > 0 and name[at - 1].isalnum():
        at = name.find(start, at + 1)
    return at
