"""What a query asks for: the words to look up, the text to encode, and what the shopper does not want."""

import re
from collections.abc import Generator
from dataclasses import dataclass

from shop.search.text import STOP_WORDS, normalise, stem, terms, words

_NOT_MEANT = """
show pull drill sew bake rinse tie touch slip iron more bark boundaries wash spill tear mess kill prep cook stick
fog mar glue wax peel knot
"""
NOT_MEANT = frozenset(_NOT_MEANT.split())
"""After "no" these are the name of a thing that one does want: no show socks, no pull harness, no drill blinds."""

LONGEST_PHRASE = 3
"""Words that one "without" reaches: "without mesh liner" does, the rest of a long query is meant again."""

DENIALS = frozenset({"no", "without", "not", "non", "zero", "never", "free"})
"""One of these at most two words before the phrase: without any buckle, free of sugar, non stick."""

WINDOW = 60
"""Characters on either side that hold the two words before and the phrase with the word after it."""

_REFUSAL = re.compile(r"(?:^|(?<=\s))(without|w/o|no)\s+(?P<phrase>[^\s].*)")
_ENDS = frozenset({"with", "for", "and", "or", "in", "on", "but", "from", "that", "to", "by", "under", "over"})


@dataclass(frozen=True, slots=True)
class Query:
    """`wanted` is normalised text without the refused phrase; `terms` its stems, each once, in order."""

    text: str
    normalised: str
    wanted: str
    terms: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def interpreted(self) -> dict[str, object]:
        """How the query was read, for the answer; empty when it was taken word for word."""
        return {"without": list(self.refused)} if self.refused else {}


def understand(text: str) -> Query:
    """Never fails: a query of which nothing is understood is its own words."""
    plain = normalise(text)
    wanted, refused = _refusals(plain)
    found = tuple(dict.fromkeys(terms(wanted)))
    if not found and refused:  # "without sugar" alone: then the words are all there is
        wanted, refused, found = plain, (), tuple(dict.fromkeys(terms(plain)))
    return Query(text=text, normalised=plain, wanted=wanted, terms=found, refused=refused)


def _refusals(plain: str) -> tuple[str, tuple[str, ...]]:
    refused: list[str] = []
    while found := _REFUSAL.search(plain):
        phrase = _phrase(found["phrase"])
        if not phrase or (found[1] == "no" and not _is_refused(phrase)):
            break
        refused.append(" ".join(phrase))
        rest = found["phrase"].split()[len(phrase) :]
        plain = " ".join([*plain[: found.start()].split(), *rest])
    return plain, tuple(refused)


def _phrase(rest: str) -> list[str]:
    phrase: list[str] = []
    for word in rest.split():
        if word in _ENDS or len(phrase) == LONGEST_PHRASE:
            break
        phrase.append(word)
    return phrase


def _is_refused(phrase: list[str]) -> bool:
    return phrase[0] not in NOT_MEANT and not phrase[0][0].isdigit()


def evidence(text: str, phrase: str) -> int:
    """What a product's text says about a refused phrase: 1 it lacks it, -1 it has it, 0 nothing.

    "without a buckle", "non-stick", "sugar free" and "wireless" say that it lacks it.
    """
    stems = [stem(word) for word in words(normalise(phrase)) if word not in STOP_WORDS]
    if not stems:
        return 0
    said = [_says(window, stems) for window in _windows(text.lower(), stems[0])]
    return 1 if 1 in said else min(said, default=0)


def _windows(text: str, first: str) -> Generator[tuple[list[str], list[str]]]:
    """The words before and from each place where the first stem may begin; only they are worth normalising."""
    beginning = first.removesuffix("i")  # battery has the stem batteri
    for found in re.finditer(rf"(?<![^\W_]){re.escape(beginning)}", text):
        at = found.start()
        before = words(normalise(text[max(0, at - WINDOW) : at]))[-2:]
        yield before, words(normalise(text[at : at + WINDOW]))


def _says(window: tuple[list[str], list[str]], stems: list[str]) -> int:
    before, then = window
    if [stem(word) for word in then[: len(stems)]] != stems:
        return 1 if len(stems) == 1 and then and _is_less(then[0], stems[0]) else 0
    denied = DENIALS.intersection(before) or then[len(stems) : len(stems) + 1] in (["free"], ["less"])
    return 1 if denied else -1


def _is_less(word: str, first: str) -> bool:
    return word.endswith("less") and stem(word.removesuffix("less")) == first
