"""Puts a catalogue of any size into the product's own tables by COPY, and makes both indexes as the product makes them.

Words, stems, counts, weights and vectors are made by the product's code and functions. What the product does row by row
and with one index entry at a time, since it must at any moment, is done here in bulk, so that a million takes minutes.
"""

import itertools
import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from psycopg import sql
from psycopg.errors import Diagnostic

from bench.search_speed.catalogue import Originals, grown
from db.database import Database, Tx
from shop.ports.encoder import Encoder
from shop.search.catalogue.importing import stored_row
from shop.search.catalogue.product import Product
from shop.search.language.text import lexical_text, terms
from shop.search.queries import index, vectors, versions
from shop.search.understanding import spelling
from shop.search.vectors import models
from shop.search.vectors.embed import SAMPLE

BATCH = 5000
TELL_EACH = 100_000
TABLES = (
    "products", "product_embeddings", "search_terms", "search_documents", "search_postings", "search_words",
    "search_word_pieces", "item_neighbours",
)  # fmt: skip

Told = Callable[[str], None]


@dataclass(frozen=True)
class Filled:
    """Seconds and what they were spent on. `graph_fits`: the graph was built in memory, which is many times faster."""

    products: int
    terms: int
    postings: int
    rows_s: float
    words_s: float
    graph_s: float
    graph_memory: str
    graph_workers: int
    graph_fits: bool

    def as_dict(self) -> dict[str, int | float | str]:
        return asdict(self)


def fill(db: Database, encoder: Encoder, originals: Originals, size: int, tell: Told) -> Filled:
    """An empty, migrated database becomes a shop of `size` products, ready to be searched."""
    with db.session() as session:
        session.execute("SET synchronous_commit = off; SET statement_timeout = 0")
        with session.transaction():
            version = models.register(session, encoder)
        with db.transaction() as tx:
            vectors.drop_index(tx)
        began = time.monotonic()
        words = _rows(session, originals, size, version, tell)
        rows_s, began = time.monotonic() - began, time.monotonic()
        tell(f"{size:,} products and {words:,} different words are in after {rows_s:.0f} s; the index of words")
        postings = _word_index(session)
        words_s, began = time.monotonic() - began, time.monotonic()
        tell(f"{postings:,} postings in {words_s:.0f} s; the graph")
        memory, workers, fits = _graph(session, version, size)
        graph_s = time.monotonic() - began
        tell(f"the graph in {graph_s:.0f} s, {memory}{'' if fits else ', in which it did not fit'}; tidying up")
        _tidy(session)
    return Filled(size, words, postings, round(rows_s, 1), round(words_s, 1), round(graph_s, 1), memory, workers, fits)


def _rows(session: Tx, originals: Originals, size: int, version: str, tell: Told) -> int:
    term_ids: dict[str, int] = {}
    documents: Counter[int] = Counter()
    length = average = done = 0
    began = time.monotonic()
    for batch in grown(originals, size, batch=BATCH):
        rows = [stored_row(product) for product in batch.products]
        hashes = [bytes.fromhex(row["content_hash"]) for row in rows]
        counts = [Counter(terms(lexical_text(product))) for product in batch.products]
        lengths = [counted.total() for counted in counts]
        average = average or sum(lengths) / len(lengths)  # as the first import of a shop settles it
        coded = [
            sorted((term_ids.setdefault(term, len(term_ids) + 1), count) for term, count in counted.items())
            for counted in counts
        ]
        documents.update(term for pairs in coded for term, _ in pairs)
        with session.transaction():
            _copy_products(session, rows, first=done + 1)
            _copy_vectors(session, batch, hashes, version)
            _copy_documents(session, coded, lengths, average, first=done + 1)
            _copy_popular(session, batch.products, first=done + 1)
            spelling.learn(session, _new_words(batch.products, known=done >= len(originals.products)))
        length, done = length + sum(lengths), done + len(rows)
        if done // TELL_EACH > (done - len(rows)) // TELL_EACH:
            tell(f"{done:,} of {size:,} products, {done / (time.monotonic() - began):,.0f} a second")
    with session.transaction():
        _copy_terms(session, term_ids, documents)
        _count(session, size, length, average)
    return len(term_ids)


def _copy_products(session: Tx, rows: Sequence[dict[str, object]], *, first: int) -> None:
    with session.cursor().copy(
        """
        COPY products (n, id, name, description, category, brand, price, currency, stock, attributes, image_url,
                       rating, rating_count, active, row_hash, content_hash) FROM STDIN
        """
    ) as copy:
        for n, row in enumerate(rows, start=first):
            copy.write_row((
                n, row["id"], row["name"], row["description"], row["category"], row["brand"], row["price"],
                row["currency"], row["stock"], json.dumps(row["attributes"]), row["image_url"], row["rating"],
                row["rating_count"], row["active"], f"\\x{row['row_hash']}", f"\\x{row['content_hash']}",
            ))  # fmt: skip


