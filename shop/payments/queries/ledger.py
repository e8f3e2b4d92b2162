"""The books in the database: entering, reading, proving. Nothing here changes a row."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from db.ids import new_id
from shop.payments.books.entries import Balance, Entry, Posting


def enter(
    tx: Tx, *, order_id: str | None, kind: str, cause: str, lines: Sequence[Posting], memo: str | None = None
) -> str | None:
    """One entry with its lines; answers its id, None if this cause is booked already. The database checks the sums at
    commit. Without an order it belongs to the house, whose chain is held against other writers until the commit.
    """
    if order_id is None:
        tx.execute("SELECT pg_advisory_xact_lock(hashtext('ledger of the house'))")
    inserted = tx.execute(
        """
        WITH posted AS (
            SELECT account, currency, amount
              FROM unnest(%(accounts)s::text[], %(currencies)s::text[], %(amounts)s::bigint[])
                   AS line (account, currency, amount)
        ), entry AS (
            INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, memo, lines_hash, prev_hash, hash)
            SELECT %(id)s, coalesce(%(order_id)s, 'house'), 1, %(order_id)s, %(kind)s, %(cause)s, %(memo)s,
                   sha256(convert_to(string_agg(account || ':' || currency || ':' || amount, ','
                                                ORDER BY account COLLATE "C", currency COLLATE "C"), 'UTF8')), '', ''
              FROM posted
            ON CONFLICT (cause) DO NOTHING
            RETURNING id
        )
        INSERT INTO ledger_lines (entry_id, account, currency, amount_minor)
        SELECT entry.id, posted.account, posted.currency, posted.amount FROM entry, posted
     RETURNING entry_id
        """,
        {
            "id": new_id("led"),
            "order_id": order_id,
            "kind": kind,
            "cause": cause,
            "memo": memo,
            "accounts": [line.account for line in lines],
            "currencies": [line.currency for line in lines],
            "amounts": [line.amount for line in lines],
        },
    ).fetchone()
    return inserted[0] if inserted else None


def booked(tx: Tx, causes: Sequence[str]) -> frozenset[str]:
    """Those of the causes that have their entry."""
    rows = tx.execute(
        "SELECT cause FROM ledger_entries WHERE cause = ANY(%(causes)s)", {"causes": list(causes)}
    ).fetchall()
    return frozenset(row[0] for row in rows)


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


def postings(tx: Tx, cause: str) -> dict[str, int]:
    """Amount by account of the entry that this cause made necessary; empty if there is none."""
    rows = tx.execute(
        """
        SELECT account, amount_minor
          FROM ledger_entries
          JOIN ledger_lines ON ledger_lines.entry_id = ledger_entries.id
         WHERE cause = %(cause)s
        """,
        {"cause": cause},
    ).fetchall()
    return dict(rows)


def balances(tx: Tx) -> list[Balance]:
    """What was held at the end of the newest sealed day and the lines since: exact, also while others book."""
    cursor = tx.cursor(row_factory=class_row(Balance))
    return cursor.execute(
        """
        SELECT code, name, kind, currency, balance_minor
          FROM ledger_accounts
          JOIN ledger_balances ON account = code
      ORDER BY currency, code
        """
    ).fetchall()


def entries(tx: Tx, *, order_id: str | None, before_id: str | None, limit: int) -> list[Entry]:
    """Lines of the newest `limit` entries, newest entry first."""
    cursor = tx.cursor(row_factory=class_row(Entry))
    return cursor.execute(
        """
        WITH page AS (
            SELECT id, seq, order_id, kind, cause, memo, booked_at
              FROM ledger_entries
             WHERE (%(order_id)s::text IS NULL OR order_id = %(order_id)s)
               AND (%(before_id)s::text IS NULL OR id < %(before_id)s)
          ORDER BY id DESC
             LIMIT %(limit)s
        )
        SELECT page.id, seq, order_id, kind, cause, memo, booked_at, account, currency, amount_minor
          FROM page
          JOIN ledger_lines ON ledger_lines.entry_id = page.id
      ORDER BY page.id DESC, amount_minor DESC, account
        """,
        {"order_id": order_id, "before_id": before_id, "limit": limit},
    ).fetchall()
