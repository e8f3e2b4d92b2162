"""The SQL of identity: the Auth service's public keys, and when they were asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key as the Auth service published it (RFC 7517)."""

    kid: str
    jwk: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fetches:
    """When a fetch was last asked for, and when one last came back; None for never."""

    asked_at: datetime | None
    fetched_at: datetime | None


def signing_keys(tx: Tx) -> list[SigningKey]:
    return (
        tx.cursor(row_factory=class_row(SigningKey))
        .execute("SELECT kid, jwk FROM signing_keys ORDER BY kid")
        .fetchall()
    )


def save_key(tx: Tx, key: SigningKey) -> None:
    tx.execute(
        """
        INSERT INTO signing_keys (kid, jwk, seen_at) VALUES (%(kid)s, %(jwk)s, now())
        ON CONFLICT (kid) DO UPDATE SET jwk = excluded.jwk, seen_at = excluded.seen_at
        """,
        {"kid": key.kid, "jwk": Jsonb(key.jwk)},
    )


def drop_keys_except(tx: Tx, kids: list[str]) -> int:
    """A key that is published no longer is trusted no longer."""
    return tx.execute("DELETE FROM signing_keys WHERE kid <> ALL (%(kids)s)", {"kids": kids}).rowcount


def mark_fetched(tx: Tx) -> None:
    tx.execute(
        """
        INSERT INTO signing_key_fetches (fetched_at) VALUES (clock_timestamp())
        ON CONFLICT (only_row) DO UPDATE SET fetched_at = clock_timestamp()
        """
    )


def claim_fetch(tx: Tx, *, every_s: int) -> bool:
    """True for the one caller per `every_s` seconds, over all processes, who may ask for a fetch."""
    row = tx.execute(
        """
        INSERT INTO signing_key_fetches (asked_at) VALUES (clock_timestamp())
        ON CONFLICT (only_row) DO UPDATE SET asked_at = clock_timestamp()
         WHERE signing_key_fetches.asked_at IS NULL
            OR signing_key_fetches.asked_at < clock_timestamp() - make_interval(secs => %(every_s)s)
        RETURNING true
        """,
        {"every_s": every_s},
    ).fetchone()
    return row is not None


def fetches(tx: Tx) -> Fetches:
    row = (
        tx.cursor(row_factory=class_row(Fetches))
        .execute("SELECT asked_at, fetched_at FROM signing_key_fetches")
        .fetchone()
    )
    return row or Fetches(None, None)
