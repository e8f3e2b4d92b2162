"""What became of searches: clicks, carts and orders, each joined to the search it came from."""

from datetime import datetime

from db.database import Tx

LEARN_LOCK = 7_305_006
"""The advisory lock of whoever writes outcomes; any number that nobody else uses."""


def lock(tx: Tx) -> None:
    """One writer at a time, until the transaction ends; a first run reads weeks of events."""
    tx.execute("SELECT set_config('statement_timeout', '900s', true), set_config('lock_timeout', '60s', true)")
    tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", {"key": LEARN_LOCK})


def note_clicks(tx: Tx, *, since: datetime) -> int:
    """Of products that a page names together with the search, stored since then.

    The search must be of the same visitor or customer, or of nobody; its log says at which place the product was, and
    the page only where the log ends. Machines are left out.
    """
    noted = tx.execute(
        """
        INSERT INTO search_outcomes AS kept (search_id, product_id, searched_at, position, clicked_at, teaches)
        SELECT s.id, e.product_id, s.searched_at,
               min(coalesce(array_position(s.first_products, e.product_id), nullif(e.position, 0))), min(e.ts),
               bool_and(e.consent IS NULL OR e.consent & 4 = 4)
          FROM events e
          JOIN search_queries s ON s.id = e.search_id
         WHERE e.loaded_at >= %(since)s
           AND e.name IN ('search_click', 'list_click', 'product_view', 'cart_add')
           AND e.search_id IS NOT NULL AND e.product_id IS NOT NULL AND e.bot_score < 50
           AND (e.visitor_id = s.visitor_id OR e.user_id = s.customer_id
                OR (s.visitor_id IS NULL AND s.customer_id IS NULL))
           AND e.ts BETWEEN s.searched_at - interval '5 minutes' AND s.searched_at + interval '1 day'
      GROUP BY s.id, e.product_id
      ORDER BY s.id, e.product_id
            ON CONFLICT (search_id, product_id) DO UPDATE
           SET clicked_at = least(kept.clicked_at, EXCLUDED.clicked_at)
         WHERE kept.clicked_at IS NULL OR kept.clicked_at > EXCLUDED.clicked_at
        """,
        {"since": since},
    )
    return noted.rowcount


def note_carts(tx: Tx, *, since: datetime, days: int) -> int:
    """A product put into the cart is the merit of the person's last search they clicked it in, if that is days ago at
    most.
    """
    noted = tx.execute(
        """
        WITH added AS (
            SELECT last.search_id, e.product_id, min(e.ts) AS ts
              FROM events e
             CROSS JOIN LATERAL (
                   SELECT o.search_id
                     FROM search_queries s
                     JOIN search_outcomes o ON o.search_id = s.id AND o.product_id = e.product_id
                    WHERE (s.visitor_id = e.visitor_id OR s.customer_id = e.user_id)
                      AND o.clicked_at <= e.ts AND o.clicked_at > e.ts - make_interval(days => %(days)s)
                 ORDER BY o.clicked_at DESC, o.search_id DESC
                    LIMIT 1) last
             WHERE e.loaded_at >= %(since)s AND e.name = 'cart_add' AND e.product_id IS NOT NULL AND e.bot_score < 50
          GROUP BY last.search_id, e.product_id
        )
        UPDATE search_outcomes o
           SET carted_at = added.ts
          FROM added
         WHERE o.search_id = added.search_id AND o.product_id = added.product_id
           AND (o.carted_at IS NULL OR o.carted_at > added.ts)
        """,
        {"since": since, "days": days},
    )
    return noted.rowcount


def note_orders(tx: Tx, *, since: datetime, days: int) -> int:
    """A line of an order paid since then is the merit of the last search its product was clicked in, before the order
    was placed; of one search at most, and for good.
    """
    noted = tx.execute(
        """
        WITH bought AS (
            SELECT DISTINCT ON (last.search_id, lines.product_id)
                   last.search_id, lines.product_id, orders.id AS order_id
              FROM orders
              JOIN order_lines lines ON lines.order_id = orders.id
             CROSS JOIN LATERAL (
                   SELECT o.search_id
                     FROM search_queries s
                     JOIN search_outcomes o ON o.search_id = s.id AND o.product_id = lines.product_id
                    WHERE (s.customer_id = orders.customer_id OR s.visitor_id = orders.visitor_id)
                      AND o.clicked_at <= orders.created_at
                      AND o.clicked_at > orders.created_at - make_interval(days => %(days)s)
                 ORDER BY o.clicked_at DESC, o.search_id DESC
                    LIMIT 1) last
             WHERE orders.paid_at >= %(since)s
               AND NOT EXISTS (SELECT 1 FROM search_outcomes told
                                WHERE told.order_id = orders.id AND told.product_id = lines.product_id)
          ORDER BY last.search_id, lines.product_id, orders.created_at
        )
        UPDATE search_outcomes o
           SET order_id = bought.order_id
          FROM bought
         WHERE o.search_id = bought.search_id AND o.product_id = bought.product_id AND o.order_id IS NULL
        """,
        {"since": since, "days": days},
    )
    return noted.rowcount
