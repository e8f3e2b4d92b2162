"""Who said no to personalisation, kept as hashes."""

from collections.abc import Sequence
from datetime import datetime

from db.database import Tx


def object_(tx: Tx, persons: Sequence[str]) -> None:
    tx.execute(
        """
        INSERT INTO search_objections (person)
        SELECT DISTINCT hashtextextended(person, 0) FROM unnest(%(persons)s::text[]) AS person
            ON CONFLICT (person) DO NOTHING
        """,
        {"persons": list(persons)},
    )


def withdraw(tx: Tx, persons: Sequence[str]) -> None:
    tx.execute(
        """
        DELETE FROM search_objections
         WHERE person IN (SELECT hashtextextended(person, 0) FROM unnest(%(persons)s::text[]) AS person)
        """,
        {"persons": list(persons)},
    )


def objected(tx: Tx, persons: Sequence[str]) -> bool:
    """Whether one of them did."""
    row = tx.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM search_objections
             WHERE person IN (SELECT hashtextextended(person, 0) FROM unnest(%(persons)s::text[]) AS person))
        """,
        {"persons": list(persons)},
    ).fetchone()
    return bool(row and row[0])


def forget_interests(tx: Tx, persons: Sequence[str]) -> None:
    """What lists for them were made from, and the lists."""
    values = {"persons": list(persons)}
    tx.execute("DELETE FROM user_interests WHERE person = ANY(%(persons)s)", values)
    tx.execute("DELETE FROM user_recommendations WHERE person = ANY(%(persons)s)", values)


def forget_late(tx: Tx, *, since: datetime | None) -> None:
    """Interests that were taken over while their person said no. Looks through them only if somebody did since then."""
    tx.execute(
        """
        DELETE FROM user_interests
         WHERE EXISTS (SELECT 1 FROM search_objections WHERE since >= coalesce(%(since)s::timestamptz, '-infinity'))
           AND hashtextextended(person, 0) IN (
               SELECT person FROM search_objections WHERE since >= coalesce(%(since)s::timestamptz, '-infinity'))
        """,
        {"since": since},
    )
