"""Tax by rate: frozen with the order, and booked with each sale and each credit."""

from collections.abc import Sequence

from psycopg.rows import class_row

from db.database import Tx
from shop.payments.rows import RateWish
from shop.tax import Part, TaxLine


def freeze(tx: Tx, order_id: str, lines: Sequence[TaxLine]) -> None:
    """Once, in the transaction that writes the order's price; the database refuses a change."""
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO order_taxes (order_id, rate_percent, country, goods_minor, shipping_minor, net_minor, tax_minor,
                                     shipping_tax_minor)
            VALUES (%(order_id)s, %(rate)s, %(country)s, %(goods)s, %(shipping)s, %(net)s, %(tax)s, %(shipping_tax)s)
            """,
            [
                {
                    "order_id": order_id,
                    "rate": line.rate_percent,
                    "country": line.country,
                    "goods": line.goods_minor,
                    "shipping": line.shipping_minor,
                    "net": line.net_minor,
                    "tax": line.tax_minor,
                    "shipping_tax": line.shipping_tax_minor,
                }
                for line in lines
            ],
        )


def frozen(tx: Tx, order_id: str) -> list[TaxLine]:
    """Highest rate first; an order of before there were tax lines has one, of its one rate and no known country."""
    return frozen_of(tx, [order_id]).get(order_id, [])


def frozen_of(tx: Tx, order_ids: Sequence[str]) -> dict[str, list[TaxLine]]:
    """The same for several orders; one that has no price yet is not among them."""
    rows = tx.execute(
        """
        SELECT order_id, rate_percent, country, goods_minor, shipping_minor, net_minor, tax_minor, shipping_tax_minor
          FROM order_taxes
         WHERE order_id = ANY(%(ids)s)
        UNION ALL
        SELECT id, tax_rate_percent, 'ZZ', subtotal_minor, shipping_minor, total_minor - tax_minor, tax_minor,
               round(shipping_minor * tax_rate_percent / (100 + tax_rate_percent))::bigint
          FROM orders
         WHERE id = ANY(%(ids)s) AND currency IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM order_taxes WHERE order_id = orders.id)
      ORDER BY 1, 2 DESC
        """,
        {"ids": list(order_ids)},
    ).fetchall()
    found: dict[str, list[TaxLine]] = {}
    for order_id, *values in rows:
        found.setdefault(order_id, []).append(TaxLine(*values))
    return found


def book(tx: Tx, order_id: str, cause: str, parts: Sequence[Part]) -> None:
    """Beside the ledger entry of this cause, which must have been entered now."""
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO booked_taxes (cause, order_id, rate_percent, country, gross_minor, tax_minor)
            VALUES (%(cause)s, %(order_id)s, %(rate)s, %(country)s, %(gross)s, %(tax)s)
            """,
            [
                {
                    "cause": cause,
                    "order_id": order_id,
                    "rate": part.rate_percent,
                    "country": part.country,
                    "gross": part.gross_minor,
                    "tax": part.tax_minor,
                }
                for part in parts
                if part.gross_minor
            ],
        )


def booked(tx: Tx, order_id: str, causes: str) -> list[Part]:
    """What the entries whose cause is like this (`sale:%`) come to, highest rate first."""
    cursor = tx.cursor(row_factory=class_row(Part))
    return cursor.execute(
        """
        SELECT rate_percent, min(country) AS country, sum(gross_minor)::bigint AS gross_minor,
               sum(tax_minor)::bigint AS tax_minor
          FROM booked_taxes
         WHERE order_id = %(order_id)s AND cause LIKE %(causes)s
      GROUP BY rate_percent
      ORDER BY rate_percent DESC
        """,
        {"order_id": order_id, "causes": causes},
    ).fetchall()


def wanted_rates(tx: Tx, refund_id: str) -> list[RateWish]:
    """What a refund gives back for lines it names, by the rate those were sold at."""
    cursor = tx.cursor(row_factory=class_row(RateWish))
    return cursor.execute(
        """
        SELECT l.tax_rate_percent AS rate_percent, sum(r.amount_minor)::bigint AS gross_minor
          FROM refund_lines r
          JOIN order_lines l ON l.id = r.line_id
         WHERE r.refund_id = %(refund_id)s AND l.tax_rate_percent IS NOT NULL
      GROUP BY l.tax_rate_percent
        """,
        {"refund_id": refund_id},
    ).fetchall()
