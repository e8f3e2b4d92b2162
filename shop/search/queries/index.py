"""Terms, postings, and the corpus they are weighed for."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx

INDEX_LOCK = 7_305_001
"""The advisory lock of whoever writes postings; any number that nobody else uses."""


@dataclass(frozen=True, slots=True)
class Corpus:
    documents: int
    total_length: int
    average_length: float
    language: str
    former_language: str | None

    @property
    def true_average(self) -> float:
        """Words of a product today; there must be documents."""
        return max(self.total_length / self.documents, 1.0)


def lock_index(tx: Tx) -> None:
    """Wait as long as a batch of another writer may take on a busy machine, and allow our own the same."""
    tx.execute("SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '120s', true)")
    tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", {"key": INDEX_LOCK})


def analyze(tx: Tx) -> None:
    """Tell the planner what is in the tables now: after a large import its guesses are from before it."""
    tx.execute("ANALYZE products, search_terms, search_postings, search_documents")


def corpus(tx: Tx) -> Corpus:
    row = (
        tx.cursor(row_factory=class_row(Corpus))
        .execute("""
            SELECT documents, total_length, average_length, language, former_language FROM search_corpus
            """)
        .fetchone()
    )
    assert row is not None, "the migration made the row"
    return row


def settle_average(tx: Tx, *, guess: float) -> float:
    """The average length postings are weighed for; the guess becomes it when there is none yet."""
    row = tx.execute(
        """
        UPDATE search_corpus SET average_length = CASE WHEN average_length > 0 THEN average_length ELSE %(guess)s END
     RETURNING average_length
        """,
        {"guess": guess},
    ).fetchone()
    assert row is not None, "the migration made the row"
    return row[0]


def set_average(tx: Tx, average: float) -> None:
    tx.execute("UPDATE search_corpus SET average_length = %(average)s", {"average": average})


def term_ids(tx: Tx, terms: Sequence[str]) -> dict[str, int]:
    rows = tx.execute("SELECT term, id FROM search_terms WHERE term = ANY(%(terms)s)", {"terms": terms}).fetchall()
    return dict(rows)


def add_terms(tx: Tx, terms: Sequence[str]) -> dict[str, int]:
    """Terms that are not there yet; whoever calls holds the index lock."""
    rows = tx.execute(
        "INSERT INTO search_terms (term) SELECT unnest(%(terms)s::text[]) RETURNING term, id", {"terms": terms}
    ).fetchall()
    return dict(rows)


def forget(tx: Tx, product_ns: Sequence[int]) -> None:
    """Take these products' words out of postings, term counts and corpus; unknown ones are passed over."""
    tx.execute(
        """
        WITH old AS (
            DELETE FROM search_documents WHERE product_n = ANY(%(product_ns)s)
            RETURNING product_n, term_ids, length
        ), pairs AS MATERIALIZED (
            SELECT product_n, unnest(term_ids) AS term_id FROM old
        ), gone AS (
            DELETE FROM search_postings p USING pairs
             WHERE p.term_id = pairs.term_id AND p.product_n = pairs.product_n
        ), fewer AS (
            UPDATE search_terms t SET documents = t.documents - lost.n
              FROM (SELECT term_id, count(*)::integer AS n FROM pairs GROUP BY term_id) lost
             WHERE t.id = lost.term_id
        )
        UPDATE search_corpus c SET documents = c.documents - lost.n, total_length = c.total_length - lost.length
          FROM (SELECT count(*) AS n, sum(length) AS length FROM old) lost
         WHERE lost.n > 0
        """,
        {"product_ns": product_ns},
    )


def remember(
    tx: Tx,
    *,
    product_ns: Sequence[int],
    term_ids: Sequence[int],
    counts: Sequence[int],
    average_length: float,
    language: str,
) -> None:
    """Three columns of one table: product, term, how often. The products' old words are forgotten already."""
    tx.execute(
        """
        WITH given AS MATERIALIZED (
            SELECT g.product_n, g.term_id, g.count
              FROM unnest(%(product_ns)s::integer[], %(term_ids)s::integer[], %(counts)s::integer[])
                   AS g(product_n, term_id, count)
        ), documents AS (
            INSERT INTO search_documents (product_n, term_ids, counts, length, weighed_for, language)
            SELECT product_n, array_agg(term_id ORDER BY term_id), array_agg(count ORDER BY term_id), sum(count),
                   %(average_length)s::real, %(language)s
              FROM given GROUP BY product_n
            RETURNING product_n, length
        ), postings AS (
            INSERT INTO search_postings (term_id, product_n, weight)
            SELECT g.term_id, g.product_n, search_weight(g.count, d.length, %(average_length)s::real)
              FROM given g JOIN documents d USING (product_n)
             ORDER BY g.term_id, g.product_n
        ), more AS (
            UPDATE search_terms t SET documents = t.documents + won.n
              FROM (SELECT term_id, count(*)::integer AS n FROM given GROUP BY term_id) won
             WHERE t.id = won.term_id
        )
        UPDATE search_corpus c SET documents = c.documents + won.n, total_length = c.total_length + won.length
          FROM (SELECT count(*) AS n, sum(length) AS length FROM documents) won
        """,
        {
            "product_ns": product_ns,
            "term_ids": term_ids,
            "counts": counts,
            "average_length": average_length,
            "language": language,
        },
    )


def count_unweighed(tx: Tx) -> int:
    row = tx.execute(
        """
        SELECT count(*) FROM search_documents d, search_corpus c WHERE d.weighed_for <> c.average_length
        """
    ).fetchone()
    return row[0] if row else 0


def reweigh_some(tx: Tx, *, limit: int) -> int:
    """Weigh up to `limit` products anew; how many there were."""
    row = tx.execute(
        """
        WITH bite AS MATERIALIZED (
            SELECT d.product_n, c.average_length
              FROM search_documents d, search_corpus c
             WHERE d.weighed_for <> c.average_length
             LIMIT %(limit)s
        ), weighed AS (
            UPDATE search_documents d SET weighed_for = bite.average_length
              FROM bite WHERE d.product_n = bite.product_n
            RETURNING d.product_n, d.term_ids, d.counts, d.length, d.weighed_for
        ), pairs AS (
            SELECT w.product_n, w.length, w.weighed_for, words.term_id, words.count
              FROM weighed w, unnest(w.term_ids, w.counts) AS words(term_id, count)
        ), posted AS (
            UPDATE search_postings p SET weight = search_weight(pairs.count, pairs.length, pairs.weighed_for)
              FROM pairs WHERE p.term_id = pairs.term_id AND p.product_n = pairs.product_n
        )
        SELECT count(*) FROM weighed
        """,
        {"limit": limit},
    ).fetchone()
    return row[0] if row else 0
