"""What a query asks for: the words to look up, the text to encode, and what the shopper does not want."""

import re
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
    """What a product's normalised text says about a refused phrase: 1 it lacks it, -1 it has it, 0 nothing."""
    stems = [stem(word) for word in words(phrase) if word not in STOP_WORDS]
    if not stems:
        return 0
    said = [stem(word) for word in words(text)]
    has = False
    for place in (at for at, word in enumerate(said) if word == stems[0]):
        if said[place : place + len(stems)] != stems:
            continue
        before, after = said[max(0, place - 2) : place], said[place + len(stems) : place + len(stems) + 1]
        if _DENIALS.intersection(before) or after in (["free"], ["less"]):
            return 1
        has = True
    return -1 if has else 0


_DENIALS = frozenset(stem(word) for word in ("no", "without", "not", "non", "zero", "never", "free"))
