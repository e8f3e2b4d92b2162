"""What a query asks for: the words to look up, the text to encode, what it may cost, and what is not wanted."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from shop.search.answering.known import NOTHING, Known
from shop.search.language.languages import Language, language_of
from shop.search.language.text import QUANTITY_UNITS, normalise, stem, terms, words
from shop.search.understanding.prices import PriceWish, price_wish
from shop.search.understanding.spacing import Spaced

Part = Literal["price", "without", "brand", "category", "colour", "size"]
PARTS: tuple[Part, ...] = ("price", "without", "brand", "category", "colour", "size")

_NOT_MEANT = """
show pull drill sew bake rinse tie touch slip iron more bark boundaries wash spill tear mess kill prep cook stick
fog mar glue wax peel knot
"""
NOT_MEANT = frozenset(_NOT_MEANT.split())
"""After "no" these are the name of a thing that one does want: no show socks, no pull harness, no drill blinds."""

LONGEST_PHRASE = 3
"""Words that one "without" reaches: "without mesh liner" does, the rest of a long query is meant again."""

LONGEST_BRAND = 4
"""Words that are compared with brands at once."""

MOST_SHELVES = 20
"""Of one name: "Accessories" stands in every corner of a large shop, and then says little."""

_MINUS = re.compile(r"(?<!\S)-(?:\"(?P<phrase>[^\"]+)\"|(?P<word>[^\W\d_][^\s\"]*))")
_SIZE_VALUE = r"\d{1,3}(?:[.,]5)?|x{0,4}[sl]|m|[2-6]xl"


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that was understood: `value` in one writing, `words` as they were written.

    hard: what does not fit is left out; else it comes later in the list. A price has `low` and `high`, minor units, and
    `aim`, where one price was named with "around".
    """

    part: Part
    value: str
    words: str
    hard: bool = False
    low: int | None = None
    high: int | None = None
    aim: int | None = None

    def told(self) -> dict[str, Any]:
        if self.part == "price":
            return {"min": self.low, "max": self.high, "words": self.words, "hard": self.hard}
        return {"value": self.value, "words": self.words, "hard": self.hard}


@dataclass(frozen=True, slots=True)
class Query:
    """`wanted` is normalised text without what was understood as a price or a refusal; `terms` its stems, each once, in
    order, and `spaced`, how products write some of them otherwise; `refused` are phrases that products had better
    lack, `excluded` those they must lack.
    """

    text: str
    normalised: str
    wanted: str
    terms: tuple[str, ...]
    refused: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    language: str = NOTHING.language
    spaced: tuple[Spaced, ...] = ()

    def of(self, part: Part) -> list[str]:
        """The values that were understood of this part."""
        return [reading.value for reading in self.readings if reading.part == part]

    @property
    def price(self) -> Reading | None:
        return next((reading for reading in self.readings if reading.part == "price"), None)

    @property
    def interpreted(self) -> dict[str, Any]:
        """How the query was read, for the answer; empty when it was taken word for word."""
        told: dict[str, Any] = {}
        for reading in self.readings:
            if reading.part == "price":
                told["price"] = reading.told()
            else:
                told.setdefault(reading.part, []).append(reading.told())
        return told


def understand(text: str, known: Known = NOTHING, *, literal: Collection[Part] = ()) -> Query:
    """Never fails: a query of which nothing is understood is its own words. `literal`: what is not to be understood."""
    plain = normalise(text)
    language = language_of(known.language)
    price = None if "price" in literal else price_wish(plain, known.language, known.currency)
    rest = price.rest if price else plain
    excluded: list[Reading] = []
    refused: list[Reading] = []
    if "without" not in literal:
        rest, excluded = _exclusions(rest)
        rest, refused = _refusals(rest, language, known)
    found = tuple(dict.fromkeys(terms(rest, known.language)))
    if not found and rest != plain:  # "without sugar" alone: then the words are all there is
        price, excluded, refused, rest = None, [], [], plain
        found = tuple(dict.fromkeys(terms(plain, known.language)))
    hard = [_price(price)] if price else []
    return Query(
        text=text,
        normalised=plain,
        wanted=rest,
        terms=found,
        refused=tuple(reading.value for reading in refused),
        excluded=tuple(reading.value for reading in excluded),
        readings=(*hard, *excluded, *refused, *_named(rest, found, known, literal)),
        language=known.language,
    )


def _price(wish: PriceWish) -> Reading:
    return Reading("price", "", wish.words, hard=True, low=wish.low, high=wish.high, aim=wish.aim)


