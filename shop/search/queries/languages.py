"""The language of the index, and the products that are not put over to it yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Told:
    """A product with all that is written about it."""

    n: int
    id: str
    name: str
    description: str
    category: str
    brand: str
    attributes: Mapping[str, Any]
    active: bool


def set_language(tx: Tx, language: str) -> str | None:
    """The language it was before, when it is another one now. From here on both are looked under."""
    row = tx.execute(
        """
        UPDATE search_corpus c SET language = %(language)s, former_language = old.language
          FROM search_corpus old
         WHERE c.language <> %(language)s
     RETURNING old.language
        """,
        {"language": language},
    ).fetchone()
    return row[0] if row else None


def end_former_language(tx: Tx) -> None:
    tx.execute("UPDATE search_corpus SET former_language = NULL")


def count_elsewhere(tx: Tx, language: str) -> int:
    row = tx.execute(
        "SELECT count(*) FROM search_documents WHERE language <> %(language)s", {"language": language}
    ).fetchone()
    return row[0] if row else 0


def products_elsewhere(tx: Tx, language: str, *, limit: int) -> list[Told]:
    """Products whose words are kept under another stemmer."""
    cur = tx.cursor(row_factory=class_row(Told))
    return cur.execute(
        """
        SELECT p.n, p.id, p.name, p.description, p.category, p.brand, p.attributes, p.active
          FROM search_documents d
          JOIN products p ON p.n = d.product_n
         WHERE d.language <> %(language)s
         LIMIT %(limit)s
        """,
        {"language": language, "limit": limit},
    ).fetchall()


def all_words(tx: Tx) -> list[str]:
    rows = tx.execute("SELECT word FROM search_words").fetchall()
    return [row[0] for row in rows]


def set_stems(tx: Tx, words: Sequence[str], stems: Sequence[str]) -> None:
    tx.execute(
        """
        UPDATE search_words w SET stem = g.stem
          FROM unnest(%(words)s::text[], %(stems)s::text[]) AS g(word, stem)
         WHERE w.word = g.word AND w.stem <> g.stem
        """,
        {"words": words, "stems": stems},
    )
