"""What people decided about differences."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.queries.reconciling import Difference


def difference(tx: Tx, reconciliation_id: str, position: int) -> Difference | None:
    """As it was found."""
    cursor = tx.cursor(row_factory=class_row(Difference))
    return cursor.execute(
        """
        SELECT kind, order_id, object_id, ours, theirs, explanation, amount_minor, currency, position
          FROM reconciliation_differences
         WHERE reconciliation_id = %(id)s AND position = %(position)s
        """,
        {"id": reconciliation_id, "position": position},
    ).fetchone()


def insert_resolution(
    tx: Tx,
    *,
    resolution_id: str,
    reconciliation_id: str,
    position: int,
    action: str,
    reason: str,
    actor: str,
    likeness: str,
    entry_id: str | None,
) -> bool:
    """False if somebody resolved it before."""
    inserted = tx.execute(
        """
        INSERT INTO difference_resolutions (id, reconciliation_id, position, action, reason, actor, likeness, entry_id)
        VALUES (%(id)s, %(reconciliation_id)s, %(position)s, %(action)s, %(reason)s, %(actor)s, %(likeness)s,
                %(entry_id)s)
        ON CONFLICT (reconciliation_id, position) DO NOTHING
        """,
        {
            "id": resolution_id,
            "reconciliation_id": reconciliation_id,
            "position": position,
            "action": action,
            "reason": reason,
            "actor": actor,
            "likeness": likeness,
            "entry_id": entry_id,
        },
    )
    return inserted.rowcount == 1


def is_resolved_so(tx: Tx, reconciliation_id: str, position: int, *, action: str, reason: str) -> bool:
    """Whether this very decision is written down already."""
    row = tx.execute(
        """
        SELECT 1 FROM difference_resolutions
         WHERE reconciliation_id = %(id)s AND position = %(position)s AND action = %(action)s AND reason = %(reason)s
        """,
        {"id": reconciliation_id, "position": position, "action": action, "reason": reason},
    ).fetchone()
    return row is not None


def accepted(tx: Tx, likenesses: Sequence[str]) -> dict[str, str]:
    """What people said of the very same differences before, by likeness; the newest word counts."""
    rows = tx.execute(
        """
        SELECT DISTINCT ON (likeness) likeness,
               'accepted by ' || actor || ' on ' || to_char(created_at, 'YYYY-MM-DD') || ': ' || reason
          FROM difference_resolutions
         WHERE likeness = ANY(%(likenesses)s) AND action = 'accept'
      ORDER BY likeness, created_at DESC
        """,
        {"likenesses": list(likenesses)},
    ).fetchall()
    return dict(rows)


def payment_of_order(tx: Tx, order_id: str) -> str | None:
    """The newest one, at the provider."""
    row = tx.execute(
        "SELECT intent_id FROM payments WHERE order_id = %(id)s ORDER BY id DESC LIMIT 1", {"id": order_id}
    ).fetchone()
    return row[0] if row else None


@dataclass(frozen=True, slots=True)
class Latest:
    """Of the latest whole reconciliation; `ended_s` ago, None where there never was one."""

    ended_s: float | None
    unexplained: int


def latest(tx: Tx) -> Latest:
    """How many of its differences nothing explains and nobody decided about."""
    row = (
        tx.cursor(row_factory=class_row(Latest))
        .execute(
            """
            WITH newest AS (SELECT id, finished_at FROM reconciliations
                             WHERE state = 'done' AND NOT dry_run ORDER BY id DESC LIMIT 1)
            SELECT extract(epoch FROM clock_timestamp() - newest.finished_at)::float8 AS ended_s,
                   (SELECT count(*)
                      FROM reconciliation_differences AS found
                 LEFT JOIN difference_resolutions AS resolved
                        ON resolved.reconciliation_id = found.reconciliation_id AND resolved.position = found.position
                     WHERE found.reconciliation_id = newest.id
                       AND found.explanation IS NULL AND resolved.id IS NULL) AS unexplained
              FROM newest
            """
        )
        .fetchone()
    )
    return row or Latest(None, 0)
