"""SQL of revenue by quarters of an hour: added up anew from the ledger, and compared with it."""

from datetime import datetime

from db.database import Tx


def lock(tx: Tx) -> None:
    """One at a time: two that add up the same quarters would each delete what the other wrote."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('analytics.tally', 0))")


def oldest_entry(tx: Tx) -> datetime | None:
    row = tx.execute("SELECT min(booked_at) FROM ledger_entries").fetchone()
    return row[0] if row else None


def add_up(tx: Tx, *, start: datetime, end: datetime) -> int:
    """Quarters of this span anew from the ledger; answers rows. `start` and `end` begin quarters."""
    tx.execute(
        "DELETE FROM revenue_quarters WHERE booked_at >= %(start)s AND booked_at < %(end)s",
        {"start": start, "end": end},
    )
    return tx.execute(
        """
        INSERT INTO revenue_quarters (booked_at, ordered_at, of_order, currency, gross, refunds, net, goods, shipping,
                                      tax, fees, disputes, sold, returned)
        SELECT date_bin('15 minutes', booked_at, timestamptz '2000-01-01 00:00Z') AS quarter,
               date_bin('15 minutes', coalesce(ordered_at, booked_at), timestamptz '2000-01-01 00:00Z') AS ordered,
               ordered_at IS NOT NULL, currency, sum(gross), sum(refunds), sum(net), sum(goods), sum(shipping),
               sum(tax), sum(fees), sum(disputes), sum(sold), sum(returned)
          FROM revenue_entries
         WHERE booked_at >= %(start)s AND booked_at < %(end)s
      GROUP BY 1, 2, 3, 4
        """,
        {"start": start, "end": end},
    ).rowcount


def different_days(tx: Tx, *, start: datetime, end: datetime) -> list[tuple[str, int, int]]:
    """UTC days of which the quarters differ from the ledger: the day, how many quarters, and the net by which."""
    return tx.execute(
        """
        WITH truth AS (
            SELECT date_bin('15 minutes', booked_at, timestamptz '2000-01-01 00:00Z') AS quarter, currency,
                   sum(gross) AS gross, sum(refunds) AS refunds, sum(net) AS net, sum(shipping) AS shipping,
                   sum(tax) AS tax, sum(fees) AS fees, sum(disputes) AS disputes, sum(sold) AS sold,
                   sum(returned) AS returned
              FROM revenue_entries WHERE booked_at >= %(start)s AND booked_at < %(end)s GROUP BY 1, 2
        ), kept AS (
            SELECT booked_at AS quarter, currency, sum(gross) AS gross, sum(refunds) AS refunds, sum(net) AS net,
                   sum(shipping) AS shipping, sum(tax) AS tax, sum(fees) AS fees, sum(disputes) AS disputes,
                   sum(sold) AS sold, sum(returned) AS returned
              FROM revenue_quarters WHERE booked_at >= %(start)s AND booked_at < %(end)s GROUP BY 1, 2
        )
        SELECT (quarter AT TIME ZONE 'UTC')::date::text AS day, count(*)::int,
               sum(abs(coalesce(kept.net, 0) - coalesce(truth.net, 0)))::bigint
          FROM truth FULL JOIN kept USING (quarter, currency)
         WHERE (truth.gross, truth.refunds, truth.net, truth.shipping, truth.tax, truth.fees, truth.disputes,
                truth.sold, truth.returned)
               IS DISTINCT FROM
               (kept.gross, kept.refunds, kept.net, kept.shipping, kept.tax, kept.fees, kept.disputes, kept.sold,
                kept.returned)
      GROUP BY 1 ORDER BY 1
        """,
        {"start": start, "end": end},
    ).fetchall()


def note_difference(tx: Tx, *, day: str, differing: int, off_by: int) -> None:
    tx.execute(
        """
        INSERT INTO rollup_differences (rollup, day, differing, off_by, sample)
        VALUES ('revenue_quarters', %(day)s, %(differing)s, %(off_by)s, '{}')
            ON CONFLICT (rollup, day) WHERE settled_at IS NULL DO UPDATE
           SET differing = EXCLUDED.differing, off_by = EXCLUDED.off_by, found_at = now()
        """,
        {"day": day, "differing": differing, "off_by": off_by},
    )


def settle_differences(tx: Tx, *, found: list[str]) -> None:
    """Days that were found different before and agree now."""
    tx.execute(
        """
        UPDATE rollup_differences SET settled_at = now(), settled_by = 'analytics.tally'
         WHERE rollup = 'revenue_quarters' AND settled_at IS NULL AND day::text <> ALL(%(found)s)
        """,
        {"found": found},
    )


def move_cursor(tx: Tx, until: datetime) -> None:
    tx.execute(
        """
        INSERT INTO analytics_cursors (name, seen_until) VALUES ('revenue', %(until)s)
            ON CONFLICT (name) DO UPDATE SET seen_until = greatest(analytics_cursors.seen_until, EXCLUDED.seen_until)
        """,
        {"until": until},
    )


def cursor(tx: Tx) -> datetime | None:
    row = tx.execute("SELECT seen_until FROM analytics_cursors WHERE name = 'revenue'").fetchone()
    return row[0] if row else None
