"""Spelling against the catalogue's own words: a word that no product has becomes the one it is one slip away from."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.database import Tx
from shop.ports.encoder import Encoder, EncoderUnavailable
from shop.search.language.languages import ENGLISH
from shop.search.language.slips import is_one_slip, pieces, slips
from shop.search.language.text import STOP_WORDS, normalise, stem, words
from shop.search.queries import index
from shop.search.queries import words as queries
from shop.search.queries.words import Near
from shop.search.understanding import spacing

SHORTEST, LONGEST = 4, 20
"""Letters of a word that may be put right: shorter ones are too near to too much, longer ones are codes."""

LEAST_PRODUCTS = 2
"""A word of one product alone may be that product's own mistake."""

CLEAR = 6
"""Letters from which one slip away, with the first letter right, is hardly chance: then one product is enough."""

LONG = 8
"""Letters from which two slips leave enough to go by, where one is not enough and nothing else is known of the word."""

MOST_ALIKE = 400
"""Words that begin like it and are compared, those of most products first: 20 microseconds each."""

RATHER = 10
"""A word that nobody writes so, but whose stem some products have, is wrong when ten times as many have the other."""

TEXT_SHARE = 0.01
"""What a product that has a word anywhere counts beside one that is named by it: people ask for names."""

SOME_SHARE = 0.1
"""What a product with some of the query's other words counts beside one with all of them."""

OTHER_FIRST = 0.05
"""What a choice that begins with another letter counts beside one that begins alike."""

MOST_NAMED = 300
"""Names that are counted of a word; more say no more."""

MOST_COMPARED = 20_000
"""Postings that choosing between two words by their company may read: some 20 ms."""

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


@dataclass(frozen=True, slots=True)
class Spelt:
    """`text` None: nothing was put right. spaced: runs of stems that products write with a space more or less, and how;
    they are looked up besides.
    """

    text: str | None = None
    spaced: tuple[spacing.Spaced, ...] = ()


def correct(tx: Tx, encoder: Encoder, text: str, *, language: str = ENGLISH, boldly: bool = False) -> Spelt:
    """The text with its misspelt words put right.

    A word stays as it is when any product writes it so (as with every brand), when the model knows it (the meaning
    finds what is near), when it holds a digit or anything but plain letters, or when it is shorter than four letters.
    boldly, for a query that found nothing: a word that the model knows may be wrong as well. Of a single word that the
    model knows nothing is looked up.
    """
    plain = normalise(text)
    each = words(plain)
    stems = {word: stem(word, language) for word in each if _PLAIN.fullmatch(word) and word not in STOP_WORDS}
    asked = {word: its for word, its in stems.items() if boldly or not _is_word(encoder, word)}
    pairs = spacing.may_be_one(each, language)
    if not asked and not pairs:
        return Spelt()
    products = queries.products_with(tx, sorted({*asked.values(), *spacing.stems(pairs, language)}))
    suspects = _suspects(tx, asked, products)
    meant = _meant(tx, suspects, set(stems.values()), language)
    unknown = {word for word, has in suspects.items() if has == 0 and word not in meant}
    right = re.sub(r"[^\W_]+", lambda found: meant.get(found[0], found[0]), plain) if meant else None
    return Spelt(right, spacing.spaced(tx, pairs, products, unknown, language))


def _suspects(tx: Tx, asked: Mapping[str, str], products: Mapping[str, int]) -> dict[str, int]:
    """Words that may be wrong, and how many products have their stem: none, or some that write it otherwise."""
    suspects = {word: products.get(its_stem, 0) for word, its_stem in asked.items()}
    some = sorted(word for word, count in suspects.items() if count)
    written = queries.known_words(tx, some) if some else set[str]()
    return {word: count for word, count in suspects.items() if word not in written}


def _meant(tx: Tx, suspects: Mapping[str, int], others: set[str], language: str) -> dict[str, str]:
    shared = sorted({piece for word in suspects for piece in _shared(word)})
    near = queries.near_words(tx, shared, least=1) if shared else []
    meant: dict[str, str] = {}
    for word, products in suspects.items():
        choices = _choices(word, products, near, language)
        if not choices and products == 0 and len(word) >= LONG:
            choices = _twice_slipped(tx, word)
        best = _best(tx, word, choices, others - {stem(word, language)}, language)
        if best is not None:
            meant[word] = best
    return meant


def _twice_slipped(tx: Tx, word: str) -> dict[str, int]:
    """Words that are two slips away, neither of them in the first two letters."""
    lengths = (len(word) - 2, len(word) + 2)
    found = queries.words_beginning(tx, word[:2], lengths=lengths, least=LEAST_PRODUCTS, most=MOST_ALIKE)
    return {one: products for one, products in found.items() if slips(word, one, most=2) is not None}


def _is_word(encoder: Encoder, word: str) -> bool:
    try:
        return encoder.knows(word)
    except EncoderUnavailable:
        return False  # then words are all there is, and the right ones are needed most


def _shared(word: str) -> set[str]:
    """A plural is no slip: what may be the plural of a word that is one slip away is looked for as well."""
    return pieces(word) | (pieces(word[:-1]) if word.endswith("s") and len(word) > SHORTEST else set())


def _choices(word: str, products: int, near: Sequence[Near], language: str) -> dict[str, int]:
    """What may be meant, with how many products have it."""
    shared = _shared(word)
    least = LEAST_PRODUCTS if products == 0 else products * RATHER
    return {
        one.word: one.products
        for one in near
        if one.piece in shared
        and not _is_plural_of(word, one.word)
        and (is_one_slip(word, one.word) or (word.endswith("s") and is_one_slip(word[:-1], one.word)))
        and (
            one.products >= least
            or (products == 0 and len(word) >= CLEAR and one.word[0] == word[0])
            or (stem(one.word, language) == stem(word, language) and f"{word}s" != one.word)
        )
    }


def _is_plural_of(word: str, known: str) -> bool:
    return word == f"{known}s" and not known.endswith("s")


def _best(tx: Tx, word: str, choices: Mapping[str, int], others: set[str], language: str) -> str | None:
    """Of several, the one that names more products, and that stands beside the query's other words more often than its
    own frequency explains.
    """
    if len(choices) < 2:
        return next(iter(choices), None)
    named = queries.in_names(tx, sorted(choices), most=MOST_NAMED)
    together: dict[str, tuple[int, int]] = {}
    if others and sum(choices.values()) <= MOST_COMPARED:
        together = queries.together(tx, sorted({stem(one, language) for one in choices}), sorted(others))

    def likely(choice: str) -> tuple[float, str]:
        products = choices[choice]
        prior = named[choice] + products * TEXT_SHARE
        every, some = together.get(stem(choice, language), (0, 0))
        company = (every + some * SOME_SHARE + 0.5) / (products + 5) if together else 1.0
        # The first letter is hardly ever the one that is wrong.
        return -prior * company * (1.0 if choice[0] == word[0] else OTHER_FIRST), choice

    return min(choices, key=likely)
