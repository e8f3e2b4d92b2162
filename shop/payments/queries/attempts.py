"""The rows written before each call that moves something at the provider."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.payments.rows import Attempt


def insert_attempt(
    tx: Tx,
    *,
    attempt_id: str,
    order_id: str,
    refund_id: str | None,
    operation: str,
    body: Mapping[str, Any],
    fingerprint: str,
    replay_for_s: float,
) -> None:
    """The next generation of this operation. The unique index refuses a second undecided one."""
    tx.execute(
        """
        INSERT INTO provider_attempts (id, order_id, refund_id, operation, generation, body, body_fingerprint,
                                       provider_key, deadline)
        SELECT %(id)s, %(order_id)s, %(refund_id)s, %(operation)s, coalesce(max(generation), 0) + 1, %(body)s,
               %(fingerprint)s, %(operation)s || '-' || %(id)s, now() + make_interval(secs => %(replay_for_s)s)
          FROM provider_attempts
         WHERE order_id = %(order_id)s AND operation = %(operation)s
           AND refund_id IS NOT DISTINCT FROM %(refund_id)s
        """,
        {
            "id": attempt_id,
            "order_id": order_id,
            "refund_id": refund_id,
            "operation": operation,
            "body": Jsonb(body),
            "fingerprint": fingerprint,
            "replay_for_s": replay_for_s,
        },
    )


def undecided(tx: Tx, order_id: str, operation: str, refund_id: str | None = None) -> Attempt | None:
    cursor = tx.cursor(row_factory=class_row(Attempt))
    return cursor.execute(
        """
        SELECT id, order_id, refund_id, operation, generation, body, provider_key, deadline, tries, outcome
          FROM provider_attempts
         WHERE order_id = %(order_id)s AND operation = %(operation)s AND outcome IS NULL
           AND refund_id IS NOT DISTINCT FROM %(refund_id)s
        """,
        {"order_id": order_id, "operation": operation, "refund_id": refund_id},
    ).fetchone()


def begin(tx: Tx, attempt_id: str) -> datetime:
    """Count a try. Answers the moment before we ask."""
    row = tx.execute(
        """
        UPDATE provider_attempts SET tries = tries + 1, asked_at = clock_timestamp()
         WHERE id = %(id)s
     RETURNING asked_at
        """,
        {"id": attempt_id},
    ).fetchone()
    assert row is not None
    return row[0]


def close(
    tx: Tx,
    attempt_id: str,
    *,
    outcome: str,
    provider_object: str | None = None,
    error_code: str | None = None,
    error: str | None = None,
) -> bool:
    """False if somebody else decided it before."""
    updated = tx.execute(
        """
        UPDATE provider_attempts
           SET outcome = %(outcome)s, provider_object = %(object)s, error_code = left(%(error_code)s, 80),
               error = left(%(error)s, 500), answered_at = clock_timestamp()
         WHERE id = %(id)s AND outcome IS NULL
        """,
        {"id": attempt_id, "outcome": outcome, "object": provider_object, "error_code": error_code, "error": error},
    )
    return updated.rowcount == 1


def any_undecided(tx: Tx, order_id: str) -> bool:
    row = tx.execute(
        "SELECT 1 FROM provider_attempts WHERE order_id = %(id)s AND outcome IS NULL LIMIT 1", {"id": order_id}
    ).fetchone()
    return row is not None
