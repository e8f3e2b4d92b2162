"""Spelling against the catalogue's own words: a word that no product has becomes the one it is one slip away from."""

import re
from collections.abc import Iterable, Sequence

from db.database import Tx
from shop.ports.encoder import Encoder, EncoderUnavailable
from shop.search.languages import ENGLISH
from shop.search.queries import find, index
from shop.search.queries import words as queries
from shop.search.queries.words import Near
from shop.search.text import STOP_WORDS, normalise, stem, words

SHORTEST, LONGEST = 4, 20
"""Letters of a word that may be put right: shorter ones are too near to too much, longer ones are codes."""

LEAST_PRODUCTS = 2
"""A word of one product alone may be that product's own mistake."""

_PLAIN = re.compile(f"[a-z]{{{SHORTEST},{LONGEST}}}")


def learn(tx: Tx, texts: Iterable[str]) -> None:
    """Take in the words of these texts. They are never forgotten here: how many products have one tells its stem."""
    found = {word for text in texts for word in words(normalise(text)) if _PLAIN.fullmatch(word)} - STOP_WORDS
    language = index.corpus(tx).language
    new = sorted(found - queries.known_words(tx, sorted(found)))
    if new:
        queries.add_words(
            tx, {word: stem(word, language) for word in new}, [(piece, word) for word in new for piece in pieces(word)]
        )


def correct(tx: Tx, encoder: Encoder, text: str, *, language: str = ENGLISH, boldly: bool = False) -> str | None:
    """The text with its misspelt words put right; None when there is nothing to put right.

    A word stays as it is when any product has it (so has every brand), when the model knows it (the meaning finds what
    is near), when it holds a digit or anything but plain letters, or when it is shorter than four letters. boldly, for
    a query that found nothing: a word that the model knows, or that hardly any product has, may be wrong as well.
    """
    plain = normalise(text)
    unknown = [word for word in _unknown(tx, plain, language) if boldly or not _is_word(encoder, word)]
    if not unknown:
        return None
    near = queries.near_words(tx, sorted({piece for word in unknown for piece in pieces(word)}), least=LEAST_PRODUCTS)
    meant = {word: best for word in unknown if (best := _best(word, near)) is not None}
    if not meant:
        return None
    return re.sub(r"[^\W_]+", lambda found: meant.get(found[0], found[0]), plain)


def pieces(word: str) -> set[str]:
    """The word, and the word without each one of its letters."""
    return {word} | {word[:place] + word[place + 1 :] for place in range(len(word))}


def is_one_slip(first: str, second: str) -> bool:
    """Whether one letter more, less, other, or two neighbours swapped, make one of the other."""
    if len(first) > len(second):
        first, second = second, first
    if len(second) - len(first) > 1 or first == second:
        return False
    start = 0
    while start < len(first) and first[start] == second[start]:
        start += 1
    if len(first) < len(second):
        return first[start:] == second[start + 1 :]
    swapped = first[start + 1 : start + 2] + first[start : start + 1]
    return first[start + 1 :] == second[start + 1 :] or (
        swapped == second[start : start + 2] and first[start + 2 :] == second[start + 2 :]
    )


def _unknown(tx: Tx, plain: str, language: str) -> list[str]:
    asked = {word: stem(word, language) for word in words(plain) if _PLAIN.fullmatch(word) and word not in STOP_WORDS}
    if not asked:
        return []
    known = {found.term for found in find.look_up(tx, sorted(set(asked.values())))}
    return [word for word, its_stem in asked.items() if its_stem not in known]


def _is_word(encoder: Encoder, word: str) -> bool:
    try:
        return encoder.knows(word)
    except EncoderUnavailable:
        return False  # then words are all there is, and the right ones are needed most


def _best(word: str, near: Sequence[Near]) -> str | None:
    shared = pieces(word)
    meant = {one.word: one.products for one in near if one.piece in shared and is_one_slip(word, one.word)}
    # The first letter is hardly ever the one that is wrong.
    return min(meant, key=lambda other: (other[0] != word[0], -meant[other], other), default=None)
