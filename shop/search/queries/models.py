"""Which models there are vectors of, and which one answers."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Model:
    """`checksum`: sha256 of the weights in hex, empty where it was not kept yet. state: building, active or retired."""

    version: str
    model: str
    checksum: str
    text_version: str
    state: str


def active_model(tx: Tx) -> Model | None:
    cur = tx.cursor(row_factory=class_row(Model))
    return cur.execute(
        "SELECT version, model, checksum, text_version, state FROM search_models WHERE state = 'active'"
    ).fetchone()


def register_model(tx: Tx, *, version: str, model: str, checksum: str, text_version: str) -> bool:
    """Note that vectors of it are made. The first of all answers at once; True when it does.

    One that was retired builds again, which is how a change of model is taken back.
    """
    row = tx.execute(
        """
        INSERT INTO search_models AS known (version, model, checksum, text_version, state, active_since)
        SELECT %(version)s, %(model)s, %(checksum)s, %(text_version)s,
               CASE WHEN other.version IS NULL THEN 'active' ELSE 'building' END,
               CASE WHEN other.version IS NULL THEN now() END
          FROM (SELECT 1) one LEFT JOIN search_models other ON other.state = 'active'
            ON CONFLICT (version) DO UPDATE
           SET state = CASE known.state WHEN 'retired' THEN 'building' ELSE known.state END, retired_at = NULL
     RETURNING state = 'active'
        """,
        {"version": version, "model": model, "checksum": checksum, "text_version": text_version},
    ).fetchone()
    assert row is not None, "it was written"
    return row[0]


def retire_others(tx: Tx, version: str) -> int:
    retired = tx.execute(
        """
        UPDATE search_models SET state = 'retired', retired_at = now(), active_since = coalesce(active_since, now())
         WHERE version <> %(version)s AND state <> 'retired'
        """,
        {"version": version},
    )
    return retired.rowcount


def activate_model(tx: Tx, version: str) -> bool:
    """Whether it answers only from now on."""
    changed = tx.execute(
        """
        UPDATE search_models SET state = 'active', active_since = now()
         WHERE version = %(version)s AND state = 'building'
        """,
        {"version": version},
    )
    return changed.rowcount > 0


def retired_model(tx: Tx, *, minutes: int) -> str | None:
    """One that has not answered for so long."""
    row = tx.execute(
        """
        SELECT version FROM search_models
         WHERE state = 'retired' AND retired_at < now() - make_interval(mins => %(minutes)s)
      ORDER BY retired_at, version LIMIT 1
        """,
        {"minutes": minutes},
    ).fetchone()
    return row[0] if row else None


def delete_vectors(tx: Tx, version: str, *, limit: int) -> int:
    """Some vectors of a model that is retired still; the row of the model is held meanwhile."""
    gone = tx.execute(
        """
        DELETE FROM product_embeddings
         WHERE model_version = %(version)s
           AND product_id IN (SELECT product_id FROM product_embeddings
                               WHERE model_version = %(version)s LIMIT %(limit)s)
           AND EXISTS (SELECT FROM search_models WHERE version = %(version)s AND state = 'retired' FOR UPDATE)
        """,
        {"version": version, "limit": limit},
    )
    return gone.rowcount


def delete_model(tx: Tx, version: str) -> None:
    """Forget a retired model of which no vector is left."""
    tx.execute("DELETE FROM search_sample WHERE model_version = %(version)s", {"version": version})
    tx.execute(
        """
        DELETE FROM search_models
         WHERE version = %(version)s AND state = 'retired'
           AND NOT EXISTS (SELECT FROM product_embeddings WHERE model_version = %(version)s)
        """,
        {"version": version},
    )
