"""SQL of how long things are kept: partitions made ahead and dropped behind, small rows deleted in bites."""

from datetime import datetime

from db.database import Tx


def make_partitions(tx: Tx, *, since: datetime, weeks: int) -> int:
    row = tx.execute("SELECT make_event_partitions(%(since)s, %(weeks)s)", {"since": since, "weeks": weeks}).fetchone()
    return row[0] if row else 0


def drop_partitions(tx: Tx, *, before: datetime) -> int:
    row = tx.execute("SELECT drop_event_partitions(%(before)s)", {"before": before}).fetchone()
    return row[0] if row else 0


def delete_odd_events(tx: Tx, *, before: datetime, limit: int) -> int:
    """Old rows of the default partition, which is never dropped."""
    return tx.execute(
        """
        DELETE FROM events_default
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM events_default WHERE ts < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_batches(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM event_batches
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM event_batches WHERE loaded_at < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_interest(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM product_interest
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM product_interest WHERE hour < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_hours(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM product_hours
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM product_hours WHERE hour < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_cold(tx: Tx, *, before: datetime, limit: int) -> int:
    """Heat of products nobody has touched since: it is too small to be seen."""
    return tx.execute(
        """
        DELETE FROM product_heat
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM product_heat WHERE last_at < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_settled_quarantine(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM quarantined_events
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM quarantined_events WHERE settled_at < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_links(tx: Tx, *, before: datetime, limit: int) -> int:
    """Of sign-ins whose events are gone."""
    return tx.execute(
        """
        DELETE FROM identity_links
         WHERE (visitor_id, user_id) IN (SELECT visitor_id, user_id FROM identity_links
                                          WHERE last_at < %(before)s LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_minutes(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM event_minutes
         WHERE (minute, name, human) IN (SELECT minute, name, human FROM event_minutes
                                          WHERE minute < %(before)s ORDER BY minute LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount
