"""Leases: who may do what only one may do at a time, with a term number that grows at every change of holder."""

from db.database import Tx


def hold(tx: Tx, name: str, *, holder: str, seconds: int) -> int | None:
    """Take or renew the lease. Answers its term, or None while somebody else holds it."""
    row = tx.execute(
        """
        INSERT INTO leases (name, holder, until)
        VALUES (%(name)s, %(holder)s, clock_timestamp() + make_interval(secs => %(seconds)s))
        ON CONFLICT (name) DO UPDATE
           SET term = leases.term + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END,
               holder = excluded.holder,
               until = excluded.until
         WHERE leases.holder = excluded.holder OR leases.until < clock_timestamp()
     RETURNING term
        """,
        {"name": name, "holder": holder, "seconds": seconds},
    ).fetchone()
    return row[0] if row else None


def still_held(tx: Tx, name: str, *, holder: str, term: int) -> bool:
    """Lock the lease until the transaction ends, so that what is written in it is written by the holder."""
    row = tx.execute(
        """
        SELECT 1 FROM leases
         WHERE name = %(name)s AND holder = %(holder)s AND term = %(term)s AND until > clock_timestamp()
           FOR SHARE
        """,
        {"name": name, "holder": holder, "term": term},
    ).fetchone()
    return row is not None


def resign(tx: Tx, name: str, *, holder: str) -> None:
    """Let the next one in at once."""
    tx.execute(
        "UPDATE leases SET until = clock_timestamp() WHERE name = %(name)s AND holder = %(holder)s",
        {"name": name, "holder": holder},
    )


def is_held(tx: Tx, name: str) -> bool:
    """Whether anybody holds the lease now."""
    row = tx.execute(
        "SELECT EXISTS (SELECT 1 FROM leases WHERE name = %(name)s AND until > clock_timestamp())", {"name": name}
    ).fetchone()
    return row is not None and bool(row[0])
