"""What documents and mails are made of: orders, refunds and reports, whose rows belong to other areas. Reading only."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.rows import class_row

from db.database import Tx
from shop.tax import Part, TaxLine


@dataclass(frozen=True, slots=True)
class OrderRow:
    """Amounts in minor units, gross. The card is that of the payment that was captured, else of the newest."""

    id: str
    number: str
    customer_id: str
    email: str | None
    status: str
    status_reason: str | None
    currency: str | None
    shipping_minor: int
    tax_minor: int
    tax_rate_percent: Decimal
    total_minor: int
    amount_captured: int
    shipping_address: dict[str, Any] | None
    created_at: datetime
    paid_at: datetime | None
    card_brand: str | None
    card_last4: str | None
    decline_message: str | None
    tax_included: bool
    locale: str | None


@dataclass(frozen=True, slots=True)
class LineRow:
    product_id: str
    name: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    tax_rate_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class RefundRow:
    id: str
    order_id: str
    status: str
    amount_minor: int
    shipping_minor: int
    currency: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ReportRow:
    """`final`: the day was over when it was made. `pdf` and `csv` are None until it is drawn."""

    id: str
    kind: str
    day: date
    version: int
    final: bool | None
    pdf: bytes | None
    csv: bytes | None


def order(tx: Tx, order_id: str) -> OrderRow | None:
    cursor = tx.cursor(row_factory=class_row(OrderRow))
    return cursor.execute(
        """
        SELECT o.id, o.number, o.customer_id, o.email, o.status, o.status_reason, o.currency, o.shipping_minor,
               o.tax_minor, o.tax_rate_percent, o.total_minor, o.amount_captured, o.shipping_address, o.created_at,
               o.paid_at, o.tax_included, o.locale, p.card_brand, p.card_last4, p.decline_message
          FROM orders o
          LEFT JOIN LATERAL (
                SELECT card_brand, card_last4, decline_message
                  FROM payments
                 WHERE order_id = o.id
              ORDER BY captured_minor > 0 DESC, id DESC
                 LIMIT 1) p ON true
         WHERE o.id = %(order_id)s
        """,
        {"order_id": order_id},
    ).fetchone()


def order_lines(tx: Tx, order_id: str) -> list[LineRow]:
    cursor = tx.cursor(row_factory=class_row(LineRow))
    return cursor.execute(
        """
        SELECT product_id, name, quantity, unit_price_minor, total_minor, tax_rate_percent
          FROM order_lines
         WHERE order_id = %(order_id)s
      ORDER BY position
        """,
        {"order_id": order_id},
    ).fetchall()


def order_taxes(tx: Tx, order_id: str) -> list[TaxLine]:
    """As frozen when it was placed, highest rate first; one of before has one line of its one rate, of no country."""
    cursor = tx.cursor(row_factory=class_row(TaxLine))
    return cursor.execute(
        """
        SELECT rate_percent, country, goods_minor, shipping_minor, net_minor, tax_minor, shipping_tax_minor
          FROM order_taxes
         WHERE order_id = %(order_id)s
        UNION ALL
        SELECT tax_rate_percent, 'ZZ', subtotal_minor, shipping_minor, total_minor - tax_minor, tax_minor,
               round(shipping_minor * tax_rate_percent / (100 + tax_rate_percent))::bigint
          FROM orders
         WHERE id = %(order_id)s AND NOT EXISTS (SELECT 1 FROM order_taxes WHERE order_id = %(order_id)s)
      ORDER BY 1 DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def taxes_sold(tx: Tx, order_id: str) -> list[Part]:
    """What the books say was sold, by rate; empty for an order sold before they said it."""
    cursor = tx.cursor(row_factory=class_row(Part))
    return cursor.execute(
        """
        SELECT rate_percent, min(country) AS country, sum(gross_minor)::bigint AS gross_minor,
               sum(tax_minor)::bigint AS tax_minor
          FROM booked_taxes
         WHERE order_id = %(order_id)s AND cause LIKE 'sale:%%'
      GROUP BY rate_percent
      ORDER BY rate_percent DESC
        """,
        {"order_id": order_id},
    ).fetchall()


def taxes_credited(tx: Tx, refund_id: str) -> list[Part]:
    """What the books say a refund gave back, by rate; empty for one booked before they said it."""
    cursor = tx.cursor(row_factory=class_row(Part))
    return cursor.execute(
        """
        SELECT t.rate_percent, t.country, -t.gross_minor AS gross_minor, -t.tax_minor AS tax_minor
          FROM refunds r
          JOIN booked_taxes t
            ON t.cause IN ('credit:' || r.order_id || ':' || r.id,
                           'credit:' || r.order_id || ':' || coalesce(r.provider_refund_id, r.id))
         WHERE r.id = %(refund_id)s
      ORDER BY t.rate_percent DESC
        """,
        {"refund_id": refund_id},
    ).fetchall()


def refund(tx: Tx, refund_id: str) -> RefundRow | None:
    cursor = tx.cursor(row_factory=class_row(RefundRow))
    return cursor.execute(
        """
        SELECT id, order_id, status, amount_minor, shipping_minor, currency, updated_at AS decided_at
          FROM refunds
         WHERE id = %(refund_id)s
        """,
        {"refund_id": refund_id},
    ).fetchone()


def refund_lines(tx: Tx, refund_id: str) -> list[LineRow]:
    """`total_minor` is what the refund gave back for the line; it may be less than quantity times price."""
    cursor = tx.cursor(row_factory=class_row(LineRow))
    return cursor.execute(
        """
        SELECT l.product_id, l.name, r.quantity, l.unit_price_minor, r.amount_minor AS total_minor,
               l.tax_rate_percent
          FROM refund_lines r
          JOIN order_lines l ON l.id = r.line_id
         WHERE r.refund_id = %(refund_id)s
      ORDER BY l.position
        """,
        {"refund_id": refund_id},
    ).fetchall()


def report(tx: Tx, report_id: str) -> ReportRow | None:
    cursor = tx.cursor(row_factory=class_row(ReportRow))
    return cursor.execute(
        "SELECT id, kind, day, version, final, pdf, csv FROM reports WHERE id = %(report_id)s", {"report_id": report_id}
    ).fetchone()
