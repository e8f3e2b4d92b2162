"""The SQL of operations: keys of idempotent requests, and what readiness asks of the database."""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from db.database import Tx

DatabaseUnavailable = psycopg.OperationalError
"""What psycopg and its pool raise when the server is away, full, or gave up on a lock or a statement."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The first answer under a key. `fingerprint` is SHA-256 of the request's body, `body` the answer's bytes."""

    fingerprint: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def lock_key(tx: Tx, name: str) -> bool:
    """Take the lock of that name until the transaction ends. False when another transaction has it."""
    row = tx.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))", {"name": name}).fetchone()
    return row is not None and bool(row[0])


def find_key(tx: Tx, *, caller: str, route: str, key: str) -> KeyRow | None:
    return (
        tx.cursor(row_factory=class_row(KeyRow))
        .execute(
            """
            SELECT fingerprint, status, headers, body
              FROM idempotency_keys
             WHERE caller = %(caller)s AND route = %(route)s AND key = %(key)s
            """,
            {"caller": caller, "route": route, "key": key},
        )
        .fetchone()
    )


def insert_key(tx: Tx, row: KeyRow, caller: str, route: str, key: str) -> None:
    tx.execute(
        """
        INSERT INTO idempotency_keys (caller, route, key, fingerprint, status, headers, body)
        VALUES (%(caller)s, %(route)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s, %(body)s)
        """,
        {
            "caller": caller,
            "route": route,
            "key": key,
            "fingerprint": row.fingerprint,
            "status": row.status,
            "headers": Jsonb(row.headers),
            "body": row.body,
        },
    )


def update_key(tx: Tx, row: KeyRow, caller: str, route: str, key: str) -> None:
    tx.execute(
        """
        UPDATE idempotency_keys
           SET status = %(status)s, headers = %(headers)s, body = %(body)s
         WHERE caller = %(caller)s AND route = %(route)s AND key = %(key)s AND fingerprint = %(fingerprint)s
        """,
        {
            "caller": caller,
            "route": route,
            "key": key,
            "fingerprint": row.fingerprint,
            "status": row.status,
            "headers": Jsonb(row.headers),
            "body": row.body,
        },
    )


def delete_old_keys(tx: Tx, *, hours: int, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM idempotency_keys
         WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM idempotency_keys
                WHERE created_at < now() - make_interval(hours => %(hours)s)
                LIMIT %(limit)s
                  FOR UPDATE SKIP LOCKED))
        """,
        {"hours": hours, "limit": limit},
    ).rowcount


def schema_revision(tx: Tx) -> str | None:
    """The migration the database is at, None when none was ever applied."""
    present = tx.cursor(row_factory=scalar_row).execute("SELECT to_regclass('alembic_version')").fetchone()
    if present is None:
        return None
    return tx.cursor(row_factory=scalar_row).execute("SELECT version_num FROM alembic_version").fetchone()
