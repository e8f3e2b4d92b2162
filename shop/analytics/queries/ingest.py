"""SQL of the drain: stage, store, account. Everything after the store reads only rows that were really inserted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.events.batches import Batch

StagedRow = tuple[Any, ...]
"""seq, via, then one value per name in `batches.COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of events that were received in one minute, from one kind of sender, by one way."""

    minute: datetime
    sender: str
    via: str
    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    quarantined: int = 0


def new_batches(tx: Tx, batch_ids: Sequence[str]) -> set[str]:
    """Those nobody has stored yet; they count as stored when the caller commits."""
    rows = tx.execute(
        """
        INSERT INTO event_batches (batch_id)
        SELECT DISTINCT batch_id FROM unnest(%(batch_ids)s::text[]) AS batch_id ORDER BY batch_id
            ON CONFLICT (batch_id) DO NOTHING
        RETURNING batch_id
        """,
        {"batch_ids": list(batch_ids)},
    ).fetchall()
    return {row[0] for row in rows}


def prepare_stage(tx: Tx) -> None:
    """Two tables of this connection, emptied by each commit: one made anew per bite would bloat the catalogue."""
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS staged_events (
            seq integer NOT NULL, via text NOT NULL, LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS
        ) ON COMMIT DELETE ROWS
        """
    )
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS stored_events (
            event_id uuid NOT NULL, name text NOT NULL, source text NOT NULL, ts timestamptz NOT NULL,
            visitor_id text NOT NULL, user_id text, product_id text, order_id text, bot_score smallint NOT NULL
        ) ON COMMIT DELETE ROWS
        """
    )


def stage_rows(tx: Tx, rows: Sequence[StagedRow]) -> list[tuple[int, str]]:
    """Copy the rows to the stage; answers `seq` and reason of those it refuses.

    A refused row spoils the whole copy, so the rest is halved until the bad ones stand alone: bad rows are rare.
    """
    if not rows:
        return []
    try:
        with tx.transaction():
            _copy(tx, rows)
        return []
    except (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError) as error:
        if len(rows) == 1:
            return [(rows[0][0], _reason(error))]
    middle = len(rows) // 2
    return stage_rows(tx, rows[:middle]) + stage_rows(tx, rows[middle:])


def _copy(tx: Tx, rows: Sequence[StagedRow]) -> None:
    with (
        tx.cursor() as cursor,
        cursor.copy(
            """
        COPY staged_events (
            seq, via, event_id, name, source, ts, ts_client, sent_at, received_at, clock, visitor_id, user_id,
            session_id, consent, bot_score, bot_reason, path, referrer_host, channel, campaign, device,
            product_id, order_id, search_id, position, quantity, price_minor, currency, props, fingerprint)
        FROM STDIN
        """
        ) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _reason(error: Exception) -> str:
    # The first line names the column or the check; the value itself may be somebody's.
    if isinstance(error, psycopg.Error) and error.diag.constraint_name:
        return f"breaks {error.diag.constraint_name}"
    return f"{type(error).__name__}"


def quarantine(tx: Tx, batch: Batch, *, raw: str, reason: str, events: int = 1, body: bytes | None = None) -> None:
    """One event of the batch, or with its `body` a batch that could not be read, of which `events` are counted."""
    tx.execute(
        """
        INSERT INTO quarantined_events (batch_id, raw, reason, minute, sender, via, events, body)
        VALUES (%(batch_id)s, %(raw)s, %(reason)s, %(minute)s, %(sender)s, %(via)s, %(events)s, %(body)s)
        """,
        {
            "batch_id": batch.id,
            "raw": raw,
            "reason": reason,
            "minute": batch.minute,
            "sender": batch.sender,
            "via": batch.via,
            "events": events,
            "body": body,
        },
    )


def store_staged(tx: Tx) -> None:
    """Insert what is new, in the order of ids: two drains with the same events then wait, they do not deadlock."""
    tx.execute(
        """
        WITH fresh AS (
            INSERT INTO events (
                event_id, name, source, ts, ts_client, sent_at, received_at, clock, visitor_id, user_id,
                session_id, consent, bot_score, bot_reason, path, referrer_host, channel, campaign, device,
                product_id, order_id, search_id, position, quantity, price_minor, currency, props, fingerprint)
            SELECT DISTINCT ON (event_id)
                   event_id, name, source, ts, ts_client, sent_at, received_at, clock, visitor_id, user_id,
                   session_id, consent, bot_score, bot_reason, path, referrer_host, channel, campaign, device,
                   product_id, order_id, search_id, position, quantity, price_minor, currency, props, fingerprint
              FROM staged_events
          ORDER BY event_id, seq
                ON CONFLICT (event_id) DO NOTHING
         RETURNING event_id, name, source, ts, visitor_id, user_id, product_id, order_id, bot_score
        )
        INSERT INTO stored_events
               (event_id, name, source, ts, visitor_id, user_id, product_id, order_id, bot_score)
        SELECT event_id, name, source, ts, visitor_id, user_id, product_id, order_id, bot_score FROM fresh
        """
    )


def outcomes(tx: Tx) -> list[Account]:
    """What became of each staged row. Not the one that was stored: a duplicate if it says the same, else a conflict."""
    return (
        tx.cursor(row_factory=class_row(Account))
        .execute(
            """
            WITH judged AS (
                SELECT date_trunc('minute', staged.received_at) AS minute, staged.source AS sender, staged.via,
                       CASE WHEN staged.nth = 1 AND stored.event_id IS NOT NULL THEN 'stored'
                            WHEN staged.fingerprint = (SELECT fingerprint FROM events
                                                        WHERE events.event_id = staged.event_id) THEN 'duplicate'
                            ELSE 'conflict' END AS outcome
                  FROM (SELECT event_id, received_at, source, via, fingerprint,
                               row_number() OVER (PARTITION BY event_id ORDER BY seq) AS nth
                          FROM staged_events) AS staged
             LEFT JOIN stored_events AS stored USING (event_id)
            )
            SELECT minute, sender, via,
                   count(*) FILTER (WHERE outcome = 'stored') AS stored,
                   count(*) FILTER (WHERE outcome = 'duplicate') AS duplicate,
                   count(*) FILTER (WHERE outcome = 'conflict') AS conflict
              FROM judged
          GROUP BY minute, sender, via
            """
        )
        .fetchall()
    )


def roll_up_hours(tx: Tx) -> None:
    tx.execute(
        """
        INSERT INTO event_hours (hour, name, human, events)
        SELECT date_trunc('hour', ts) AS hour, name, bot_score < 50 AS human, count(*)
          FROM stored_events
      GROUP BY 1, 2, 3
      ORDER BY 1, 2, 3
            ON CONFLICT (hour, name, human) DO UPDATE SET events = event_hours.events + EXCLUDED.events
        """
    )


def touch_visitors(tx: Tx) -> None:
    """Have the visits of whoever did something derived again, from the earliest of it to the latest."""
    tx.execute(
        """
        INSERT INTO visitors_touched (visitor_id, since, until)
        SELECT visitor_id, min(ts), max(ts) FROM stored_events GROUP BY visitor_id
        """
    )


def enter(tx: Tx, accounts: Iterable[Account]) -> None:
    """Add to the conservation ledger; `received` is the sum, and the table refuses anything else."""
    rows = sorted((asdict(account) for account in accounts), key=lambda row: (row["minute"], row["sender"], row["via"]))
    tx.cursor().executemany(
        """
        INSERT INTO ingest_ledger AS kept
               (minute, sender, via, received, stored, duplicate, conflict, rejected, quarantined)
        VALUES (%(minute)s, %(sender)s, %(via)s,
                %(stored)s::bigint + %(duplicate)s + %(conflict)s + %(rejected)s + %(quarantined)s,
                %(stored)s, %(duplicate)s, %(conflict)s, %(rejected)s, %(quarantined)s)
            ON CONFLICT (minute, sender, via) DO UPDATE
           SET received = kept.received + EXCLUDED.received,
               stored = kept.stored + EXCLUDED.stored,
               duplicate = kept.duplicate + EXCLUDED.duplicate,
               conflict = kept.conflict + EXCLUDED.conflict,
               rejected = kept.rejected + EXCLUDED.rejected,
               quarantined = kept.quarantined + EXCLUDED.quarantined
        """,
        rows,
    )


def enter_rejections(tx: Tx, counts: Mapping[tuple[datetime, str], int]) -> None:
    tx.cursor().executemany(
        """
        INSERT INTO ingest_rejections AS kept (minute, code, rejected)
        VALUES (%(minute)s, %(code)s, %(rejected)s)
            ON CONFLICT (minute, code) DO UPDATE SET rejected = kept.rejected + EXCLUDED.rejected
        """,
        [{"minute": minute, "code": code, "rejected": n} for (minute, code), n in sorted(counts.items())],
    )