def _exclusions(plain: str) -> tuple[str, list[Reading]]:
    """A minus before a word is a sign that nobody makes by accident: what has the word is left out."""
    found = [
        Reading("without", one["phrase"] or one["word"], one[0], hard=True)
        for one in _MINUS.finditer(plain)
        if words(one["phrase"] or one["word"])
    ]
    return " ".join(_MINUS.sub(" ", plain).split()) if found else plain, found


def _refusals(plain: str, language: Language, known: Known) -> tuple[str, list[Reading]]:
    refused: list[Reading] = []
    form = _refusing(language.name)
    while form is not None and (found := form.search(plain)):
        phrase = _phrase(found["phrase"], language)
        if not phrase or not _is_refused(found["sign"], phrase, language, known):
            break
        refused.append(Reading("without", " ".join(phrase), f"{found['sign']} {' '.join(phrase)}"))
        rest = found["phrase"].split()[len(phrase) :]
        plain = " ".join([*plain[: found.start()].split(), *rest])
    return plain, refused


@lru_cache(maxsize=32)
def _refusing(language: str) -> re.Pattern[str] | None:
    spoken = language_of(language)
    signs = [*spoken.without, *spoken.no, *(["not"] if "not" in spoken.denials else [])]
    if not signs:
        return None
    return re.compile(rf"(?<!\S)(?P<sign>{'|'.join(map(re.escape, signs))})\s+(?P<phrase>[^\s].*)")


def _phrase(rest: str, language: Language) -> list[str]:
    phrase: list[str] = []
    for word in rest.split():
        if word in language.ends or len(phrase) == LONGEST_PHRASE:
            break
        phrase.append(word)
    return phrase


def _is_refused(sign: str, phrase: Sequence[str], language: Language, known: Known) -> bool:
    if sign == "not":
        # "bite not collar" is a name and "not included" a remark: a plain not counts before what is told by one word.
        return phrase[0] in language.colours or phrase[0] in known.brands
    if sign in language.no:
        return phrase[0] not in NOT_MEANT and not phrase[0][0].isdigit()
    return True


def _named(rest: str, found: Sequence[str], known: Known, literal: Collection[Part]) -> list[Reading]:
    """What words of the query are known for. They stay in the query: products that are so come first."""
    each = words(rest)
    named: list[Reading] = []
    if "brand" not in literal:
        named += _brands(each, known.brands)
    if "category" not in literal:
        named += _category(found, known.categories, {stem(word, known.language): word for word in reversed(each)})
    if "colour" not in literal:
        colours = language_of(known.language).colours
        named += [Reading("colour", word, word) for word in dict.fromkeys(each) if word in colours]
    if "size" not in literal:
        named += _sizes(rest, language_of(known.language))
    return named


def _brands(each: Sequence[str], brands: Mapping[str, str]) -> list[Reading]:
    """The longest first, none of them within another."""
    found: list[Reading] = []
    place = 0
    while place < len(each):
        for length in range(min(LONGEST_BRAND, len(each) - place), 0, -1):
            written = " ".join(each[place : place + length])
            if written in brands and (length > 1 or len(written) > 1):
                found.append(Reading("brand", brands[written], written))
                place += length - 1
                break
        place += 1
    return found


def _category(
    found: Sequence[str], categories: Mapping[tuple[str, ...], tuple[str, ...]], written: Mapping[str, str]
) -> list[Reading]:
    """The longest run of words that is the name of a category. A shelf called "1" is not what "1 tb" is about."""
    for length in range(len(found), 0, -1):
        for place in range(len(found) - length + 1):
            run = tuple(found[place : place + length])
            if run in categories and not all(one.isdigit() or len(one) == 1 for one in run):
                said = " ".join(written.get(one, one) for one in run)
                return [Reading("category", path, said) for path in categories[run][:MOST_SHELVES]]
    return []


def _sizes(rest: str, language: Language) -> list[Reading]:
    found = [Reading("size", f"{one[1]} {one[2]}", one[0]) for one in _quantities().finditer(rest)]
    if language.sizes:
        sizes = _size_words(language.name).finditer(rest)
        found.extend(Reading("size", f"{one['word']} {one['value']}", one[0]) for one in sizes)
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _quantities() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,/])(\d+(?:[.,/]\d+)?) ({'|'.join(sorted(QUANTITY_UNITS))})\b")


@lru_cache(maxsize=32)
def _size_words(language: str) -> re.Pattern[str]:
    signs = "|".join(map(re.escape, language_of(language).sizes))
    return re.compile(rf"(?<!\S)(?P<word>{signs}) (?P<value>{_SIZE_VALUE})(?!\S)")
