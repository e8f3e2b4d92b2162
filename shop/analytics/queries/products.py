"""SQL of how products do: who looked, who put them into the cart, who bought, what came back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from db.database import Tx

Sort = Literal["sold", "units", "buyers", "viewers", "carters", "refunded"]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """People, each once. `sold` and `refunded` in minor units with tax; of orders placed in the range and paid, and
    what came back of them until now. One row for each currency a product was sold in; `currency` None: not sold."""

    product_id: str
    name: str | None
    category: str | None
    currency: str | None
    viewers: int
    carters: int
    buyers: int
    orders: int
    units: int
    returned_units: int
    sold: int
    refunded: int


def products(
    tx: Tx, *, start: datetime, end: datetime, currency: str, sort: Sort, category: str | None, limit: int
) -> list[ProductRow]:
    """The strongest first. Amounts are compared within the shop's currency; others stand behind."""
    return (
        tx.cursor(row_factory=class_row(ProductRow))
        .execute(
            """
            WITH looked AS (
                SELECT product_id, count(DISTINCT visitor_id) FILTER (WHERE name = 'product_view') AS viewers,
                       count(DISTINCT visitor_id) FILTER (WHERE name = 'cart_add') AS carters
                  FROM events
                 WHERE ts >= %(start)s AND ts < %(end)s AND bot_score < 50 AND source <> 'order'
                   AND name IN ('product_view', 'cart_add') AND product_id IS NOT NULL
              GROUP BY product_id
            ), sold AS (
                SELECT line.product_id, orders.currency, max(line.name) AS name,
                       count(DISTINCT orders.customer_id) AS buyers, count(*) AS orders, sum(line.quantity) AS units,
                       sum(line.total_minor) AS sold, sum(back.quantity) AS returned_units,
                       sum(back.amount) AS refunded
                  FROM orders
                  JOIN order_lines AS line ON line.order_id = orders.id
            CROSS JOIN LATERAL (SELECT coalesce(sum(refund_lines.quantity), 0) AS quantity,
                                       coalesce(sum(refund_lines.amount_minor), 0) AS amount
                                  FROM refund_lines
                                  JOIN refunds ON refunds.id = refund_lines.refund_id AND refunds.status = 'succeeded'
                                 WHERE refund_lines.line_id = line.id) AS back
                 WHERE orders.created_at >= %(start)s AND orders.created_at < %(end)s AND orders.paid_at IS NOT NULL
              GROUP BY line.product_id, orders.currency
            ), together AS (
                SELECT product_id, coalesce(products.name, sold.name) AS name, products.category, sold.currency,
                       coalesce(viewers, 0)::int AS viewers, coalesce(carters, 0)::int AS carters,
                       coalesce(buyers, 0)::int AS buyers, coalesce(orders, 0)::int AS orders,
                       coalesce(units, 0)::int AS units, coalesce(returned_units, 0)::int AS returned_units,
                       coalesce(sold, 0)::bigint AS sold, coalesce(refunded, 0)::bigint AS refunded
                  FROM looked FULL JOIN sold USING (product_id) LEFT JOIN products ON products.id = product_id
                 WHERE %(category)s::text IS NULL OR lower(products.category) = lower(%(category)s)
            )
            SELECT product_id, name, category, currency, viewers, carters, buyers, orders, units, returned_units, sold,
                   refunded
              FROM together
          ORDER BY coalesce(currency, %(currency)s) = %(currency)s DESC,
                   CASE %(sort)s WHEN 'units' THEN units WHEN 'buyers' THEN buyers WHEN 'viewers' THEN viewers
                                 WHEN 'carters' THEN carters WHEN 'refunded' THEN refunded ELSE sold END DESC,
                   viewers DESC, product_id, currency
             LIMIT %(limit)s
            """,
            {
                "start": start,
                "end": end,
                "currency": currency,
                "sort": sort,
                "category": category,
                "limit": limit,
            },
        )
        .fetchall()
    )
