"""Words: how a text becomes the terms that are compared, alike for products and for queries."""

import re
import threading
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import snowballstemmer

from shop.search.catalogue.product import Product
from shop.search.language.languages import ENGLISH, language_of

TEXT_VERSION = "2"
"""Part of every content hash: raised with any change below, after which the next import makes all anew."""

LONGEST_TERM = 40
"""Longer runs of letters are hashes and addresses, not words."""

BODY_CHARACTERS = 600
"""More than 64 tokens ever hold: the rest of a body would be read and thrown away by the tokenizer."""

STOP_WORDS = language_of(ENGLISH).stop_words

_QUOTES = str.maketrans({"’": "'", "‘": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "″": '"', "′": "'"})
_INCHES = re.compile(r"(?<=\d)\s*(?:\"|'')")
_UNITS = {
    "inch": "inches inch in",
    "ft": "ft feet foot",
    "cm": "cm centimeter centimeters centimetre centimetres",
    "mm": "mm millimeter millimeters",
    "kg": "kg kilo kilos kilogram kilograms",
    "gram": "gram grams",
    "lb": "lbs lb pounds pound",
    "oz": "oz ounce ounces",
    "ml": "ml milliliter milliliters millilitre millilitres",
    "liter": "liter liters litre litres",
    "watt": "watt watts",
    "volt": "volt volts",
    **{unit: unit for unit in ("gb", "tb", "mb", "mah", "mhz", "ghz", "hz", "mp")},
}
_UNIT_OF = {written: unit for unit, all_of_them in _UNITS.items() for written in all_of_them.split()}
_UNIT = re.compile(rf"(?<![^\W_])(\d+(?:[.,]\d+)?)[ -]?({'|'.join(sorted(_UNIT_OF, key=len, reverse=True))})\b")

QUANTITY_UNITS = frozenset(_UNITS)
"""One writing for each, as `normalise` leaves them."""
_WORD = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    """One writing of the same words: NFKC, lower case, straight quotes, no accents; `12"` and `12in` are `12 inch`."""
    bare = text.lower() if text.isascii() else _bare(text)
    return " ".join(_UNIT.sub(_with_unit, _INCHES.sub(" inch ", bare)).split())


def words(text: str) -> list[str]:
    """The words of a normalised text, stop words included."""
    return _WORD.findall(text)


def terms(text: str, language: str = ENGLISH) -> list[str]:
    """What is looked up: stems without stop words, in order, repeats kept."""
    nothing = language_of(language).stop_words
    return [
        stem(word, language) for word in words(normalise(text)) if word not in nothing and len(word) <= LONGEST_TERM
    ]


@lru_cache(maxsize=200_000)
def stem(word: str, language: str = ENGLISH) -> str:
    """The Snowball stem. Kept, since the stemmer takes 50 microseconds and words come back."""
    with _stemming:
        if language not in _stemmers:
            _stemmers[language] = snowballstemmer.stemmer(language)
        return _stemmers[language].stemWord(word)[:LONGEST_TERM]


def lexical_text(product: Product) -> str:
    """Everything a shopper might name a product by."""
    return "\n".join(
        (product.name, product.brand, product.category, " ".join(_values(product.attributes)), product.description)
    )


def embedding_text(product: Product) -> str:
    """Title, brand, leaf category, colour, other attributes, then body: the first 64 tokens are what counts."""
    colour = " ".join(
        _values({key: product.attributes[key] for key in ("color", "colour") if key in product.attributes})
    )
    others = {key: value for key, value in product.attributes.items() if key not in {"color", "colour"}}
    parts = (product.name, product.brand, product.leaf_category, colour, ", ".join(_values(others)))
    return f"{'. '.join(part for part in parts if part)}. {product.description[:BODY_CHARACTERS]}"


# The stemmer keeps the word it works on in itself: two threads at once would mix theirs.
_stemmers: dict[str, Any] = {}
_stemming = threading.Lock()

_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
"""Letters that no decomposition takes apart."""


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold())
    return "".join([letter for letter in plain if not unicodedata.combining(letter)]).translate(_LETTERS)


def _with_unit(found: re.Match[str]) -> str:
    return f"{found[1]} {_UNIT_OF[found[2]]}"


def _values(attributes: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for value in attributes.values():
        if isinstance(value, list):
            found.extend(str(one) for one in value if isinstance(one, str | int | float))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found.append(str(value))
    return found
