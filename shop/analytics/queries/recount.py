"""SQL of counting again: rollups against the rows they were made of, what differs, and putting it right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Off:
    """One cell of a rollup that is not what its rows say."""

    cell: dict[str, Any]
    kept: int
    counted: int


def hours_off(tx: Tx, start: datetime, end: datetime) -> list[Off]:
    """Cells of `event_hours`; both sides as of one moment."""
    return (
        tx.cursor(row_factory=class_row(Off))
        .execute(
            """
            WITH counted AS (
                SELECT date_trunc('hour', ts) AS hour, name, bot_score < 50 AS human, count(*) AS events
                  FROM events WHERE ts >= %(start)s AND ts < %(end)s GROUP BY 1, 2, 3
            ), kept AS (
                SELECT hour, name, human, events FROM event_hours
                 WHERE hour >= %(start)s AND hour < %(end)s AND events <> 0
            )
            SELECT jsonb_build_object('hour', hour, 'name', name, 'human', human) AS cell,
                   coalesce(kept.events, 0) AS kept, coalesce(counted.events, 0) AS counted
              FROM counted FULL JOIN kept USING (hour, name, human)
             WHERE kept.events IS DISTINCT FROM counted.events
          ORDER BY hour, name, human
            """,
            {"start": start, "end": end},
        )
        .fetchall()
    )


def repair_hours(tx: Tx, start: datetime, end: datetime) -> None:
    """Drains wait meanwhile: what they have stored and not yet counted, they add to what is counted here."""
    tx.execute("LOCK TABLE event_hours IN SHARE ROW EXCLUSIVE MODE")
    tx.execute(
        "DELETE FROM event_hours WHERE hour >= %(start)s AND hour < %(end)s",
        {"start": start, "end": end},
    )
    tx.execute(
        """
        INSERT INTO event_hours (hour, name, human, events)
        SELECT date_trunc('hour', ts), name, bot_score < 50, count(*)
          FROM events WHERE ts >= %(start)s AND ts < %(end)s GROUP BY 1, 2, 3
        """,
        {"start": start, "end": end},
    )


def interest_off(tx: Tx, start: datetime, end: datetime) -> list[Off]:
    """Cells of `product_hours`, against the notes of trending; `kept` and `counted` are sums over the kinds."""
    return (
        tx.cursor(row_factory=class_row(Off))
        .execute(
            """
            WITH counted AS (
                SELECT product_id, hour, count(*) FILTER (WHERE kind = 'view') AS views,
                       count(*) FILTER (WHERE kind = 'cart') AS carts, count(*) FILTER (WHERE kind = 'order') AS orders
                  FROM product_interest WHERE hour >= %(start)s AND hour < %(end)s GROUP BY 1, 2
            ), kept AS (
                SELECT product_id, hour, views, carts, orders FROM product_hours
                 WHERE hour >= %(start)s AND hour < %(end)s AND views + carts + orders <> 0
            )
            SELECT jsonb_build_object('product_id', product_id, 'hour', hour) AS cell,
                   coalesce(kept.views + kept.carts + kept.orders, 0)::bigint AS kept,
                   coalesce(counted.views + counted.carts + counted.orders, 0) AS counted
              FROM counted FULL JOIN kept USING (product_id, hour)
             WHERE (kept.views, kept.carts, kept.orders) IS DISTINCT FROM
                   (counted.views, counted.carts, counted.orders)
          ORDER BY hour, product_id
            """,
            {"start": start, "end": end},
        )
        .fetchall()
    )


def repair_interest(tx: Tx, start: datetime, end: datetime) -> None:
    tx.execute("LOCK TABLE product_hours IN SHARE ROW EXCLUSIVE MODE")
    tx.execute(
        "DELETE FROM product_hours WHERE hour >= %(start)s AND hour < %(end)s",
        {"start": start, "end": end},
    )
    tx.execute(
        """
        INSERT INTO product_hours (product_id, hour, views, carts, orders)
        SELECT product_id, hour, count(*) FILTER (WHERE kind = 'view'), count(*) FILTER (WHERE kind = 'cart'),
               count(*) FILTER (WHERE kind = 'order')
          FROM product_interest WHERE hour >= %(start)s AND hour < %(end)s GROUP BY 1, 2
        """,
        {"start": start, "end": end},
    )


def note_difference(tx: Tx, *, rollup: str, day: date, off_by: int, off: Sequence[Off], shown: int) -> None:
    """The open note of this rollup and day says what was found last."""
    tx.execute(
        """
        INSERT INTO rollup_differences (rollup, day, differing, off_by, sample)
        VALUES (%(rollup)s, %(day)s, %(differing)s, %(off_by)s, %(sample)s)
            ON CONFLICT (rollup, day) WHERE settled_at IS NULL DO UPDATE
           SET differing = EXCLUDED.differing, off_by = EXCLUDED.off_by, sample = EXCLUDED.sample
        """,
        {
            "rollup": rollup,
            "day": day,
            "differing": len(off),
            "off_by": off_by,
            "sample": Jsonb([one.cell | {"kept": one.kept, "counted": one.counted} for one in off[:shown]]),
        },
    )


def settle_differences(tx: Tx, *, rollup: str, day: date, settled_by: str) -> int:
    return tx.execute(
        """
        UPDATE rollup_differences SET settled_at = now(), settled_by = %(settled_by)s
         WHERE rollup = %(rollup)s AND day = %(day)s AND settled_at IS NULL
        """,
        {"rollup": rollup, "day": day, "settled_by": settled_by},
    ).rowcount


def first_event_day(tx: Tx) -> date | None:
    """The UTC day of the oldest event there is."""
    row = tx.execute("SELECT (min(hour) AT TIME ZONE 'UTC')::date FROM event_hours WHERE events > 0").fetchone()
    return row[0] if row else None
