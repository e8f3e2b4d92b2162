"""A small shop made for tests: a few hundred products whose right answers are known."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from db.database import Database
from shop.ports.encoder import DIMENSIONS, Encoder, Vectors
from shop.search.catalogue.importing import ImportReport, import_products
from shop.search.vectors.embed import embed

KINDS = {
    "Home > Furniture > Sofas": ("sofa", "couch for the living room with soft cushions", "Nordholm"),
    "Home > Kitchen > Knives": ("chef knife", "blade of forged steel for cutting vegetables and meat", "Scharf"),
    "Electronics > Audio > Headphones": ("headphones", "over-ear sound with noise cancelling for travel", "Sonora"),
    "Sports > Bottles": ("water bottle", "keeps drinks cold for a day on the trail", "Hydra"),
    "Clothing > Belts": ("belt", "full grain leather strap", "Gurt & Co"),
}
COLOURS = ("red", "blue", "green", "black")
SIZES = ("small", "medium", "large")


def products() -> list[dict[str, Any]]:
    """60 products: 5 kinds in 4 colours and 3 sizes; prices 1000, 1100, … 6900; every fifth is sold out."""
    made: list[dict[str, Any]] = []
    for category, (kind, text, brand) in KINDS.items():
        for colour in COLOURS:
            for size in SIZES:
                number = len(made)
                made.append({
                    "id": f"p{number:03}",
                    "name": f"{colour.title()} {kind} {size}",
                    "description": text,
                    "category": category,
                    "brand": brand,
                    "price": 1000 + 100 * number,
                    "currency": "eur",
                    "stock": 0 if number % 5 == 0 else number,
                    "attributes": {"color": colour, "size": size},
                    "rating": 1 + number % 5,
                    "rating_count": number,
                })  # fmt: skip
    return made


def stock(db: Database, rows: Iterable[dict[str, Any]]) -> ImportReport:
    """Import rows as a file would bring them."""
    return import_products(db, enumerate(rows, start=1))


def fill(db: Database, encoder: Encoder, rows: Iterable[dict[str, Any]] | None = None) -> None:
    """A shop with its products imported and embedded."""
    stock(db, products() if rows is None else rows)
    while embed(db, encoder)["remaining"]:
        pass  # a bite ends after some seconds


class CountingEncoder:
    """Vectors that only depend on the text, made in no time: for tests about keeping them, not about meaning."""

    model = "made-for-tests"
    checksum = "0" * 64

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warm(self) -> None:
        pass

    def sibling(self, model: str, checksum: str) -> Encoder | None:
        return None

    def knows(self, word: str) -> bool:
        return False

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        vectors = np.stack([_vector(text) for text in texts]) if texts else np.empty((0, DIMENSIONS))
        return vectors.astype(np.float32)


def _vector(text: str) -> Any:
    seed = int.from_bytes(text.encode()[:200], "big") % 2**32
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return vector / np.linalg.norm(vector)


def one_value(db: Database, statement: Any, **values: Any) -> Any:
    """The single value a statement answers."""
    with db.transaction() as tx:
        row = tx.execute(statement, values).fetchone()
    assert row is not None
    return row[0]
