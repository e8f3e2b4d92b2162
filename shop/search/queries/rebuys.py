"""What people buy again, after how long, and what it is time for."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from db.database import Tx


@dataclass(frozen=True, slots=True)
class Due:
    """Bought so many days ago; half of those who bought it again had done so after `gap_days`."""

    product_id: str
    days: int
    gap_days: float


def replace_rebuys(tx: Tx, *, days: int, people: int, share: float) -> int:
    """From the paid orders of so many days: products that so many people, and such a share of its buyers, bought on
    two days or more. Who said no to personalisation is not counted. Answers how many products.
    """
    tx.execute("DELETE FROM product_rebuys")
    made = tx.execute(
        """
        WITH bought AS (
            SELECT DISTINCT orders.customer_id, lines.product_id, orders.paid_at::date AS day
              FROM orders
              JOIN order_lines lines ON lines.order_id = orders.id
             WHERE orders.paid_at > now() - make_interval(days => %(days)s)
               AND NOT EXISTS (SELECT 1 FROM search_objections no
                                WHERE no.person = hashtextextended('c:' || orders.customer_id, 0))
        ), steps AS (
            SELECT product_id, customer_id,
                   day - lag(day) OVER (PARTITION BY product_id, customer_id ORDER BY day) AS gap
              FROM bought
        )
        INSERT INTO product_rebuys (product_id, buyers, again, gap_days)
        SELECT product_id, count(DISTINCT customer_id), count(DISTINCT customer_id) FILTER (WHERE gap IS NOT NULL),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY gap)
          FROM steps
      GROUP BY product_id
        HAVING count(DISTINCT customer_id) FILTER (WHERE gap IS NOT NULL)
               >= greatest(%(people)s, %(share)s::float8 * count(DISTINCT customer_id))
        """,
        {"days": days, "people": people, "share": share},
    )
    return made.rowcount


def due(tx: Tx, persons: Sequence[str], *, early: float, limit: int) -> list[Due]:
    """What the customer among them bought, and it is time to buy again; the most overdue first. What is long overdue
    they get elsewhere, or need no more: after three times the usual it is asked for no longer.
    """
    return (
        tx.cursor(row_factory=class_row(Due))
        .execute(
            """
            SELECT last.product_id, last.days::integer AS days, again.gap_days
              FROM (SELECT lines.product_id, extract(epoch FROM now() - max(orders.paid_at)) / 86400 AS days
                      FROM orders
                      JOIN order_lines lines ON lines.order_id = orders.id
                     WHERE orders.customer_id = ANY(%(customers)s) AND orders.paid_at IS NOT NULL
                  GROUP BY lines.product_id) last
              JOIN product_rebuys again ON again.product_id = last.product_id
             WHERE last.days BETWEEN again.gap_days * %(early)s::float8 AND again.gap_days * 3
               AND NOT EXISTS (SELECT 1 FROM search_objections
                                WHERE person IN (SELECT hashtextextended(name, 0)
                                                   FROM unnest(%(persons)s::text[]) AS name))
          ORDER BY last.days / again.gap_days DESC, last.product_id
             LIMIT %(limit)s
            """,
            {
                "customers": [person.removeprefix("c:") for person in persons if person.startswith("c:")],
                "persons": list(persons),
                "early": early,
                "limit": limit,
            },
        )
        .fetchall()
    )
