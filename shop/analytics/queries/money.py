"""SQL of money: every figure is a sum of ledger lines. Orders only say which day a sale belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period

View = Literal["booking_day", "order_day"]
Group = Literal["method", "country"]


@dataclass(frozen=True, slots=True)
class Moved:
    """One period's money in one currency, whole minor units, income positive.

    `gross` and `refunds` include tax; `net` is income without tax after refunds; `goods` and `shipping` are without
    tax, before refunds; `tax` is what is owed after refunds. `orders` counts sales, `refunded_orders` credits.
    """

    day: date
    currency: str
    gross: int
    refunds: int
    net: int
    goods: int
    shipping: int
    tax: int
    fees: int
    disputes: int
    orders: int
    refunded_orders: int


def moved(tx: Tx, periods: Sequence[Period], *, view: View, as_of: datetime) -> list[Moved]:
    """By `booking_day`: what was booked in each period, whatever day its order is of. By `order_day`: what the orders
    placed in each period are worth by everything booked before `as_of`. Periods in which nothing moved are left out.

    From the quarters that are added up, and from the ledger since. Periods begin and end with quarters of an hour.
    """
    return (
        tx.cursor(row_factory=class_row(Moved))
        .execute(
            MOVED,
            {
                "view": view,
                "days": [period.day for period in periods],
                "starts": [period.start for period in periods],
                "ends": [period.end for period in periods],
                "as_of": as_of,
            },
        )
        .fetchall()
    )


def moved_apart(
    tx: Tx, periods: Sequence[Period], *, view: View, as_of: datetime, group: Group
) -> list[tuple[str, Moved]]:
    """As `moved`, by the brand of the card an order was paid with or by the country it went to; `unknown` where that is
    not known, as for what belongs to no order. From the ledger alone: a question for now and then.
    """
    rows = tx.execute(
        MOVED_APART,
        {
            "view": view,
            "group": group,
            "days": [period.day for period in periods],
            "starts": [period.start for period in periods],
            "ends": [period.end for period in periods],
            "as_of": as_of,
        },
    ).fetchall()
    return [(value, Moved(*figures)) for value, *figures in rows]


MOVED_APART = """
    WITH periods AS (
        SELECT day, starts, ends
          FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
               AS period (day, starts, ends)
    ), parts AS (
        SELECT periods.day, entry.*
          FROM periods
          JOIN revenue_entries AS entry ON entry.booked_at >= periods.starts AND entry.booked_at < periods.ends
         WHERE %(view)s = 'booking_day' AND entry.booked_at < %(as_of)s
     UNION ALL
        SELECT periods.day, entry.*
          FROM periods
          JOIN revenue_entries AS entry ON entry.ordered_at >= periods.starts AND entry.ordered_at < periods.ends
         WHERE %(view)s = 'order_day' AND entry.booked_at < %(as_of)s
    ), told AS (
        SELECT orders.id,
               CASE %(group)s
               WHEN 'country' THEN lower(orders.shipping_address ->> 'country')
               ELSE (SELECT card_brand FROM payments
                      WHERE payments.order_id = orders.id ORDER BY captured_minor > 0 DESC, id DESC LIMIT 1)
               END AS value
          FROM orders WHERE orders.id IN (SELECT order_id FROM parts)
    )
    SELECT coalesce(told.value, 'unknown'), day, currency, sum(gross)::bigint, sum(refunds)::bigint,
           sum(net)::bigint, sum(goods)::bigint, sum(shipping)::bigint, sum(tax)::bigint, sum(fees)::bigint,
           sum(disputes)::bigint, sum(sold)::int, sum(returned)::int
      FROM parts LEFT JOIN told ON told.id = parts.order_id
  GROUP BY 1, day, currency
  ORDER BY day, currency, 1
"""

MOVED = """
    WITH periods AS (
        SELECT day, starts, ends
          FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
               AS period (day, starts, ends)
    ), summed AS (
        SELECT least(coalesce((SELECT seen_until FROM analytics_cursors WHERE name = 'revenue'), '-infinity'),
                     date_bin('15 minutes', %(as_of)s::timestamptz, timestamptz '2000-01-01 00:00Z')) AS until
    ), parts AS (
        SELECT periods.day, kept.currency, kept.gross, kept.refunds, kept.net, kept.goods, kept.shipping, kept.tax,
               kept.fees, kept.disputes, kept.sold, kept.returned
          FROM periods
          JOIN revenue_quarters AS kept ON kept.booked_at >= periods.starts AND kept.booked_at < periods.ends
         WHERE %(view)s = 'booking_day' AND kept.booked_at < (SELECT until FROM summed)
     UNION ALL
        SELECT periods.day, entry.currency, entry.gross, entry.refunds, entry.net, entry.goods, entry.shipping,
               entry.tax, entry.fees, entry.disputes, entry.sold, entry.returned
          FROM periods
          JOIN revenue_entries AS entry ON entry.booked_at >= periods.starts AND entry.booked_at < periods.ends
         WHERE %(view)s = 'booking_day' AND entry.booked_at >= (SELECT until FROM summed)
           AND entry.booked_at < %(as_of)s
     UNION ALL
        SELECT periods.day, kept.currency, kept.gross, kept.refunds, kept.net, kept.goods, kept.shipping, kept.tax,
               kept.fees, kept.disputes, kept.sold, kept.returned
          FROM periods
          JOIN revenue_quarters AS kept ON kept.ordered_at >= periods.starts AND kept.ordered_at < periods.ends
         WHERE %(view)s = 'order_day' AND kept.booked_at < (SELECT until FROM summed) AND kept.of_order
     UNION ALL
        SELECT periods.day, entry.currency, entry.gross, entry.refunds, entry.net, entry.goods, entry.shipping,
               entry.tax, entry.fees, entry.disputes, entry.sold, entry.returned
          FROM periods
          JOIN revenue_entries AS entry ON entry.ordered_at >= periods.starts AND entry.ordered_at < periods.ends
         WHERE %(view)s = 'order_day' AND entry.booked_at >= (SELECT until FROM summed)
           AND entry.booked_at < %(as_of)s
    )
    SELECT day, currency, sum(gross)::bigint AS gross, sum(refunds)::bigint AS refunds, sum(net)::bigint AS net,
           sum(goods)::bigint AS goods, sum(shipping)::bigint AS shipping, sum(tax)::bigint AS tax,
           sum(fees)::bigint AS fees, sum(disputes)::bigint AS disputes, sum(sold)::int AS orders,
           sum(returned)::int AS refunded_orders
      FROM parts
  GROUP BY day, currency
  ORDER BY day, currency
"""
