"""SQL of what closes a day: payouts and disputes, orders that tracking did not see, customers who came back."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from shop.analytics.days import Period


@dataclass(frozen=True, slots=True)
class PaidOut:
    """Payouts to the bank made in a period, one row a currency; `failed` are in `payouts` and not in `amount`."""

    currency: str
    payouts: int
    failed: int
    amount: int


@dataclass(frozen=True, slots=True)
class Disputed:
    """One currency. `opened` in the period; `waiting` for an answer at the moment of reading, the next until `due`."""

    currency: str
    opened: int
    opened_amount: int
    waiting: int
    waiting_amount: int
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Paid orders of a period by the brand of their card and the family of the browser, and for how many of them the
    buyer's pages sent any event."""

    method: str
    browser: str
    orders: int
    tracked: int


@dataclass(frozen=True, slots=True)
class Repurchase:
    """Customers whose first order was in a period, and how many of them ordered again within four weeks of it."""

    customers: int
    again: int


def payouts(tx: Tx, period: Period) -> list[PaidOut]:
    return (
        tx.cursor(row_factory=class_row(PaidOut))
        .execute(
            """
            SELECT currency, count(*)::int AS payouts,
                   count(*) FILTER (WHERE status IN ('failed', 'canceled'))::int AS failed,
                   coalesce(sum(amount_minor) FILTER (WHERE status NOT IN ('failed', 'canceled')), 0)::bigint AS amount
              FROM payouts
             WHERE made_at >= %(start)s AND made_at < %(end)s
          GROUP BY currency ORDER BY currency
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchall()
    )


def disputes(tx: Tx, period: Period) -> list[Disputed]:
    return (
        tx.cursor(row_factory=class_row(Disputed))
        .execute(
            """
            WITH either AS (
                SELECT id FROM disputes WHERE opened_at >= %(start)s AND opened_at < %(end)s
                 UNION
                SELECT id FROM disputes WHERE status IN ('needs_response', 'warning_needs_response')
            ), told AS (
                SELECT currency, amount_minor, evidence_due_at,
                       opened_at >= %(start)s AND opened_at < %(end)s AS fresh,
                       status IN ('needs_response', 'warning_needs_response') AND NOT evidence_submitted AS waiting
                  FROM either JOIN disputes USING (id)
            )
            SELECT currency, count(*) FILTER (WHERE fresh)::int AS opened,
                   coalesce(sum(amount_minor) FILTER (WHERE fresh), 0)::bigint AS opened_amount,
                   count(*) FILTER (WHERE waiting)::int AS waiting,
                   coalesce(sum(amount_minor) FILTER (WHERE waiting), 0)::bigint AS waiting_amount,
                   min(evidence_due_at) FILTER (WHERE waiting) AS due
              FROM told
             WHERE fresh OR waiting
          GROUP BY currency ORDER BY currency
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchall()
    )


def tracked(tx: Tx, period: Period) -> list[Seen]:
    """An order counts as tracked when its visitor, or its customer while signed in, sent an event in the day before it
    was placed; its own facts, which the shop notes by itself, do not count. Most orders first."""
    return (
        tx.cursor(row_factory=class_row(Seen))
        .execute(
            """
            SELECT coalesce(paid_with.card_brand, 'unknown') AS method,
                   coalesce(orders.browser, 'unknown') AS browser, count(*)::int AS orders,
                   count(*) FILTER (WHERE EXISTS (
                       SELECT 1 FROM events
                        WHERE events.visitor_id = orders.visitor_id AND events.source IN ('web', 'app')
                          AND events.ts >= orders.created_at - interval '1 day'
                          AND events.ts < orders.created_at + interval '1 hour'))::int AS tracked
              FROM orders
         LEFT JOIN LATERAL (SELECT card_brand FROM payments
                             WHERE payments.order_id = orders.id
                          ORDER BY captured_minor > 0 DESC, id DESC LIMIT 1) AS paid_with ON true
             WHERE orders.created_at >= %(start)s AND orders.created_at < %(end)s AND orders.paid_at IS NOT NULL
          GROUP BY 1, 2 ORDER BY orders DESC, method, browser
            """,
            {"start": period.start, "end": period.end},
        )
        .fetchall()
    )


def repurchase(tx: Tx, first_orders: Period) -> Repurchase:
    """Only orders that were paid count; the period must have ended four weeks ago for everybody to have had them."""
    found = (
        tx.cursor(row_factory=class_row(Repurchase))
        .execute(
            """
            WITH firsts AS (
                SELECT customer_id, min(created_at) AS at
                  FROM orders
                 WHERE created_at >= %(start)s AND created_at < %(end)s AND paid_at IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM orders AS earlier
                                    WHERE earlier.customer_id = orders.customer_id AND earlier.paid_at IS NOT NULL
                                      AND earlier.created_at < %(start)s)
              GROUP BY customer_id
            )
            SELECT count(*)::int AS customers,
                   count(*) FILTER (WHERE EXISTS (
                       SELECT 1 FROM orders AS later
                        WHERE later.customer_id = firsts.customer_id AND later.paid_at IS NOT NULL
                          AND later.created_at > firsts.at
                          AND later.created_at < firsts.at + interval '28 days'))::int AS again
              FROM firsts
            """,
            {"start": first_orders.start, "end": first_orders.end},
        )
        .fetchone()
    )
    assert found is not None, "an aggregate has one row"
    return found
