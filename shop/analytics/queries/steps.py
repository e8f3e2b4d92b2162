"""SQL of the tables that follow the events: whether they are complete, and what a week lacks or has too much."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class State:
    zone: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Mended:
    """Rows of steps that were missing and that nobody did, and visitors whose days were wrong."""

    missing: int
    extra: int
    days: int


def state(tx: Tx) -> State | None:
    """None: nobody has asked for the tables to be filled yet."""
    return tx.cursor(row_factory=class_row(State)).execute("SELECT zone, complete FROM step_state").fetchone()


def begin(tx: Tx, zone: str) -> None:
    """Days are cut in this zone from now on; those that were cut otherwise are let go."""
    tx.execute("DELETE FROM visitor_days")
    tx.execute(
        """
        INSERT INTO step_state (zone) VALUES (%(zone)s)
            ON CONFLICT (one) DO UPDATE SET zone = EXCLUDED.zone, complete = false
        """,
        {"zone": zone},
    )


def finish(tx: Tx, *, at: datetime) -> None:
    tx.execute("UPDATE step_state SET complete = true, checked_at = %(at)s", {"at": at})


def first_hour(tx: Tx) -> datetime | None:
    """Of all events there are, by their count of hours: the events themselves have no order of time."""
    row = tx.execute("SELECT min(hour) FROM event_hours").fetchone()
    return row[0] if row else None


def make_partitions(tx: Tx, *, since: datetime, weeks: int) -> int:
    row = tx.execute("SELECT make_step_partitions(%(since)s, %(weeks)s)", {"since": since, "weeks": weeks}).fetchone()
    return row[0] if row else 0


def drop_partitions(tx: Tx, *, before: datetime) -> int:
    row = tx.execute("SELECT drop_step_partitions(%(before)s)", {"before": before}).fetchone()
    return row[0] if row else 0


def delete_days(tx: Tx, *, before: datetime, limit: int) -> int:
    """Of eras that were over before the moment."""
    return tx.execute(
        """
        DELETE FROM visitor_days
         WHERE (era, visitor) IN (
               SELECT era, visitor FROM visitor_days
                WHERE era < (SELECT visit_day(%(before)s, zone) FROM step_state) / 63 LIMIT %(limit)s)
        """,
        {"before": before, "limit": limit},
    ).rowcount


def delete_odd_steps(tx: Tx, *, before: datetime, limit: int) -> int:
    """Old rows of the default partition, which is never dropped."""
    return tx.execute(
        """
        DELETE FROM steps_default
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM steps_default WHERE ts < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount


def mend_steps(tx: Tx, start: datetime, end: datetime) -> tuple[int, int]:
    """Put in what is missing and take out what nobody did. Answers how many of each."""
    missing = tx.execute(
        """
        INSERT INTO steps (ts, event_id, visitor, name, customer_id, product_id, channel, campaign, country, device,
                           referrer_host)
        SELECT ts, event_id,
               CASE WHEN source <> 'order' OR visitor_id IS DISTINCT FROM order_id
                    THEN hashtextextended(visitor_id, 0) END,
               name, user_id, product_id, channel, campaign, country, device, referrer_host
          FROM events
         WHERE ts >= %(start)s AND ts < %(end)s AND bot_score < 50 AND is_step(name)
           AND NOT EXISTS (SELECT FROM steps WHERE steps.ts = events.ts AND steps.event_id = events.event_id)
            ON CONFLICT (ts, event_id) DO NOTHING
        """,
        {"start": start, "end": end},
    ).rowcount
    extra = tx.execute(
        """
        DELETE FROM steps
         WHERE ts >= %(start)s AND ts < %(end)s
           AND NOT EXISTS (SELECT FROM events
                            WHERE events.ts >= %(start)s AND events.ts < %(end)s AND events.event_id = steps.event_id
                              AND events.ts = steps.ts AND bot_score < 50)
        """,
        {"start": start, "end": end},
    ).rowcount
    return missing, extra


def mend_days(tx: Tx, start: datetime, end: datetime) -> int:
    """The same for the days of visitors, of a week that begins on Monday in their zone: it lies in one era."""
    row = tx.execute(
        """
        WITH week AS (
            SELECT visit_day(%(start)s, zone) AS first, 127::bigint << (visit_day(%(start)s, zone) %% 63) AS bits, zone
              FROM step_state
        ), done AS (
            SELECT hashtextextended(visitor_id, 0) AS visitor,
                   bit_or(1::bigint << (visit_day(ts, week.zone) %% 63)) AS days
              FROM events CROSS JOIN week
             WHERE ts >= %(start)s AND ts < %(end)s AND bot_score < 50 AND source <> 'order'
          GROUP BY 1
        ), held AS (
            SELECT visitor, days & week.bits AS days
              FROM visitor_days CROSS JOIN week WHERE era = week.first / 63 AND days & week.bits <> 0
        ), wrong AS (
            SELECT visitor, coalesce(done.days, 0) AS days, coalesce(held.days, 0) & ~coalesce(done.days, 0) AS extra
              FROM done FULL JOIN held USING (visitor)
             WHERE done.days IS DISTINCT FROM held.days
        ), put AS (
            INSERT INTO visitor_days AS kept (visitor, era, days)
            SELECT visitor, (week.first / 63)::smallint, wrong.days FROM wrong CROSS JOIN week WHERE wrong.extra = 0
             ORDER BY visitor
                ON CONFLICT (era, visitor) DO UPDATE SET days = kept.days | EXCLUDED.days
            RETURNING 1
        ), taken AS (
            DELETE FROM visitor_days AS kept USING wrong, week
             WHERE kept.era = week.first / 63 AND kept.visitor = wrong.visitor AND wrong.days = 0
               AND kept.days & ~wrong.extra = 0
        ), trimmed AS (
            UPDATE visitor_days AS kept SET days = (kept.days & ~wrong.extra) | wrong.days
              FROM wrong, week
             WHERE kept.era = week.first / 63 AND kept.visitor = wrong.visitor AND wrong.extra <> 0
               AND ((kept.days & ~wrong.extra) | wrong.days) <> 0
        )
        SELECT count(*)::int FROM wrong
        """,
        {"start": start, "end": end},
    ).fetchone()
    return row[0] if row else 0
