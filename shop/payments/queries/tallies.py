"""What is counted about deliveries, so that no figure ever scans the inbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx

SHARDS = 16
"""Rows per figure: as many deliveries can be counted at once without waiting for each other's commit."""


@dataclass(frozen=True, slots=True)
class Tally:
    """`kind` is secret, source, state or version."""

    kind: str
    name: str
    count: int
    first_at: datetime
    last_at: datetime


def count(tx: Tx, *named: tuple[str, str]) -> None:
    """Count one more of each `(kind, name)`. The last statement of its transaction, so that nobody waits for long."""
    count_many(tx, dict.fromkeys(named, 1))


def count_many(tx: Tx, named: Mapping[tuple[str, str], int]) -> None:
    """As `count`, several at once. Rows are taken in one order, so two of these cannot wait for each other."""
    ordered = sorted(named.items())
    tx.execute(
        """
        INSERT INTO webhook_tallies (kind, name, shard, count)
        SELECT kind, left(name, 60), pg_backend_pid() %% %(shards)s, more
          FROM unnest(%(kinds)s::text[], %(names)s::text[], %(counts)s::bigint[]) WITH ORDINALITY
               AS told (kind, name, more, place)
      ORDER BY place
        ON CONFLICT (kind, name, shard) DO UPDATE
           SET count = webhook_tallies.count + EXCLUDED.count, last_at = clock_timestamp()
        """,
        {
            "shards": SHARDS,
            "kinds": [kind for (kind, _), _ in ordered],
            "names": [name for (_, name), _ in ordered],
            "counts": [more for _, more in ordered],
        },
    )


def tallies(tx: Tx) -> list[Tally]:
    """All of them: a few dozen rows."""
    cursor = tx.cursor(row_factory=class_row(Tally))
    return cursor.execute(
        """
        SELECT kind, name, sum(count)::bigint AS count, min(first_at) AS first_at, max(last_at) AS last_at
          FROM webhook_tallies
      GROUP BY kind, name
      ORDER BY kind, name
        """
    ).fetchall()


def waiting(tx: Tx, *, at_most: int) -> dict[str, int]:
    """Deliveries that are not settled, by state; never counts further than `at_most` of each."""
    rows = tx.execute(
        """
        SELECT state, (SELECT count(*)
                         FROM (SELECT 1 FROM webhook_deliveries
                                WHERE webhook_deliveries.state = open.state
                                  AND webhook_deliveries.state IN ('received', 'parked', 'orphan', 'returning')
                                LIMIT %(at_most)s) AS found)
          FROM unnest(ARRAY['received', 'parked', 'orphan', 'returning']) AS open (state)
        """,
        {"at_most": at_most},
    ).fetchall()
    return dict(rows)


def oldest_unread_s(tx: Tx) -> float:
    """Seconds for which the oldest delivery has waited to be read, 0 when none does."""
    row = tx.execute(
        """
        SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float
          FROM webhook_deliveries WHERE state = 'received'
        """
    ).fetchone()
    assert row is not None
    return row[0]


def first_paid_after(tx: Tx, moment: datetime | None) -> datetime | None:
    """When the first order was paid after that moment (ever, without one)."""
    row = tx.execute(
        """
        SELECT min(paid_at) FROM orders
         WHERE paid_at IS NOT NULL AND paid_at > coalesce(%(moment)s, '-infinity'::timestamptz)
        """,
        {"moment": moment},
    ).fetchone()
    return row[0] if row else None
