"""A catalogue of any size: real products first, then variations of them whose words and meanings grow as real ones do.

A variation keeps the category of one product and takes words, parts of the description, attributes and sometimes the
brand of another. Part of its words is new: brands and words of a vocabulary that grows with the catalogue, and for
every second one a number of its own, as real goods have. Its vector is the first product's, moved towards the other's
and in a direction of chance, and brought to length one: encoding a million texts takes hours. The same every time.
"""

import hashlib
import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np

from devstack.seed import generate_shop
from shop.ports.encoder import Encoder, Vectors
from shop.search.catalogue.product import FIELDS, BadRow, Product, read_product
from shop.search.catalogue.reading import Row, read_ndjson
from shop.search.language.text import embedding_text
from shop.search.vectors.models import model_version

SEED = 20261123
MADE_UP = 600
"""Products of the generated shop that stand in where no real ones are given."""

WORDS_TAKEN = 0.25
"""Of a name, from the other product."""

TOWARDS_OTHER, BY_CHANCE = 0.35, 0.25
"""How far the vector is moved, each as a share of its length: the cosine to the first product is then about .93, that
of two colours or sizes of one thing in the real catalogues.
"""

OWN_BRAND, OTHER_BRAND = 0.6, 0.85
"""The first product's brand below, the other's between, a made up one above."""

NEW_BRANDS, NEW_WORDS = 40, 3
"""One new brand and one new word for so many products; old ones come back more often than new ones."""

ENCODED_AT_ONCE = 512
COLOURS = ("Black", "White", "Silver", "Blue", "Red", "Grey", "Green", "Pink", "Brown", "Beige")
SYLLABLES = ("ba", "lo", "mer", "tin", "ka", "so", "ral", "vi", "dun", "pe", "stor", "ni", "gal", "fu", "ret", "mo")


@dataclass(frozen=True)
class Originals:
    """Products with their vectors, in one order."""

    products: Sequence[Product]
    vectors: Vectors


def read_originals(data: Path | None) -> list[Product]:
    """The products of all *-products.ndjson.gz in the folder, shuffled; of the generated shop without a folder.

    What has no price gets one, so that every product can be filtered by it.
    """
    dice = Random(SEED)
    rows: list[Row] = []
    if data is None:
        rows.extend((1, row) for row in generate_shop(products=MADE_UP, users=1).products)
    for path in sorted(data.glob("*-products.ndjson.gz")) if data else ():
        with path.open("rb") as stream:
            rows.extend(read_ndjson(stream))
    products = [read_product(_known(row), currency="eur") for _, row in rows if not isinstance(row, BadRow)]
    dice.shuffle(products)
    return [_priced(product, dice) for product in products]


def encoded(products: Sequence[Product], encoder: Encoder, folder: Path) -> Vectors:
    """Their vectors by the product's own encoder and text, kept in `folder` for the next time."""
    texts = [embedding_text(product) for product in products]
    name = hashlib.sha256(json.dumps([model_version(encoder), texts]).encode()).hexdigest()[:16]
    path = folder / f"vectors-{name}.npy"
    if not path.exists():
        chunks = [texts[start : start + ENCODED_AT_ONCE] for start in range(0, len(texts), ENCODED_AT_ONCE)]
        np.save(path, np.concatenate([encoder.encode(chunk) for chunk in chunks]).astype(np.float16))
    return np.load(path).astype(np.float32)


def grown(originals: Originals, size: int, *, batch: int) -> Generator[Originals]:
    """`size` products with their vectors, `batch` at a time."""
    count = len(originals.products)
    for start in range(0, min(size, count), batch):
        stop = min(start + batch, size, count)
        yield Originals(originals.products[start:stop], originals.vectors[start:stop])
    for start in range(count, size, batch):
        yield _varied(originals, range(start, min(start + batch, size)))


def _known(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name in FIELDS}


def _priced(product: Product, dice: Random) -> Product:
    if product.price is not None:
        return product
    return replace(product, price=int(100 * math.exp(dice.gauss(3.2, 1.1))), currency="eur")


def _varied(originals: Originals, numbers: range) -> Originals:
    dice = Random(SEED + numbers.start)
    firsts = [dice.randrange(len(originals.products)) for _ in numbers]
    others = [dice.randrange(len(originals.products)) for _ in numbers]
    made = [
        _variation(originals.products[first], originals.products[other], number, dice)
        for number, first, other in zip(numbers, firsts, others, strict=True)
    ]
    chance = np.random.default_rng(SEED + numbers.start).standard_normal((len(numbers), originals.vectors.shape[1]))
    chance /= np.linalg.norm(chance, axis=1, keepdims=True)
    vectors = originals.vectors[firsts] + TOWARDS_OTHER * originals.vectors[others] + BY_CHANCE * chance
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Originals(made, vectors.astype(np.float32))


def _variation(first: Product, other: Product, number: int, dice: Random) -> Product:
    brand = _brand(first, other, number, dice)
    colour = dice.choice(COLOURS)
    return replace(
        first,
        id=f"v{number}",
        name=_name(first, other, brand, number, dice)[:500],
        brand=brand,
        description=_description(first, other, number, dice),
        attributes={**(other if dice.random() < 0.5 else first).attributes, "color": colour},
        price=max(1, int((first.price or 1000) * math.exp(dice.gauss(0, 0.4)))),
        stock=dice.choice((0, *[dice.randrange(1, 500)] * 9)),
    )


def _brand(first: Product, other: Product, number: int, dice: Random) -> str:
    drawn = dice.random()
    if drawn < OWN_BRAND:
        return first.brand
    if drawn < OTHER_BRAND:
        return other.brand
    return _word(int(dice.random() ** 3 * number / NEW_BRANDS), "on").capitalize()


def _name(first: Product, other: Product, brand: str, number: int, dice: Random) -> str:
    bare = first.name.removeprefix(first.brand).split()
    taken = other.name.removeprefix(other.brand).split() or bare
    words = [dice.choice(taken) if dice.random() < WORDS_TAKEN else word for word in bare]
    own = [f"{_word(number % 977, '')[:3].upper()}-{number}"] if number % 2 else []
    return " ".join([brand, *words, *own]).strip() or first.name


def _description(first: Product, other: Product, number: int, dice: Random) -> str:
    kept = [part for part in _parts(first.description) if dice.random() < 0.75]
    taken = [part for part in _parts(other.description) if dice.random() < 0.25]
    new = _word(int(dice.random() ** 2 * number / NEW_WORDS), "el")
    return "\n".join([*kept, *taken, new])


def _parts(text: str) -> list[str]:
    return text.split("\n") if "\n" in text else text.split(", ")


def _word(number: int, ending: str) -> str:
    """One for each number, of letters alone."""
    found: list[str] = []
    while number or not found:
        number, place = divmod(number, len(SYLLABLES))
        found.append(SYLLABLES[place])
    return "".join(found) + ending
