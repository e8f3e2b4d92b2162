"""SQL of the salts of days: one for all processes, gone when the day is over."""

from datetime import date, datetime

from db.database import Tx


def salt(tx: Tx, *, day: date, offered: bytes) -> bytes:
    """The day's salt: the one `offered`, unless somebody was quicker."""
    row = tx.execute(
        """
        INSERT INTO daily_salts AS kept (day, salt) VALUES (%(day)s, %(offered)s)
            ON CONFLICT (day) DO UPDATE SET salt = kept.salt
     RETURNING salt
        """,
        {"day": day, "offered": offered},
    ).fetchone()
    assert row is not None, "an insert or an update answers its row"
    return row[0]


def delete_salts(tx: Tx, *, before: datetime, limit: int) -> int:
    """Of days that are over."""
    return tx.execute(
        """
        DELETE FROM daily_salts
         WHERE day IN (SELECT day FROM daily_salts
                        WHERE day < (%(before)s AT TIME ZONE 'UTC')::date ORDER BY day LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount
