"""Proving the books, a stretch of chains at a time: each statement looks at the chains of one range and no others."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chains after `after` up to and with `until`; None is the end of all."""

    after: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Digest:
    """The seal of one day. `sound`: it follows from its row and the day before."""

    day: date
    facts: int
    entries: int
    content: bytes
    digest: bytes
    sealed_at: datetime
    sound: bool


FAULTS_MAX = 100
"""Faults named per kind and stretch: more of them say nothing more."""


def end_of_stretch(tx: Tx, after: str, *, orders: int) -> str | None:
    """The last order of the next so many; None where no order is left, but perhaps other chains."""
    row = tx.execute(
        """
        SELECT max(id) FROM (SELECT id FROM orders WHERE id > %(after)s ORDER BY id LIMIT %(orders)s) AS next
        """,
        {"after": after, "orders": orders},
    ).fetchone()
    return row[0] if row else None


def unbalanced(tx: Tx, stretch: Stretch) -> list[str]:
    """Entries whose lines do not sum to zero or are not those they were sealed with."""
    rows = tx.execute(
        """
        WITH entries AS (
            SELECT id, lines_hash FROM ledger_entries
             WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s)
        ), posted AS (
            SELECT entry_id, sha256(convert_to(string_agg(account || ':' || currency || ':' || amount_minor, ','
                                                          ORDER BY account COLLATE "C", currency COLLATE "C"),
                                               'UTF8')) AS digest
              FROM ledger_lines JOIN entries ON entries.id = entry_id
          GROUP BY entry_id
        ), uneven AS (
            SELECT entry_id FROM ledger_lines JOIN entries ON entries.id = entry_id
          GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0
        )
        SELECT id
          FROM entries
          LEFT JOIN posted ON posted.entry_id = id
         WHERE posted.digest IS DISTINCT FROM lines_hash OR id IN (SELECT entry_id FROM uneven)
      ORDER BY id
         LIMIT %(most)s
        """,
        {"after": stretch.after, "until": stretch.until, "most": FAULTS_MAX},
    ).fetchall()
    return [row[0] for row in rows]


def broken_entries(tx: Tx, stretch: Stretch) -> list[str]:
    """The first entry of each chain that is not what was hashed, or has a gap before it."""
    rows = tx.execute(
        """
        SELECT DISTINCT ON (chain) id
          FROM (SELECT id, chain, seq, prev_hash, hash, ledger_entry_hash(ledger_entries) AS computed,
                       lag(hash, 1, sha256(convert_to(chain, 'UTF8'))) OVER chained AS before,
                       row_number() OVER chained AS place
                  FROM ledger_entries
                 WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s)
                WINDOW chained AS (PARTITION BY chain ORDER BY seq)) AS checked
         WHERE hash <> computed OR prev_hash <> before OR seq <> place
      ORDER BY chain, seq
         LIMIT %(most)s
        """,
        {"after": stretch.after, "until": stretch.until, "most": FAULTS_MAX},
    ).fetchall()
    return [row[0] for row in rows]


def broken_facts(tx: Tx, stretch: Stretch) -> list[str]:
    """The first row of each order's log that is not what was hashed, or has a gap before it."""
    rows = tx.execute(
        """
        SELECT DISTINCT ON (order_id) id
          FROM (SELECT id, order_id, seq, prev_hash, hash, transaction_hash(transactions) AS computed,
                       lag(hash, 1, sha256(convert_to(order_id, 'UTF8'))) OVER chained AS before,
                       row_number() OVER chained AS place
                  FROM transactions
                 WHERE order_id > %(after)s AND (%(until)s::text IS NULL OR order_id <= %(until)s)
                WINDOW chained AS (PARTITION BY order_id ORDER BY seq)) AS checked
         WHERE hash <> computed OR prev_hash <> before OR seq <> place
      ORDER BY order_id, seq
         LIMIT %(most)s
        """,
        {"after": stretch.after, "until": stretch.until, "most": FAULTS_MAX},
    ).fetchall()
    return [row[0] for row in rows]


def broken_house_facts(tx: Tx, stretch: Stretch) -> list[str]:
    """As `broken_facts`, of what belongs to no order."""
    rows = tx.execute(
        """
        SELECT DISTINCT ON (chain) id
          FROM (SELECT id, chain, seq, prev_hash, hash, house_fact_hash(house_facts) AS computed,
                       lag(hash, 1, sha256(convert_to(chain, 'UTF8'))) OVER chained AS before,
                       row_number() OVER chained AS place
                  FROM house_facts
                 WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s)
                WINDOW chained AS (PARTITION BY chain ORDER BY seq)) AS checked
         WHERE hash <> computed OR prev_hash <> before OR seq <> place
      ORDER BY chain, seq
         LIMIT %(most)s
        """,
        {"after": stretch.after, "until": stretch.until, "most": FAULTS_MAX},
    ).fetchall()
    return [row[0] for row in rows]


