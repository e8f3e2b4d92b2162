"""Words: how a text becomes the terms that are compared, alike for products and for queries."""

import re
import threading
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import snowballstemmer

from shop.search.product import Product

TEXT_VERSION = "1"
"""Part of every content hash: raised with any change below, after which the next import makes all anew."""

LANGUAGE = "english"
"""Of the stemmer and the stop words. The vectors' model knows English only, so one setting could not change it."""

LONGEST_TERM = 40
"""Longer runs of letters are hashes and addresses, not words."""

BODY_CHARACTERS = 600
"""More than 64 tokens ever hold: the rest of a body would be read and thrown away by the tokenizer."""

_STOP_WORDS = """
a an and are as at be by for from has have in into is it its of on or s t that the their then there these they this to
was were which will with you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_QUOTES = str.maketrans({"’": "'", "‘": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "″": '"', "′": "'"})
_INCHES = re.compile(r"(?<=\d)\s*(?:\"|'')")
_UNIT = re.compile(
    r"(?<![^\W_])(\d+(?:[.,]\d+)?)\s*(inches|inch|in|ft|feet|cm|mm|kg|lbs|lb|oz|ml|gb|tb|mb|mah|mhz|ghz|hz|mp|watt|volt)\b"
)
_WORD = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    """One writing of the same words: NFKC, lower case, straight quotes, no accents, `12"` as `12 inch`."""
    bare = text.lower() if text.isascii() else _bare(text)
    return " ".join(_UNIT.sub(r"\1 \2", _INCHES.sub(" inch ", bare)).split())


def words(text: str) -> list[str]:
    """The words of a normalised text, stop words included."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """What is looked up: stems without stop words, in order, repeats kept."""
    return [stem(word) for word in words(normalise(text)) if word not in STOP_WORDS and len(word) <= LONGEST_TERM]


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball stem. Kept, since the stemmer takes 50 microseconds and words come back."""
    with _stemming:
        return _stemmer.stemWord(word)[:LONGEST_TERM]


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
_stemmer = snowballstemmer.stemmer(LANGUAGE)
_stemming = threading.Lock()


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).translate(_QUOTES).casefold())
    return "".join([letter for letter in plain if not unicodedata.combining(letter)])


def _values(attributes: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for value in attributes.values():
        if isinstance(value, list):
            found.extend(str(one) for one in value if isinstance(one, str | int | float))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found.append(str(value))
    return found
