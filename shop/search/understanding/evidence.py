"""What a product's own text says about a phrase: that it has it, that it lacks it, or nothing."""

import re
from collections.abc import Generator

from shop.search.language.languages import ENGLISH, language_of
from shop.search.language.text import normalise, stem, words

WINDOW = 60
"""Characters on either side that hold the two words before and the phrase with the word after it."""


def evidence(text: str, phrase: str, language: str = ENGLISH) -> int:
    """1 it lacks it, -1 it has it, 0 it says nothing.

    "without a buckle", "non-stick", "sugar free" and "wireless" say that it lacks it.
    """
    spoken = language_of(language)
    stems = [stem(word, language) for word in words(normalise(phrase)) if word not in spoken.stop_words]
    if not stems:
        return 0
    low, said = text.lower(), 0
    for at in _places(low, stems[0]):
        here = _says(low, at, stems, language)
        if here > 0:
            return 1
        said = min(said, here)
    return said


def _places(text: str, first: str) -> Generator[int]:
    """Where the first stem may begin: only what is around there is worth normalising."""
    beginning = first.removesuffix("i")  # battery has the stem batteri
    for found in re.finditer(rf"(?<![^\W_]){re.escape(beginning)}", text):
        yield found.start()


def _says(text: str, at: int, stems: list[str], language: str) -> int:
    then = words(normalise(text[at : at + WINDOW]))
    if [stem(word, language) for word in then[: len(stems)]] != stems:
        return 1 if len(stems) == 1 and then and _is_less(then[0], stems[0], language) else 0
    if then[len(stems) : len(stems) + 1] in (["free"], ["less"], ["frei"]):
        return 1
    before = words(normalise(text[max(0, at - WINDOW) : at]))[-2:]
    return 1 if language_of(language).denials.intersection(before) else -1


def _is_less(word: str, first: str, language: str) -> bool:
    return word.endswith("less") and stem(word.removesuffix("less"), language) == first