def unbooked(tx: Tx, stretch: Stretch) -> list[str]:
    """Orders whose money in the books is not the money on the order."""
    rows = tx.execute(
        """
        SELECT orders.id
          FROM orders
          LEFT JOIN LATERAL (SELECT sum(amount_minor) AS held
                               FROM ledger_entries JOIN ledger_lines ON ledger_lines.entry_id = ledger_entries.id
                              WHERE order_id = orders.id AND account = 'stripe'
                                AND kind IN ('capture', 'refund', 'reversal')) AS booked ON true
         WHERE orders.id > %(after)s AND (%(until)s::text IS NULL OR orders.id <= %(until)s)
           AND coalesce(booked.held, 0) <> orders.amount_captured - orders.amount_refunded
      ORDER BY orders.id
         LIMIT %(most)s
        """,
        {"after": stretch.after, "until": stretch.until, "most": FAULTS_MAX},
    ).fetchall()
    return [row[0] for row in rows]


def sizes(tx: Tx, stretch: Stretch) -> tuple[int, int, int]:
    """`(entries, lines, facts)` of the stretch."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM ledger_entries
                 WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s)),
               (SELECT count(*) FROM ledger_entries JOIN ledger_lines ON entry_id = id
                 WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s)),
               (SELECT count(*) FROM transactions
                 WHERE order_id > %(after)s AND (%(until)s::text IS NULL OR order_id <= %(until)s))
             + (SELECT count(*) FROM house_facts
                 WHERE chain > %(after)s AND (%(until)s::text IS NULL OR chain <= %(until)s))
        """,
        {"after": stretch.after, "until": stretch.until},
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def number_of_orders(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM orders").fetchone()
    assert row is not None
    return row[0]


def touched(tx: Tx, *, since: datetime, after: str, limit: int) -> list[str]:
    """Chains in which anything was written since, in their order."""
    rows = tx.execute(
        """
        SELECT chain FROM (SELECT order_id AS chain FROM transactions
                            WHERE recorded_at >= %(since)s AND order_id > %(after)s
                            UNION
                           SELECT chain FROM ledger_entries WHERE booked_at >= %(since)s AND chain > %(after)s
                            UNION
                           SELECT chain FROM house_facts WHERE recorded_at >= %(since)s AND chain > %(after)s) AS found
      ORDER BY chain
         LIMIT %(limit)s
        """,
        {"since": since, "after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def written(tx: Tx, start: datetime, end: datetime) -> list[tuple[int, int, bytes]]:
    """`(facts, entries, digest)` of the rows written in each hour of that time, hours without any left out."""
    rows = tx.execute(
        """
        WITH written AS (
            SELECT id, hash, recorded_at AS at, 1 AS fact, 0 AS entry FROM transactions
             WHERE recorded_at >= %(start)s AND recorded_at < %(end)s
             UNION ALL
            SELECT id, hash, recorded_at, 1, 0 FROM house_facts
             WHERE recorded_at >= %(start)s AND recorded_at < %(end)s
             UNION ALL
            SELECT id, hash, booked_at, 0, 1 FROM ledger_entries
             WHERE booked_at >= %(start)s AND booked_at < %(end)s
        )
        SELECT sum(fact)::bigint, sum(entry)::bigint,
               sha256(string_agg(hash, ''::bytea ORDER BY id COLLATE "C"))
          FROM written
      GROUP BY date_trunc('hour', at, 'UTC')
      ORDER BY date_trunc('hour', at, 'UTC')
        """,
        {"start": start, "end": end},
    ).fetchall()
    return [(facts, entries, bytes(digest)) for facts, entries, digest in rows]


def first_written(tx: Tx) -> datetime | None:
    row = tx.execute(
        """
        SELECT least((SELECT recorded_at FROM transactions ORDER BY id LIMIT 1),
                     (SELECT min(booked_at) FROM ledger_entries), (SELECT min(recorded_at) FROM house_facts))
        """
    ).fetchone()
    return row[0] if row else None


def seal(tx: Tx, day: date, *, facts: int, entries: int, content: bytes) -> None:
    """The trigger chains it to the day before; two at once seal it once."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtext('ledger digests'))")
    tx.execute(
        """
        INSERT INTO ledger_digests (day, facts, entries, content, prev_digest, digest)
        SELECT %(day)s, %(facts)s, %(entries)s, %(content)s, '', ''
         WHERE NOT EXISTS (SELECT 1 FROM ledger_digests WHERE day = %(day)s)
        """,
        {"day": day, "facts": facts, "entries": entries, "content": content},
    )


def digests(tx: Tx, *, before: date | None, limit: int) -> list[Digest]:
    """Newest first."""
    cursor = tx.cursor(row_factory=class_row(Digest))
    return cursor.execute(
        """
        SELECT day, facts, entries, content, digest, sealed_at,
               digest = ledger_digest_hash(ledger_digests)
               AND prev_digest = coalesce((SELECT earlier.digest FROM ledger_digests AS earlier
                                            WHERE earlier.day < ledger_digests.day ORDER BY earlier.day DESC LIMIT 1),
                                          sha256('backroom')) AS sound
          FROM ledger_digests
         WHERE %(before)s::date IS NULL OR day < %(before)s
      ORDER BY day DESC
         LIMIT %(limit)s
        """,
        {"before": before, "limit": limit},
    ).fetchall()
