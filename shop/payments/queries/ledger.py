"""The books in the database: entering, reading, proving. Nothing here changes a row."""

from collections.abc import Mapping

from psycopg.rows import class_row

from db.database import Tx
from db.ids import new_id
from shop.payments.rows import Balance, Entry


def enter(tx: Tx, *, order_id: str, kind: str, cause: str, currency: str, postings: Mapping[str, int]) -> bool:
    """One entry with its lines; False if this cause is booked already. The database checks the sum at commit."""
    inserted = tx.execute(
        """
        WITH posted AS (
            SELECT account, amount FROM unnest(%(accounts)s::text[], %(amounts)s::bigint[]) AS line (account, amount)
        ), entry AS (
            INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, lines_hash, prev_hash, hash)
            SELECT %(id)s, %(order_id)s, 1, %(order_id)s, %(kind)s, %(cause)s,
                   sha256(convert_to(string_agg(account || ':' || %(currency)s || ':' || amount, ','
                                                ORDER BY account COLLATE "C"), 'UTF8')), '', ''
              FROM posted
            ON CONFLICT (cause) DO NOTHING
            RETURNING id
        )
        INSERT INTO ledger_lines (entry_id, account, currency, amount_minor)
        SELECT entry.id, posted.account, %(currency)s, posted.amount FROM entry, posted
        """,
        {
            "id": new_id("led"),
            "order_id": order_id,
            "kind": kind,
            "cause": cause,
            "currency": currency,
            "accounts": list(postings.keys()),
            "amounts": list(postings.values()),
        },
    )
    return inserted.rowcount > 0


def refund_is_booked(tx: Tx, order_id: str, refund_key: str) -> bool:
    """Whether a refund is in the books and was not taken out again."""
    row = tx.execute(
        """
        SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE cause = 'refund:' || %(order_id)s || ':' || %(key)s)
           AND NOT EXISTS (SELECT 1 FROM ledger_entries
                            WHERE cause = 'refund reversed:' || %(order_id)s || ':' || %(key)s)
        """,
        {"order_id": order_id, "key": refund_key},
    ).fetchone()
    return bool(row and row[0])


def balances(tx: Tx) -> list[Balance]:
    cursor = tx.cursor(row_factory=class_row(Balance))
    return cursor.execute(
        """
        SELECT code, name, kind, currency, sum(amount_minor)::bigint AS balance_minor
          FROM ledger_accounts
          JOIN ledger_lines ON ledger_lines.account = ledger_accounts.code
      GROUP BY code, name, kind, currency
      ORDER BY currency, code
        """
    ).fetchall()


def entries(tx: Tx, *, order_id: str | None, before_id: str | None, limit: int) -> list[Entry]:
    """Lines of the newest `limit` entries, newest entry first."""
    cursor = tx.cursor(row_factory=class_row(Entry))
    return cursor.execute(
        """
        WITH page AS (
            SELECT id, seq, order_id, kind, cause, booked_at
              FROM ledger_entries
             WHERE (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
               AND (%(before_id)s::text IS NULL OR id < %(before_id)s)
          ORDER BY id DESC
             LIMIT %(limit)s
        )
        SELECT page.id, seq, order_id, kind, cause, booked_at, account, currency, amount_minor
          FROM page
          JOIN ledger_lines ON ledger_lines.entry_id = page.id
      ORDER BY page.id DESC, amount_minor DESC, account
        """,
        {"order_id": order_id, "before_id": before_id, "limit": limit},
    ).fetchall()


def unbalanced(tx: Tx) -> list[str]:
    """Entries whose lines do not sum to zero or are not those they were sealed with."""
    rows = tx.execute(
        """
        WITH posted AS (
            SELECT entry_id, sha256(convert_to(string_agg(account || ':' || currency || ':' || amount_minor, ','
                                                          ORDER BY account COLLATE "C", currency COLLATE "C"),
                                               'UTF8')) AS digest
              FROM ledger_lines
          GROUP BY entry_id
        ), uneven AS (
            SELECT entry_id FROM ledger_lines GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0
        )
        SELECT id
          FROM ledger_entries
          LEFT JOIN posted ON posted.entry_id = id
         WHERE posted.digest IS DISTINCT FROM lines_hash OR id IN (SELECT entry_id FROM uneven)
      ORDER BY id
         LIMIT 100
        """
    ).fetchall()
    return [row[0] for row in rows]


def broken_entries(tx: Tx) -> list[str]:
    """Entries that are not what was hashed, or whose chain has a gap before them."""
    rows = tx.execute(
        """
        SELECT id
          FROM (SELECT id, chain, seq, prev_hash, hash, ledger_entry_hash(ledger_entries) AS computed,
                       lag(hash, 1, sha256(convert_to(chain, 'UTF8'))) OVER chained AS before,
                       row_number() OVER chained AS place
                  FROM ledger_entries
                WINDOW chained AS (PARTITION BY chain ORDER BY seq)) AS checked
         WHERE hash <> computed OR prev_hash <> before OR seq <> place
      ORDER BY id
         LIMIT 100
        """
    ).fetchall()
    return [row[0] for row in rows]


def broken_facts(tx: Tx) -> list[str]:
    """Rows of the audit log that are not what was hashed, or whose chain has a gap before them."""
    rows = tx.execute(
        """
        SELECT id
          FROM (SELECT id, order_id, seq, prev_hash, hash, transaction_hash(transactions) AS computed,
                       lag(hash, 1, sha256(convert_to(order_id, 'UTF8'))) OVER chained AS before,
                       row_number() OVER chained AS place
                  FROM transactions
                WINDOW chained AS (PARTITION BY order_id ORDER BY seq)) AS checked
         WHERE hash <> computed OR prev_hash <> before OR seq <> place
      ORDER BY id
         LIMIT 100
        """
    ).fetchall()
    return [row[0] for row in rows]


def unbooked(tx: Tx) -> list[str]:
    """Orders whose money in the books is not the money on the order."""
    rows = tx.execute(
        """
        SELECT orders.id
          FROM orders
          LEFT JOIN (SELECT order_id, sum(amount_minor) AS held
                       FROM ledger_entries JOIN ledger_lines ON ledger_lines.entry_id = ledger_entries.id
                      WHERE account = 'stripe' AND kind IN ('capture', 'refund', 'reversal')
                   GROUP BY order_id) AS booked ON booked.order_id = orders.id
         WHERE coalesce(booked.held, 0) <> orders.amount_captured - orders.amount_refunded
      ORDER BY orders.id
         LIMIT 100
        """
    ).fetchall()
    return [row[0] for row in rows]


def sizes(tx: Tx) -> tuple[int, int, int]:
    """`(entries, lines, facts)` there are."""
    row = tx.execute(
        """
        SELECT (SELECT count(*) FROM ledger_entries), (SELECT count(*) FROM ledger_lines),
               (SELECT count(*) FROM transactions)
        """
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
