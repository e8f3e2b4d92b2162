"""Lists of orders: a customer's history, everybody's, and those a person should look at. Newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from db.database import Tx
from db.ids import first_id
from shop.payments.rows import Order


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; None leaves a thing open. `placed_from` counts, `placed_to` does not any more.

    The last two are needs: given both, an order with either is found.
    """

    customer_id: str | None = None
    status: str | None = None
    number: str | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    authorization_expires_within_s: float | None = None
    outcome_unknown: bool = False


def find(tx: Tx, wanted: Filter, *, before_id: str | None, limit: int) -> list[Order]:
    """Each kind of question has a statement that finds its rows by an index of their own."""
    # An order's id begins with the time it was placed, so a span of time is a range of ids.
    ends = [first_id("ord", wanted.placed_to)] if wanted.placed_to else []
    values = {
        "customer_id": wanted.customer_id,
        "status": wanted.status,
        "number": wanted.number,
        "from_id": first_id("ord", wanted.placed_from) if wanted.placed_from else "",
        "before_id": min([*ends, before_id or "~"]),
        "within_s": wanted.authorization_expires_within_s,
        "limit": limit,
    }
    if wanted.outcome_unknown or wanted.authorization_expires_within_s is not None:
        return _in_need(tx, {**values, "unknown": wanted.outcome_unknown})
    if wanted.number is not None:
        return _numbered(tx, values)
    return _of_customer(tx, values) if wanted.customer_id is not None else _of_all(tx, values)


def _of_customer(tx: Tx, values: Mapping[str, object]) -> list[Order]:
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE customer_id = %(customer_id)s AND (%(status)s::text IS NULL OR status = %(status)s)
           AND id >= %(from_id)s AND id < %(before_id)s
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        values,
    ).fetchall()


def _of_all(tx: Tx, values: Mapping[str, object]) -> list[Order]:
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE (%(status)s::text IS NULL OR status = %(status)s) AND id >= %(from_id)s AND id < %(before_id)s
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        values,
    ).fetchall()


def _numbered(tx: Tx, values: Mapping[str, object]) -> list[Order]:
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE number = %(number)s AND (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
           AND id >= %(from_id)s AND id < %(before_id)s
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        values,
    ).fetchall()


def _in_need(tx: Tx, values: Mapping[str, object]) -> list[Order]:
    """A few rows of the partial indexes of open payments and undecided attempts."""
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE id IN (SELECT order_id FROM payments
                       WHERE status = 'requires_capture' AND %(within_s)s::float IS NOT NULL
                         AND capture_before < now() + make_interval(secs => %(within_s)s::float)
                      UNION ALL
                      SELECT order_id FROM provider_attempts
                       WHERE outcome IS NULL AND unknown_since IS NOT NULL AND %(unknown)s)
           AND (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(number)s::text IS NULL OR number = %(number)s)
           AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
           AND id >= %(from_id)s AND id < %(before_id)s
      ORDER BY id DESC
         LIMIT %(limit)s
        """,
        values,
    ).fetchall()