def _copy_vectors(session: Tx, batch: Originals, hashes: Sequence[bytes], version: str) -> None:
    """In PostgreSQL's binary form: writing 384 numbers as text takes longer than everything else together."""
    written = version.encode()
    halves = batch.vectors.astype(">f2")
    head = struct.pack(">hh", halves.shape[1], 0)
    with session.cursor().copy(
        "COPY product_embeddings (product_id, model_version, content_hash, v) FROM STDIN (FORMAT BINARY)"
    ) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        for product, hash_, vector in zip(batch.products, hashes, halves, strict=True):
            fields = (product.id.encode(), written, hash_, head + vector.tobytes())
            copy.write(
                struct.pack(">h", len(fields)) + b"".join(struct.pack(">i", len(field)) + field for field in fields)
            )
        copy.write(struct.pack(">h", -1))


def _copy_documents(
    session: Tx, coded: Sequence[Sequence[tuple[int, int]]], lengths: Sequence[int], average: float, *, first: int
) -> None:
    with session.cursor().copy(
        "COPY search_documents (product_n, term_ids, counts, length, weighed_for) FROM STDIN"
    ) as copy:
        for n, pairs, length in zip(itertools.count(first), coded, lengths, strict=False):
            copy.write_row((n, _array(term for term, _ in pairs), _array(count for _, count in pairs), length, average))


def _copy_popular(session: Tx, products: Sequence[Product], *, first: int) -> None:
    """How many people had it, falling as in every shop. What they had besides is not read by a search."""
    with session.cursor().copy(
        "COPY item_neighbours (relation, product_id, neighbour_ids, scores, support, built_at) FROM STDIN"
    ) as copy:
        for n, product in enumerate(products, start=first):
            copy.write_row(("also", product.id, "{}", "{}", 1 + 10_000 // (1 + n * 7919 % 10_007), "now"))


def _copy_terms(session: Tx, term_ids: dict[str, int], documents: Counter[int]) -> None:
    with session.cursor().copy("COPY search_terms (id, term, documents) FROM STDIN") as copy:
        for term, number in term_ids.items():
            copy.write_row((number, term, documents[number]))


def _new_words(products: Iterable[Product], *, known: bool) -> list[str]:
    # All words of a variation's description but the last line are of products that came before.
    if not known:
        return [lexical_text(product) for product in products]
    return [f"{product.name} {product.description.rsplit(chr(10), 1)[-1]}" for product in products]


def _count(session: Tx, size: int, length: int, average: float) -> None:
    session.execute(
        """
        UPDATE search_corpus SET documents = %(size)s, total_length = %(length)s, average_length = %(average)s
        """,
        {"size": size, "length": length, "average": average},
    )
    session.execute("SELECT setval(pg_get_serial_sequence('products', 'n'), max(n)) FROM products")
    session.execute("SELECT setval(pg_get_serial_sequence('search_terms', 'id'), max(id)) FROM search_terms")
    versions.bump(session, "catalogue")


def _word_index(session: Tx) -> int:
    """All postings from the counted words, then their index; answers how many."""
    with session.transaction():
        row = session.execute(
            """
            SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = 'search_postings'::regclass AND contype = 'p'
            """
        ).fetchone()
        assert row is not None, "the migration gave the table its key"
        table, key = sql.Identifier("search_postings"), sql.Identifier(row[0])
        session.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, key))
        made = session.execute(
            """
            INSERT INTO search_postings (term_id, product_n, weight)
            SELECT words.term_id, d.product_n, search_weight(words.count, d.length, d.weighed_for)
              FROM search_documents d, unnest(d.term_ids, d.counts) AS words(term_id, count)
            """
        ).rowcount
        session.execute("SET LOCAL maintenance_work_mem = '512MB'")
        # The definition is the database's own; nobody else's text is in it.
        definition = sql.SQL(row[1])  # pyright: ignore[reportArgumentType]
        session.execute(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(table, key, definition))
    return made


def _graph(session: Tx, version: str, size: int) -> tuple[str, int, bool]:
    told: list[str] = []

    def hear(notice: Diagnostic) -> None:
        told.append(notice.message_primary or "")

    session.add_notice_handler(hear)
    # The server's own allowance, as an operator with so many products sets it; the product never goes below.
    needed = size * vectors.INDEX_BYTES_A_ROW // 1024
    session.execute("SELECT set_config('maintenance_work_mem', %(kb)s, false)", {"kb": f"{max(needed, 65536)}kB"})
    with session.transaction():
        vectors.build_index(session)
        row = session.execute(
            "SELECT current_setting('maintenance_work_mem'), current_setting('max_parallel_maintenance_workers')::int"
        ).fetchone()
        vectors.draw_sample(session, version, size=SAMPLE)
    session.remove_notice_handler(hear)
    assert row is not None, "settings are always there"
    return row[0], row[1], not any("no longer fits" in one for one in told)


def _tidy(session: Tx) -> None:
    """What autovacuum does within minutes of an import: without it no scan of an index is spared the table."""
    for table in TABLES:
        session.execute(sql.SQL("VACUUM (ANALYZE, FREEZE) {}").format(sql.Identifier(table)))
    with session.transaction():
        index.analyze(session)
    session.execute("CHECKPOINT")


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"
