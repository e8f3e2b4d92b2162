"""SQL of channels: where visitors came from, and what their orders brought by the ledger."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period


@dataclass(frozen=True, slots=True)
class Channel:
    """Visitors by the channel of their first event in the period, how many of their orders of the period were paid, and
    what these brought: whole minor units of one currency, net of tax and refunds. `other_currency_orders` are in
    `orders` and not in `net`."""

    channel: str
    visitors: int
    orders: int
    net: int
    other_currency_orders: int


def channels(tx: Tx, period: Period, *, currency: str, as_of: datetime) -> list[Channel]:
    """Machines are left out. Orders of buyers whose pages sent no event are the channel `untracked`."""
    return (
        tx.cursor(row_factory=class_row(Channel))
        .execute(
            """
            WITH firsts AS (
                SELECT DISTINCT ON (visitor_id) visitor_id, coalesce(channel, 'unknown') AS channel
                  FROM events
                 WHERE ts >= %(start)s AND ts < %(end)s AND bot_score < 50 AND source IN ('web', 'app')
              ORDER BY visitor_id, ts, event_id
            ), paid AS (
                SELECT orders.id, orders.visitor_id, orders.currency
                  FROM orders
                 WHERE created_at >= %(start)s AND created_at < %(end)s AND paid_at IS NOT NULL
            ), worth AS (
                SELECT entry.order_id, -sum(lines.amount_minor) AS net
                  FROM paid
                  JOIN ledger_entries AS entry ON entry.order_id = paid.id AND entry.booked_at < %(as_of)s
                  JOIN ledger_lines AS lines ON lines.entry_id = entry.id
                 WHERE lines.account IN ('sales', 'shipping', 'refunds') AND lines.currency = %(currency)s
              GROUP BY entry.order_id
            ), brought AS (
                SELECT coalesce(firsts.channel, 'untracked') AS channel, count(*) AS orders,
                       coalesce(sum(worth.net), 0) AS net,
                       count(*) FILTER (WHERE paid.currency <> %(currency)s) AS others
                  FROM paid
             LEFT JOIN firsts ON firsts.visitor_id = paid.visitor_id
             LEFT JOIN worth ON worth.order_id = paid.id
              GROUP BY 1
            ), came AS (
                SELECT channel, count(*) AS visitors FROM firsts GROUP BY channel
            )
            SELECT channel, coalesce(came.visitors, 0)::int AS visitors, coalesce(brought.orders, 0)::int AS orders,
                   coalesce(brought.net, 0)::bigint AS net, coalesce(brought.others, 0)::int AS other_currency_orders
              FROM came FULL JOIN brought USING (channel)
          ORDER BY net DESC, visitors DESC, channel
            """,
            {"start": period.start, "end": period.end, "currency": currency, "as_of": as_of},
        )
        .fetchall()
    )
