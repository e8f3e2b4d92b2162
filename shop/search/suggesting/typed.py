"""What a shopper may type to get a suggestion: texts folded alike on both sides, their beginnings, and near misses."""

import re
from collections.abc import Iterable
from string import ascii_lowercase

from shop.search.language.text import STOP_WORDS, normalise, words

LONGEST_KEY = 32
"""Characters that are compared. Nobody types a product's whole name to find it."""

STARTS = 4
"""A text is found from its first word, and a little lower from each of the next three."""

LATER_START = 0.7

LETTERS = f"{ascii_lowercase} "

LEAST_MENDED = 3
"""Of two letters typed, one wrong leaves nothing to go by."""

BEFORE_BREAK = 3
"""A slip shows at most so many letters later: until then what was typed still begins like something else."""

_DIGITS = re.compile(r"[0-9]{6}|[0-9](?:[ ().+/-]*[0-9]){6}")
_ADDRESS = re.compile(r"@|://|\bwww\b")


def fold(text: str) -> str:
    """Words in one writing with single spaces; "" when there is none."""
    return " ".join(words(normalise(text)))


def is_personal(text: str) -> bool:
    """Whether it could be an address or the number of a telephone, card, order or person."""
    return bool(_ADDRESS.search(text) or _DIGITS.search(text))


def keys(text: str, weight: float) -> dict[str, float]:
    """From where a text is found, and how much each such place weighs."""
    found: dict[str, float] = {}
    parts = fold(text).split()
    for place, word in enumerate(parts[:STARTS]):
        key = " ".join(parts[place:])[:LONGEST_KEY].rstrip()
        if place == 0 or word not in STOP_WORDS:
            found.setdefault(key, weight if place == 0 else weight * LATER_START)
    return found


def near(typed: str, agreed: int) -> list[str]:
    """What may have been meant by a beginning that nothing begins like: all that is one edit away.

    `agreed`: so many of its characters something begins with. The slip is there or just before.
    """
    if len(typed) < LEAST_MENDED:
        return []
    places = range(max(0, agreed - BEFORE_BREAK), min(agreed + 1, len(typed)))
    found = {edit for place in places for edit in _edits(typed, place)}
    return sorted(found - {typed, ""})


def _edits(typed: str, place: int) -> Iterable[str]:
    before, after = typed[:place], typed[place:]
    yield before + after[1:]
    if len(after) > 1:
        yield before + after[1] + after[0] + after[2:]
    for letter in LETTERS:
        yield before + letter + after[1:]
        yield before + letter + after
