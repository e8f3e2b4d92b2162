"""What checks of the books found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class KeptProof:
    """`faults` are `[kind, id]`."""

    id: str
    state: str
    requested_by: str | None
    entries: int
    lines: int
    facts: int
    digests: int
    faults: Sequence[Any]
    head: str | None
    created_at: datetime
    finished_at: datetime | None


def insert(tx: Tx, proof_id: str, *, actor: str | None) -> None:
    tx.execute(
        "INSERT INTO ledger_proofs (id, requested_by) VALUES (%(id)s, %(actor)s)", {"id": proof_id, "actor": actor}
    )


def finish(
    tx: Tx,
    proof_id: str,
    *,
    entries: int,
    lines: int,
    facts: int,
    digests: int,
    faults: Sequence[tuple[str, str]],
    head: str | None,
) -> None:
    tx.execute(
        """
        UPDATE ledger_proofs
           SET state = 'done', entries = %(entries)s, lines = %(lines)s, facts = %(facts)s, digests = %(digests)s,
               faults = %(faults)s, head = %(head)s, finished_at = clock_timestamp()
         WHERE id = %(id)s AND state = 'running'
        """,
        {
            "id": proof_id,
            "entries": entries,
            "lines": lines,
            "facts": facts,
            "digests": digests,
            "faults": Jsonb([list(fault) for fault in faults]),
            "head": head,
        },
    )


def proof(tx: Tx, proof_id: str) -> KeptProof | None:
    cursor = tx.cursor(row_factory=class_row(KeptProof))
    return cursor.execute(
        """
        SELECT id, state, requested_by, entries, lines, facts, digests, faults, head, created_at, finished_at
          FROM ledger_proofs
         WHERE id = %(id)s
        """,
        {"id": proof_id},
    ).fetchone()


def proofs(tx: Tx, *, limit: int) -> list[KeptProof]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(KeptProof))
    return cursor.execute(
        """
        SELECT id, state, requested_by, entries, lines, facts, digests, faults, head, created_at, finished_at
          FROM ledger_proofs
      ORDER BY created_at DESC
         LIMIT %(limit)s
        """,
        {"limit": limit},
    ).fetchall()
