"""What each account held at the end of a sealed day, so that nobody adds up all lines there ever were."""

from datetime import date

from db.database import Tx


def wait_for_writers(tx: Tx) -> None:
    """Until every entry that was begun before now is committed. Who books meanwhile waits for that too, no longer than
    `lock_timeout` (psycopg.errors.LockNotAvailable): commit at once.
    """
    tx.execute("SET LOCAL lock_timeout = '3s'")
    tx.execute("LOCK TABLE ledger_entries IN SHARE MODE")


def keep(tx: Tx, day: date) -> None:
    """Those of the newest day that is kept, and the lines from then to the end of this one. Under the lock of seals."""
    tx.execute(
        """
        WITH before AS (SELECT max(day) AS day FROM ledger_day_balances)
        INSERT INTO ledger_day_balances (day, account, currency, balance_minor)
        SELECT %(day)s, account, currency, sum(amount_minor)::bigint
          FROM (SELECT account, currency, balance_minor AS amount_minor FROM ledger_day_balances
                 WHERE day = (SELECT day FROM before)
                 UNION ALL
                SELECT account, currency, amount_minor
                  FROM ledger_entries JOIN ledger_lines ON entry_id = id
                 WHERE booked_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
                   AND booked_at >= coalesce((SELECT day + 1 FROM before)::timestamp AT TIME ZONE 'UTC', '-infinity')
               ) AS found
         WHERE coalesce((SELECT day FROM before) < %(day)s, true)
      GROUP BY account, currency
        """,
        {"day": day},
    )


def follows(tx: Tx, day: date) -> bool:
    """Whether what is kept of a day is what was kept before it and the lines between; also where nothing is kept."""
    row = tx.execute(
        """
        WITH before AS (SELECT max(day) AS day FROM ledger_day_balances WHERE day < %(day)s), kept AS (
            SELECT account, currency, balance_minor FROM ledger_day_balances WHERE day = %(day)s
        ), made AS (
            SELECT account, currency, sum(amount_minor)::bigint AS balance_minor
              FROM (SELECT account, currency, balance_minor AS amount_minor FROM ledger_day_balances
                     WHERE day = (SELECT day FROM before)
                     UNION ALL
                    SELECT account, currency, amount_minor
                      FROM ledger_entries JOIN ledger_lines ON entry_id = id
                     WHERE booked_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
                       AND booked_at
                           >= coalesce((SELECT day + 1 FROM before)::timestamp AT TIME ZONE 'UTC', '-infinity')
                   ) AS found
          GROUP BY account, currency
        )
        SELECT NOT EXISTS (SELECT 1 FROM kept)
            OR NOT EXISTS (SELECT 1 FROM kept FULL JOIN made USING (account, currency)
                            WHERE kept.balance_minor IS DISTINCT FROM made.balance_minor)
        """,
        {"day": day},
    ).fetchone()
    return bool(row and row[0])
