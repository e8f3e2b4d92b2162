"""How the catalogue stands: products, vectors by model, words, and how it follows the Product service."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Counted:
    """`stale`: can be found, but have no vector for the words they have now. `batches`: handed in, not applied yet."""

    known: int
    active: int
    available: int
    stale: int
    batches: int


@dataclass(frozen=True, slots=True)
class ModelState:
    """`state`: building, active or retired. `vectors`: also of products whose words changed since."""

    version: str
    model: str
    state: str
    vectors: int
    added_at: datetime
    active_since: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Words:
    """`former_language`: not every product is put over to `language` yet."""

    documents: int
    terms: int
    language: str
    former_language: str | None


@dataclass(frozen=True, slots=True)
class Pull:
    """`full`: of every product, not only of changes."""

    id: str
    full: bool
    seen: int
    added: int
    changed: int
    rejected: int
    newest: datetime | None
    started_at: datetime
    ended_at: datetime | None
    failure: str | None


def one_moment(tx: Tx) -> None:
    """Everything this transaction reads is of the moment of its first read."""
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def counted(tx: Tx) -> Counted:
    cur = tx.cursor(row_factory=class_row(Counted))
    row = cur.execute(
        """
        SELECT count(*) AS known,
               count(*) FILTER (WHERE p.active) AS active,
               count(*) FILTER (WHERE p.active AND p.available) AS available,
               count(*) FILTER (WHERE p.active AND e.content_hash IS DISTINCT FROM p.content_hash) AS stale,
               (SELECT count(*) FROM catalogue_batches WHERE applied_at IS NULL) AS batches
          FROM products p
          LEFT JOIN product_embeddings e
            ON e.product_id = p.id
           AND e.model_version = (SELECT version FROM search_models WHERE state = 'active')
        """
    ).fetchone()
    assert row is not None, "a count always answers"
    return row


def model_states(tx: Tx) -> list[ModelState]:
    """The one that answers first."""
    cur = tx.cursor(row_factory=class_row(ModelState))
    return cur.execute(
        """
        SELECT m.version, m.model, m.state, coalesce(made.vectors, 0) AS vectors, m.added_at, m.active_since,
               m.retired_at
          FROM search_models m
          LEFT JOIN (SELECT model_version, count(*) AS vectors FROM product_embeddings GROUP BY model_version) made
            ON made.model_version = m.version
      ORDER BY m.state = 'active' DESC, m.added_at DESC, m.version
        """
    ).fetchall()


def words(tx: Tx) -> Words:
    cur = tx.cursor(row_factory=class_row(Words))
    row = cur.execute(
        """
        SELECT documents, (SELECT count(*) FROM search_terms WHERE documents > 0) AS terms, language, former_language
          FROM search_corpus
        """
    ).fetchone()
    assert row is not None, "the table has its one row from the beginning"
    return row


def newest_pulls(tx: Tx) -> list[Pull]:
    """The newest of everything, and the newest of changes."""
    cur = tx.cursor(row_factory=class_row(Pull))
    return cur.execute(
        """
        SELECT DISTINCT ON (updated_since IS NULL)
               id, updated_since IS NULL AS full, seen, added, changed, rejected, newest, started_at, ended_at, failure
          FROM catalogue_syncs
      ORDER BY updated_since IS NULL DESC, id DESC
        """
    ).fetchall()
