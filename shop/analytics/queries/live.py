"""SQL of the newest minutes: what happened in them, and who is here."""

from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.ports.live import MinuteCount, Presence


def minutes(tx: Tx, since: datetime, until: datetime) -> list[MinuteCount]:
    """Oldest first."""
    return (
        tx.cursor(row_factory=class_row(MinuteCount))
        .execute(
            """
            SELECT minute, name, human, events
              FROM event_minutes
             WHERE minute >= %(since)s AND minute <= %(until)s AND events > 0
          ORDER BY minute, name, human DESC
            """,
            {"since": since, "until": until},
        )
        .fetchall()
    )


def touched_minutes(tx: Tx) -> list[MinuteCount]:
    """Those of the events just stored, as they count now."""
    return (
        tx.cursor(row_factory=class_row(MinuteCount))
        .execute(
            """
            SELECT kept.minute, kept.name, kept.human, kept.events
              FROM (SELECT DISTINCT date_trunc('minute', ts) AS minute, name, bot_score < 50 AS human
                      FROM stored_events) AS touched
              JOIN event_minutes AS kept
                ON kept.minute = touched.minute AND kept.name = touched.name AND kept.human = touched.human
            """
        )
        .fetchall()
    )


def touched_visitors(tx: Tx, since: datetime) -> list[Presence]:
    """People among the events just stored. An order's facts say nothing of who looks at a page."""
    return (
        tx.cursor(row_factory=class_row(Presence))
        .execute(
            """
            SELECT hashtextextended(visitor_id, 0) AS visitor, max(ts) AS at
              FROM stored_events
             WHERE bot_score < 50 AND source <> 'order' AND ts >= %(since)s
          GROUP BY visitor_id
            """,
            {"since": since},
        )
        .fetchall()
    )


def visitors(tx: Tx, since: datetime) -> list[Presence]:
    """People who did something since then."""
    return (
        tx.cursor(row_factory=class_row(Presence))
        .execute(
            """
            SELECT hashtextextended(visitor_id, 0) AS visitor, max(ts) AS at
              FROM events
             WHERE ts >= %(since)s AND bot_score < 50 AND source <> 'order'
          GROUP BY visitor_id
            """,
            {"since": since},
        )
        .fetchall()
    )
