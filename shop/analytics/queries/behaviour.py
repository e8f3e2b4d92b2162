"""SQL of what people did in a period: visitors, the way to the order, products, searches."""

from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period


@dataclass(frozen=True, slots=True)
class Steps:
    """People (not machines) per step, and orders. A person counts once per step."""

    visitors: int
    viewed: int
    carted: int
    checkout: int
    machines: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Orders placed in the period, and what they came to until now. `new` customers paid for the first time."""

    placed: int
    paid: int
    failed: int
    customers: int
    new_customers: int


@dataclass(frozen=True, slots=True)
class Seller:
    """Sold in paid orders of the period, with tax, after what was refunded line by line; `usual` is the mean of the
    seven days before, in whole minor units."""

    product_id: str
    name: str
    currency: str
    quantity: int
    amount: int
    usual: int


@dataclass(frozen=True, slots=True)
class Returned:
    product_id: str
    name: str
    currency: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Wanted:
    product_id: str
    name: str
    visitors: int


@dataclass(frozen=True, slots=True)
class Searched:
    query: str
    searches: int
    visitors: int


@dataclass(frozen=True, slots=True)
class SearchSums:
    searches: int
    without_result: int
    degraded: int


def steps(tx: Tx, period: Period) -> Steps:
    found = (
        tx.cursor(row_factory=class_row(Steps))
        .execute(
            """
            SELECT count(*) FILTER (WHERE human)::int AS visitors, count(*) FILTER (WHERE viewed)::int AS viewed,
                   count(*) FILTER (WHERE carted)::int AS carted, count(*) FILTER (WHERE checkout)::int AS checkout,
                   count(*) FILTER (WHERE machine)::int AS machines
              FROM (SELECT bool_or(bot_score < 50) AS human, bool_or(bot_score >= 50) AS machine,
                           bool_or(bot_score < 50 AND name = 'product_view') AS viewed,
                           bool_or(bot_score < 50 AND name = 'cart_add') AS carted,
                           bool_or(bot_score < 50 AND name IN ('checkout_start', 'checkout_step')) AS checkout
                      FROM events
                     WHERE ts >= %(start)s AND ts < %(end)s AND source <> 'order'
                  GROUP BY visitor_id) AS visitor
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def placed(tx: Tx, period: Period) -> Placed:
    found = (
        tx.cursor(row_factory=class_row(Placed))
        .execute(
            """
            SELECT count(*)::int AS placed,
                   count(*) FILTER (WHERE paid_at IS NOT NULL)::int AS paid,
                   count(*) FILTER (WHERE status = 'payment_failed')::int AS failed,
                   count(DISTINCT customer_id) FILTER (WHERE paid_at IS NOT NULL)::int AS customers,
                   count(DISTINCT customer_id) FILTER (WHERE paid_at IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM orders AS earlier
                        WHERE earlier.customer_id = orders.customer_id AND earlier.paid_at IS NOT NULL
                          AND earlier.created_at < %(start)s))::int AS new_customers
              FROM orders
             WHERE created_at >= %(start)s AND created_at < %(end)s
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def sellers(tx: Tx, period: Period, week_before: Period, *, limit: int) -> list[Seller]:
    """The strongest by amount first, of each currency."""
    return (
        tx.cursor(row_factory=class_row(Seller))
        .execute(
            """
            WITH sold AS (
                SELECT line.product_id, max(line.name) AS name, orders.currency,
                       sum(line.quantity - coalesce(back.quantity, 0))
                           FILTER (WHERE orders.created_at >= %(start)s) AS quantity,
                       sum(line.total_minor - coalesce(back.amount, 0))
                           FILTER (WHERE orders.created_at >= %(start)s) AS amount,
                       sum(line.total_minor - coalesce(back.amount, 0))
                           FILTER (WHERE orders.created_at < %(start)s) AS before
                  FROM orders
                  JOIN order_lines AS line ON line.order_id = orders.id
        LEFT JOIN LATERAL (SELECT sum(refund_lines.quantity) AS quantity, sum(refund_lines.amount_minor) AS amount
                             FROM refund_lines
                             JOIN refunds ON refunds.id = refund_lines.refund_id AND refunds.status = 'succeeded'
                            WHERE refund_lines.line_id = line.id) AS back ON true
                 WHERE orders.created_at >= %(before)s AND orders.created_at < %(end)s
                   AND orders.paid_at IS NOT NULL AND orders.currency IS NOT NULL
              GROUP BY line.product_id, orders.currency
            )
            SELECT product_id, name, currency, coalesce(quantity, 0)::int AS quantity,
                   coalesce(amount, 0)::bigint AS amount, round(coalesce(before, 0) / 7)::bigint AS usual
              FROM sold
          ORDER BY amount DESC, usual DESC, product_id
             LIMIT %(limit)s
            """,
            {"start": period.start, "end": period.end, "before": week_before.start, "limit": limit},
        )
        .fetchall()
    )


def returned(tx: Tx, period: Period, *, limit: int) -> list[Returned]:
    return (
        tx.cursor(row_factory=class_row(Returned))
        .execute(
            """
            SELECT line.product_id, max(line.name) AS name, refunds.currency,
                   sum(refund_lines.quantity)::int AS quantity, sum(refund_lines.amount_minor)::bigint AS amount
              FROM refunds
              JOIN refund_lines ON refund_lines.refund_id = refunds.id
              JOIN order_lines AS line ON line.id = refund_lines.line_id
             WHERE refunds.updated_at >= %(start)s AND refunds.updated_at < %(end)s AND refunds.status = 'succeeded'
          GROUP BY line.product_id, refunds.currency
          ORDER BY sum(refund_lines.amount_minor) DESC, line.product_id
             LIMIT %(limit)s
            """,
            {"start": period.start, "end": period.end, "limit": limit},
        )
        .fetchall()
    )


def wanted(tx: Tx, period: Period, *, limit: int) -> list[Wanted]:
    """Looked at by people in the period, and not to be had now."""
    return (
        tx.cursor(row_factory=class_row(Wanted))
        .execute(
            """
            SELECT products.id AS product_id, products.name, count(DISTINCT events.visitor_id)::int AS visitors
              FROM events
              JOIN products ON products.id = events.product_id
             WHERE events.ts >= %(start)s AND events.ts < %(end)s AND events.bot_score < 50
               AND events.name IN ('product_view', 'cart_add') AND products.active AND NOT products.available
          GROUP BY products.id, products.name
          ORDER BY visitors DESC, products.id
             LIMIT %(limit)s
            """,
            {"start": period.start, "end": period.end, "limit": limit},
        )
        .fetchall()
    )


def searches(tx: Tx, period: Period) -> SearchSums:
    found = (
        tx.cursor(row_factory=class_row(SearchSums))
        .execute(
            """
            SELECT count(*)::int AS searches, count(*) FILTER (WHERE total = 0)::int AS without_result,
                   count(*) FILTER (WHERE degraded)::int AS degraded
              FROM search_queries
             WHERE searched_at >= %(start)s AND searched_at < %(end)s
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found


def queries_of(tx: Tx, period: Period, *, without_result: bool, limit: int) -> list[Searched]:
    """The most frequent, or the most frequent among those that found nothing."""
    return (
        tx.cursor(row_factory=class_row(Searched))
        .execute(
            """
            SELECT normalised AS query, count(*)::int AS searches,
                   count(DISTINCT coalesce(customer_id, visitor_id, id))::int AS visitors
              FROM search_queries
             WHERE searched_at >= %(start)s AND searched_at < %(end)s AND normalised <> ''
               AND (NOT %(without_result)s OR total = 0)
          GROUP BY normalised
          ORDER BY searches DESC, query
             LIMIT %(limit)s
            """,
            {"start": period.start, "end": period.end, "without_result": without_result, "limit": limit},
        )
        .fetchall()
    )
