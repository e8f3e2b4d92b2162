"""What a shopper may type to get a suggestion: texts folded alike on both sides, their beginnings, and near misses."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from shop.search.language.slips import is_one_slip, pieces
from shop.search.language.text import STOP_WORDS, normalise, words

LONGEST_KEY = 32
"""Characters that are compared. Nobody types a product's whole name to find it."""

STARTS = 4
"""A text is found from its first word, and a little lower from each of the next three."""

LATER_START = 0.7

TELLING = 7
"""Letters that tell a word: of so many, nine in ten of a catalogue's words begin like no other."""

MOST_MEANT = 80
"""Readings of a slipped letter that are looked up: three microseconds each. A short word in a large shop has some
sixty; those with a space more or less come on top."""

LEAST_MENDED = 3
"""Of two letters typed, one wrong leaves nothing to go by."""

BEFORE_BREAK = 3
"""A slip shows at most so many letters later: until then what was typed still begins like something else."""

_WORD = re.compile(r"[^ ]+")


def fold(text: str) -> str:
    """Words in one writing with single spaces; "" when there is none."""
    return " ".join(words(normalise(text)))


def keys(text: str, weight: float) -> dict[str, float]:
    """From where a text is found, and how much each such place weighs."""
    found: dict[str, float] = {}
    parts = fold(text).split()
    for place, word in enumerate(parts[:STARTS]):
        key = " ".join(parts[place:])[:LONGEST_KEY].rstrip()
        if place == 0 or word not in STOP_WORDS:
            found.setdefault(key, weight if place == 0 else weight * LATER_START)
    return found


def beginnings(texts: Iterable[str]) -> set[str]:
    """How the words of keys begin, up to the letters that tell a word."""
    found = {word for text in texts for word in text.split()}
    return {word[:length] for word in found for length in range(2, min(len(word), TELLING) + 1)}


@dataclass(frozen=True, slots=True)
class _Word:
    before: str
    word: str
    after: str

    @property
    def heads(self) -> list[str]:
        """What is compared with beginnings; of a long word one letter more and less too: a slip shifts the rest."""
        if len(self.word) < TELLING:
            return [self.word]
        return list(dict.fromkeys(self.word[:length] for length in (TELLING, TELLING + 1, TELLING - 1)))


def pieces_of(typed: str) -> list[str]:
    """By which the beginnings are found that `meant` takes."""
    return sorted({piece for one in _words(typed) for head in one.heads for piece in pieces(head) if piece})


def meant(typed: str, agreed: int, near: Mapping[str, Collection[str]]) -> list[str]:
    """What may have been meant by what nothing begins with, most likely first.

    `agreed`: so many of its characters something begins with; the slip is there or just before. `near`: beginnings by
    the pieces that they share with it.
    """
    if len(typed) < LEAST_MENDED:
        return []
    respaced = dict.fromkeys(_respaced(typed, agreed))
    found = dict.fromkeys(islice(_respelt(typed, agreed, near), MOST_MEANT)) | respaced
    if agreed - (typed.rfind(" ", 0, agreed) + 1) >= TELLING:
        found[typed[:agreed]] = None  # the slip is so late in a long word that the word is known
    found.pop(typed, None)
    return list(found)


def _words(typed: str) -> Iterator[_Word]:
    for one in _WORD.finditer(typed):
        yield _Word(typed[: one.start()], one[0], typed[one.end() :])


def _respelt(typed: str, agreed: int, near: Mapping[str, Collection[str]]) -> Iterator[str]:
    for one in reversed(list(_words(typed))):
        ends = len(one.before) + len(one.word)
        if len(one.before) > agreed or ends < agreed - BEFORE_BREAK:
            continue
        for head in one.heads:
            others = {other for piece in pieces(head) for other in near.get(piece, ()) if is_one_slip(head, other)}
            # The first letter is hardly ever the one that is wrong.
            for other in sorted(others, key=lambda other: (other[0] != head[0], other)):
                yield one.before + other + one.word[len(head) :] + one.after


def _respaced(typed: str, agreed: int) -> Iterator[str]:
    """Two words that are one, a space that is a letter off, and one word that is two, perhaps with another letter where
    the space should be.
    """
    for place, letter in enumerate(typed):
        if letter == " ":
            yield typed[:place] + typed[place + 1 :]
            yield typed[: place - 1] + " " + typed[place - 1] + typed[place + 1 :]
            yield typed[:place] + typed[place + 1 : place + 2] + " " + typed[place + 2 :]
    for place in range(max(1, agreed - BEFORE_BREAK), min(agreed + 1, len(typed))):
        yield typed[:place].rstrip() + " " + typed[place:].lstrip()
        yield typed[:place].rstrip() + " " + typed[place + 1 :].lstrip()
