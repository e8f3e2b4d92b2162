"""SQL of interest in products: noted once per visitor, product, kind and hour; heat grows from new notes only."""

from datetime import datetime

from db.database import Tx


def note_from_events(tx: Tx) -> None:
    """From the rows that were just stored (`stored_events` of this transaction)."""
    _prepare(tx)
    tx.execute(
        """
        WITH noted AS (
            INSERT INTO product_interest (product_id, hour, kind, visitor, at)
            SELECT product_id, date_trunc('hour', ts) AS hour,
                   CASE name WHEN 'product_view' THEN 'view' ELSE 'cart' END AS kind,
                   hashtextextended(visitor_id, 0) AS visitor, min(ts)
              FROM stored_events
             WHERE name IN ('product_view', 'cart_add') AND product_id IS NOT NULL AND bot_score < 50
               AND ts > now() - interval '8 days'
          GROUP BY 1, 2, 3, 4
          ORDER BY 1, 2, 3, 4
                ON CONFLICT (product_id, hour, kind, visitor) DO NOTHING
         RETURNING product_id, hour, kind, at
        )
        INSERT INTO new_interest (product_id, hour, kind, at)
        SELECT product_id, hour, kind, at FROM noted
        """
    )
    _count_hours(tx)
    _warm(tx)


def note_paid_orders(tx: Tx, *, since: datetime) -> None:
    """From orders paid since then; one that was noted before is not noted again."""
    _prepare(tx)
    tx.execute(
        """
        WITH noted AS (
            INSERT INTO product_interest (product_id, hour, kind, visitor, at)
            SELECT order_lines.product_id, date_trunc('hour', orders.paid_at), 'order',
                   hashtextextended(CASE WHEN forgotten.order_id IS NULL
                                         THEN coalesce(orders.visitor_id, orders.customer_id)
                                         ELSE orders.id END, 0), min(orders.paid_at)
              FROM orders
              JOIN order_lines ON order_lines.order_id = orders.id
         LEFT JOIN forgotten_orders AS forgotten ON forgotten.order_id = orders.id
             WHERE orders.paid_at >= %(since)s AND length(order_lines.product_id) <= 128
          GROUP BY 1, 2, 3, 4
          ORDER BY 1, 2, 3, 4
                ON CONFLICT (product_id, hour, kind, visitor) DO NOTHING
         RETURNING product_id, hour, kind, at
        )
        INSERT INTO new_interest (product_id, hour, kind, at)
        SELECT product_id, hour, kind, at FROM noted
        """,
        {"since": since},
    )
    _count_hours(tx)
    _warm(tx)


def _prepare(tx: Tx) -> None:
    tx.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS new_interest (
            product_id text NOT NULL, hour timestamptz NOT NULL, kind text NOT NULL, at timestamptz NOT NULL
        ) ON COMMIT DELETE ROWS
        """
    )


def _count_hours(tx: Tx) -> None:
    tx.execute(
        """
        INSERT INTO product_hours AS kept (product_id, hour, views, carts, orders)
        SELECT product_id, hour, count(*) FILTER (WHERE kind = 'view'), count(*) FILTER (WHERE kind = 'cart'),
               count(*) FILTER (WHERE kind = 'order')
          FROM new_interest
      GROUP BY product_id, hour
      ORDER BY product_id, hour
            ON CONFLICT (product_id, hour) DO UPDATE
           SET views = kept.views + EXCLUDED.views,
               carts = kept.carts + EXCLUDED.carts,
               orders = kept.orders + EXCLUDED.orders
        """
    )


def _warm(tx: Tx) -> None:
    """Adds each note's weight (view 1, cart 3, order 8), doubled for every half-life that its moment is later.

    Kept as base 2 logarithm: log2(a + b) = max + log2(1 + 2^-difference). A note two hundred half-lives behind
    adds nothing that could be seen, and the exponent must not leave what a double can hold.
    """
    tx.execute(
        """
        INSERT INTO product_heat AS kept (span, product_id, log_heat, last_at)
        SELECT span, product_id,
               highest + ln(sum(weight * power(2.0::float8, greatest(age - highest, -200)))) / ln(2.0::float8),
               max(at)
          FROM (SELECT spans.span, product_id, at,
                       CASE kind WHEN 'view' THEN 1.0 WHEN 'cart' THEN 3.0 ELSE 8.0 END::float8 AS weight,
                       extract(epoch FROM at - timestamptz '2026-01-01 00:00Z')::float8 / half_life_s AS age,
                       max(extract(epoch FROM at - timestamptz '2026-01-01 00:00Z')::float8 / half_life_s)
                           OVER (PARTITION BY spans.span, product_id) AS highest
                  FROM new_interest
            CROSS JOIN (VALUES ('1h', 1800.0::float8), ('24h', 43200.0), ('7d', 302400.0)) AS spans (span, half_life_s)
               ) AS noted
      GROUP BY span, product_id, highest
      ORDER BY span, product_id
            ON CONFLICT (span, product_id) DO UPDATE
           SET log_heat = greatest(kept.log_heat, EXCLUDED.log_heat)
                          + ln(1 + power(2.0::float8, greatest(-abs(kept.log_heat - EXCLUDED.log_heat), -200)))
                          / ln(2.0::float8),
               last_at = greatest(kept.last_at, EXCLUDED.last_at)
        """
    )
