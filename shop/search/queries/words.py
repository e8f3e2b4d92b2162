"""The catalogue's words as they are written, and the pieces by which a misspelt one is recognised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Near:
    """`piece`: what it has in common with the word that was typed. `products`: how many have it."""

    piece: str
    word: str
    products: int


def add_words(tx: Tx, stems: Mapping[str, str], pieces: Sequence[tuple[str, str]]) -> None:
    """`stems` by word; `pieces` with their words."""
    tx.execute(
        """
        INSERT INTO search_words (word, stem)
        SELECT g.word, g.stem FROM unnest(%(words)s::text[], %(stems)s::text[]) AS g(word, stem) ORDER BY 1
            ON CONFLICT DO NOTHING
        """,
        {"words": list(stems), "stems": list(stems.values())},
    )
    tx.execute(
        """
        INSERT INTO search_word_pieces (piece, word)
        SELECT g.piece, g.word FROM unnest(%(pieces)s::text[], %(words)s::text[]) AS g(piece, word) ORDER BY 1, 2
            ON CONFLICT DO NOTHING
        """,
        {"pieces": [piece for piece, _ in pieces], "words": [word for _, word in pieces]},
    )


def known_words(tx: Tx, words: Sequence[str]) -> set[str]:
    rows = tx.execute("SELECT word FROM search_words WHERE word = ANY(%(words)s)", {"words": list(words)}).fetchall()
    return {row[0] for row in rows}


def near_words(tx: Tx, pieces: Sequence[str], *, least: int) -> list[Near]:
    """Words that share one of these pieces and that at least so many products have."""
    cur = tx.cursor(row_factory=class_row(Near))
    return cur.execute(
        """
        SELECT s.piece, s.word, t.documents AS products
          FROM search_word_pieces s
          JOIN search_words w ON w.word = s.word
          JOIN search_terms t ON t.term = w.stem
         WHERE s.piece = ANY(%(pieces)s) AND t.documents >= %(least)s
        """,
        {"pieces": list(pieces), "least": least},
    ).fetchall()


def products_with(tx: Tx, stems: Sequence[str]) -> dict[str, int]:
    """How many products have each of these stems, without those that none has."""
    rows = tx.execute(
        "SELECT term, documents FROM search_terms WHERE term = ANY(%(stems)s) AND documents > 0",
        {"stems": list(stems)},
    ).fetchall()
    return dict(rows)


def words_beginning(tx: Tx, start: str, *, lengths: tuple[int, int], least: int, most: int) -> dict[str, int]:
    """Words of such lengths that begin so and that at least so many products have, with how many do."""
    rows = tx.execute(
        """
        SELECT w.word, t.documents
          FROM search_words w
          JOIN search_terms t ON t.term = w.stem
         WHERE w.word >= %(start)s COLLATE "C" AND w.word < (%(start)s || '~') COLLATE "C"
           AND length(w.word) BETWEEN %(shortest)s AND %(longest)s AND t.documents >= %(least)s
      ORDER BY t.documents DESC, w.word
         LIMIT %(most)s
        """,
        {"start": start, "shortest": lengths[0], "longest": lengths[1], "least": least, "most": most},
    ).fetchall()
    return dict(rows)


def in_names(tx: Tx, words: Sequence[str], *, most: int) -> dict[str, int]:
    """How many suggestions (products, categories, brands, searches) have each word among their first; up to `most`."""
    rows = tx.execute(
        """
        SELECT w.word, found.n
          FROM unnest(%(words)s::text[]) AS w(word)
         CROSS JOIN LATERAL (
               SELECT count(*)::integer AS n
                 FROM (SELECT FROM search_suggestion_keys k
                        WHERE k.key >= w.word COLLATE "C" AND k.key < (w.word || '!') COLLATE "C"
                        LIMIT %(most)s) few
               ) found
        """,
        {"words": list(words), "most": most},
    ).fetchall()
    return dict(rows)


def together(tx: Tx, stems: Sequence[str], others: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Per stem: products that have it along with all of the others (as far as any has those), and with some."""
    rows = tx.execute(
        """
        WITH others AS MATERIALIZED (
            SELECT id FROM search_terms WHERE term = ANY(%(others)s) AND documents > 0
        ), beside AS (
            SELECT t.term, s.product_n, count(*) AS n
              FROM search_terms t
              JOIN search_postings s ON s.term_id = t.id
              JOIN others ON true
              JOIN search_postings o ON o.term_id = others.id AND o.product_n = s.product_n
             WHERE t.term = ANY(%(stems)s)
          GROUP BY t.term, s.product_n
        )
        SELECT term, count(*) FILTER (WHERE n = (SELECT count(*) FROM others))::integer, count(*)::integer
          FROM beside GROUP BY term
        """,
        {"stems": list(stems), "others": list(others)},
    ).fetchall()
    return {term: (every, some) for term, every, some in rows}
