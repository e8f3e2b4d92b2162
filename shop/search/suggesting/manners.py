"""What a shop does not suggest of what others have typed: what is personal, and what is rude."""

import hashlib
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise

from shop.search.language.languages import ENGLISH
from shop.search.language.text import normalise
from shop.search.suggesting.rude import RUDE
from shop.search.suggesting.typed import fold

_DIGITS = re.compile(r"[0-9]{6}|[0-9](?:[ ().+/-]*[0-9]){6}")
_ADDRESS = re.compile(r"@|://|\bwww\b")
_PLACE = re.compile(
    r"\b\d{1,4}[a-z]?,? (?:[a-z]+ ){1,3}(?:street|avenue|boulevard|road|lane)(?=$|,| \d)"
    r"|(?:strasse|str\.|gasse|allee) \d{1,4}[a-z]?\b"
    r"|\b\d{1,4},? (?:rue|impasse) [a-z]"
    r"|\b(?:calle|avenida) (?:[a-z]+ ){1,4}\d{1,4}\b"
)
"""Where somebody lives, as it is written in the languages that search knows more of than stems."""
_AS_LETTERS = str.maketrans("013457$@!", "oieastsai")
"""How letters are hidden: sh1t, @ss."""
_RUN = re.compile(r"(?:(?<= )|^)[a-z0-9$@!](?: [a-z0-9$@!]){2,}(?= |$)")


def is_personal(text: str) -> bool:
    """Whether it could be an address or the number of a telephone, card, order or person."""
    plain = normalise(text)
    return bool(_ADDRESS.search(plain) or _DIGITS.search(plain) or _PLACE.search(plain))


@lru_cache(maxsize=10_000)
def is_rude(text: str, language: str = ENGLISH, never: Collection[str] = ()) -> bool:
    """Whether one of its words is among the rude ones of the language, or among the shop's own (`never`, each a word or
    several). "f u c k" and "sh1t" are words too.
    """
    plain = fold(text)
    rude = RUDE.get(language, RUDE[ENGLISH])
    if any(_digest(word) in rude for word in _read(text, plain)):
        return True
    return any(f" {fold(phrase)} " in f" {plain} " for phrase in never if fold(phrase))


def _read(text: str, plain: str) -> Iterator[str]:
    words = plain.split()
    yield from words
    yield from (first + second for first, second in pairwise(words))
    for run in _RUN.findall(plain):
        yield run.replace(" ", "").translate(_AS_LETTERS)
    for word in normalise(text).split():
        yield word.translate(_AS_LETTERS)


def _digest(word: str) -> str:
    return hashlib.blake2b(word.encode(), digest_size=8).hexdigest()[:10]
