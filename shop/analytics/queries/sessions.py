"""SQL of visits: whose are to be derived again, from where to where, and the visits themselves."""

from datetime import datetime

from db.database import Tx


def lock_sessions(tx: Tx) -> None:
    """One at a time: two that derive the same visitor's visits would each delete what the other wrote."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('analytics.sessions', 0))")


def take_touched(tx: Tx, *, limit: int) -> int:
    """The oldest notes, taken out of the list, become bounds. Answers how many were taken.

    A silence stays a border when nothing new lies within half an hour before it, so only the events between the last
    such border before the new events and the first one behind them are read again.
    """
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS session_bounds (
            visitor_id text PRIMARY KEY, start timestamptz NOT NULL, stop timestamptz NOT NULL
        ) ON COMMIT DELETE ROWS
        """
    )
    row = tx.execute(
        """
        WITH taken AS (
            DELETE FROM visitors_touched
             WHERE id = ANY(ARRAY(SELECT id FROM visitors_touched ORDER BY id LIMIT %(limit)s))
            RETURNING visitor_id, since, until
        ), reach AS (
            SELECT visitor_id, min(since) AS since, max(until) AS until FROM taken GROUP BY visitor_id
        ), bound AS (
            INSERT INTO session_bounds (visitor_id, start, stop)
            SELECT visitor_id,
                   coalesce((SELECT max(started_at) FROM sessions
                              WHERE sessions.visitor_id = reach.visitor_id AND after_silence
                                AND started_at <= since), since),
                   coalesce((SELECT min(started_at) FROM sessions
                              WHERE sessions.visitor_id = reach.visitor_id AND after_silence
                                AND started_at > until + interval '30 minutes'), 'infinity')
              FROM reach
        )
        SELECT count(*)::int FROM taken
        """,
        {"limit": limit},
    ).fetchone()
    return row[0] if row else 0


def derive(tx: Tx) -> None:
    """The visits within the bounds, as the events say now.

    The campaign in effect is the last one that was named since the silence; naming another one begins a visit.
    """
    tx.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS new_sessions (LIKE sessions INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
    )
    tx.execute(
        """
        WITH done AS (
            SELECT events.*, coalesce(ts - lag(ts) OVER (PARTITION BY events.visitor_id ORDER BY ts, event_id)
                                      > interval '30 minutes', true) AS silence
              FROM session_bounds JOIN events ON events.visitor_id = session_bounds.visitor_id
             WHERE ts >= start AND ts < stop AND source <> 'order'
        ), chained AS (
            SELECT *, count(*) FILTER (WHERE silence) OVER (PARTITION BY visitor_id ORDER BY ts, event_id) AS chain
              FROM done
        ), counted AS (
            SELECT *, count(campaign) OVER (PARTITION BY visitor_id, chain ORDER BY ts, event_id) AS named FROM chained
        ), carried AS (
            SELECT *, max(campaign) OVER (PARTITION BY visitor_id, chain, named) AS in_effect FROM counted
        ), begun AS (
            SELECT *, silence OR (campaign IS NOT NULL AND campaign IS DISTINCT FROM lag(in_effect) OVER (
                          PARTITION BY visitor_id, chain ORDER BY ts, event_id)) AS begins
              FROM carried
        ), numbered AS (
            SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY visitor_id ORDER BY ts, event_id) AS visit
              FROM begun
        )
        INSERT INTO new_sessions (
            id, visitor_id, user_id, started_at, ended_at, after_silence, entry_path, exit_path, referrer_host,
            channel, campaign, device, country, events, pages, products, carted, checkout, orders, engaged, bot_score)
        SELECT md5(visitor_id || ' ' || (array_agg(event_id ORDER BY ts, event_id))[1])::uuid, visitor_id,
               (array_agg(user_id ORDER BY ts DESC, event_id DESC) FILTER (WHERE user_id IS NOT NULL))[1],
               min(ts), max(ts), bool_or(silence),
               (array_agg(path ORDER BY ts, event_id) FILTER (WHERE path IS NOT NULL))[1],
               (array_agg(path ORDER BY ts DESC, event_id DESC) FILTER (WHERE path IS NOT NULL))[1],
               (array_agg(referrer_host ORDER BY ts, event_id))[1], (array_agg(channel ORDER BY ts, event_id))[1],
               max(in_effect), (array_agg(device ORDER BY ts, event_id))[1],
               (array_agg(country ORDER BY ts, event_id))[1],
               count(*), count(*) FILTER (WHERE name = 'page_view'),
               count(DISTINCT product_id) FILTER (WHERE name = 'product_view'),
               bool_or(name = 'cart_add'), bool_or(name IN ('checkout_start', 'checkout_step')), 0,
               max(ts) - min(ts) >= interval '10 seconds' OR count(*) FILTER (WHERE name = 'page_view') > 1
               OR bool_or(name NOT IN ('page_view', 'product_view', 'list_view', 'experiment_seen', 'consent_set',
                                       'identify')),
               max(bot_score)
          FROM numbered GROUP BY visitor_id, visit
        """
    )


def count_orders(tx: Tx) -> None:
    """An order belongs to the visit that began last before it, if that ended less than half an hour before."""
    tx.execute(
        """
        UPDATE new_sessions SET orders = placed.orders
          FROM (SELECT home.id, count(*) AS orders
                  FROM session_bounds
                  JOIN events ON events.visitor_id = session_bounds.visitor_id AND events.ts >= start
                   AND events.source = 'order' AND events.name = 'order_placed'
    CROSS JOIN LATERAL (SELECT id, ended_at FROM new_sessions
                         WHERE new_sessions.visitor_id = events.visitor_id AND started_at <= events.ts
                      ORDER BY started_at DESC, id LIMIT 1) AS home
                 WHERE events.ts <= home.ended_at + interval '30 minutes'
              GROUP BY home.id) AS placed
         WHERE placed.id = new_sessions.id
        """
    )


def replace(tx: Tx) -> tuple[int, int]:
    """Write the visits derived and delete those within the bounds that merged with others. Answers how many of each."""
    row = tx.execute(
        """
        WITH merged AS (
            DELETE FROM sessions USING session_bounds
             WHERE sessions.visitor_id = session_bounds.visitor_id AND started_at >= start AND started_at < stop
               AND NOT EXISTS (SELECT 1 FROM new_sessions WHERE new_sessions.id = sessions.id)
            RETURNING 1
        ), written AS (
            INSERT INTO sessions (
                id, visitor_id, user_id, started_at, ended_at, after_silence, entry_path, exit_path, referrer_host,
                channel, campaign, device, country, events, pages, products, carted, checkout, orders, engaged,
                bot_score)
            SELECT id, visitor_id, user_id, started_at, ended_at, after_silence, entry_path, exit_path, referrer_host,
                   channel, campaign, device, country, events, pages, products, carted, checkout, orders, engaged,
                   bot_score
              FROM new_sessions ORDER BY id
                ON CONFLICT (id) DO UPDATE
               SET user_id = EXCLUDED.user_id, ended_at = EXCLUDED.ended_at, after_silence = EXCLUDED.after_silence,
                   entry_path = EXCLUDED.entry_path, exit_path = EXCLUDED.exit_path, campaign = EXCLUDED.campaign,
                   events = EXCLUDED.events, pages = EXCLUDED.pages, products = EXCLUDED.products,
                   carted = EXCLUDED.carted, checkout = EXCLUDED.checkout, orders = EXCLUDED.orders,
                   engaged = EXCLUDED.engaged, bot_score = EXCLUDED.bot_score, derived_at = now()
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM written)::int, (SELECT count(*) FROM merged)::int
        """
    ).fetchone()
    return row or (0, 0)


def started(tx: Tx, start: datetime, end: datetime) -> int:
    """Visits of people that began in the time; machines left out."""
    row = tx.execute(
        """
        SELECT count(*)::int FROM sessions
         WHERE started_at >= %(start)s AND started_at < %(end)s AND bot_score < 50
        """,
        {"start": start, "end": end},
    ).fetchone()
    return row[0] if row else 0


def delete_sessions(tx: Tx, *, before: datetime, limit: int) -> int:
    return tx.execute(
        """
        DELETE FROM sessions
         WHERE id = ANY(ARRAY(SELECT id FROM sessions WHERE started_at < %(before)s
                            ORDER BY started_at LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    ).rowcount
