"""Orders and their lines."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.database import Tx
from shop.payments.rows import Line, NewOrder, Order


def clock(tx: Tx) -> datetime:
    """The database's time now: the one clock that all processes share."""
    row = tx.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def insert_order(tx: Tx, order: NewOrder) -> None:
    tx.execute(
        """
        INSERT INTO orders (id, customer_id, email, cart_id, shipping_address, payment_method, save_payment_method,
                            capture_method, visitor_id, search_id, locale, browser, expires_at)
        VALUES (%(id)s, %(customer_id)s, %(email)s, %(cart_id)s, %(shipping_address)s, %(payment_method)s,
                %(save_payment_method)s, %(capture_method)s, %(visitor_id)s, %(search_id)s, %(locale)s,
                %(browser)s, now() + make_interval(secs => %(expires_s)s))
        """,
        {
            "id": order.id,
            "customer_id": order.customer_id,
            "email": order.email,
            "cart_id": order.cart_id,
            "shipping_address": Jsonb(order.shipping_address) if order.shipping_address is not None else None,
            "payment_method": order.payment_method,
            "save_payment_method": order.save_payment_method,
            "capture_method": order.capture_method,
            "visitor_id": order.visitor_id,
            "search_id": order.search_id,
            "locale": order.locale,
            "browser": order.browser,
            "expires_s": order.expires_s,
        },
    )


def order(tx: Tx, order_id: str) -> Order | None:
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE id = %(id)s
        """,
        {"id": order_id},
    ).fetchone()


def changed_at(tx: Tx, order_id: str) -> datetime | None:
    row = tx.execute("SELECT updated_at FROM orders WHERE id = %(id)s", {"id": order_id}).fetchone()
    return row[0] if row else None


def lock_order(tx: Tx, order_id: str) -> Order | None:
    """The order, which nobody else can change until the transaction ends."""
    cursor = tx.cursor(row_factory=class_row(Order))
    return cursor.execute(
        """
        SELECT id, number, customer_id, email, cart_id, status, status_reason, disputed, currency, subtotal_minor,
               shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured, amount_refunded,
               amount_reserved_for_refund, shipping_address, payment_method, save_payment_method, capture_method,
               rejection_code, rejection_detail, reservation_id, stock, visitor_id, search_id, expires_at, paid_at,
               created_at, updated_at
          FROM orders
         WHERE id = %(id)s
           FOR NO KEY UPDATE
        """,
        {"id": order_id},
    ).fetchone()


def save_price(
    tx: Tx,
    order_id: str,
    *,
    email: str | None,
    currency: str,
    subtotal_minor: int,
    shipping_minor: int,
    tax_minor: int,
    tax_rate_percent: Decimal,
    tax_included: bool,
    total_minor: int,
    reservation_id: str,
) -> bool:
    """Write the price once; False if it was written before."""
    updated = tx.execute(
        """
        UPDATE orders
           SET email = coalesce(email, %(email)s), currency = %(currency)s, subtotal_minor = %(subtotal_minor)s,
               shipping_minor = %(shipping_minor)s, tax_minor = %(tax_minor)s, tax_rate_percent = %(rate)s,
               tax_included = %(tax_included)s, total_minor = %(total_minor)s, reservation_id = %(reservation_id)s,
               updated_at = now()
         WHERE id = %(id)s AND status = 'placing' AND currency IS NULL
        """,
        {
            "id": order_id,
            "email": email,
            "currency": currency,
            "subtotal_minor": subtotal_minor,
            "shipping_minor": shipping_minor,
            "tax_minor": tax_minor,
            "rate": tax_rate_percent,
            "tax_included": tax_included,
            "total_minor": total_minor,
            "reservation_id": reservation_id,
        },
    )
    return updated.rowcount == 1


def insert_lines(tx: Tx, lines: Sequence[Line]) -> None:
    with tx.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor, total_minor,
                                     category, tax_rate_percent, tax_minor)
            VALUES (%(id)s, %(order_id)s, %(position)s, %(product_id)s, %(name)s, %(quantity)s, %(unit)s, %(total)s,
                    %(category)s, %(rate)s, %(tax)s)
            """,
            [
                {
                    "id": line.id,
                    "order_id": line.order_id,
                    "position": line.position,
                    "product_id": line.product_id,
                    "name": line.name,
                    "quantity": line.quantity,
                    "unit": line.unit_price_minor,
                    "total": line.total_minor,
                    "category": line.category,
                    "rate": line.tax_rate_percent,
                    "tax": line.tax_minor,
                }
                for line in lines
            ],
        )


def lines_of(tx: Tx, order_ids: Sequence[str]) -> list[Line]:
    cursor = tx.cursor(row_factory=class_row(Line))
    return cursor.execute(
        """
        SELECT id, order_id, position, product_id, name, quantity, unit_price_minor, total_minor, category,
               tax_rate_percent, tax_minor
          FROM order_lines
         WHERE order_id = ANY(%(order_ids)s)
      ORDER BY order_id, position
        """,
        {"order_ids": list(order_ids)},
    ).fetchall()


def save_state(
    tx: Tx,
    order_id: str,
    *,
    before: str,
    status: str,
    status_reason: str | None,
    stock: str,
    rejection_code: str | None,
    rejection_detail: str | None,
    captured: int,
    refunded: int,
    reserved: int,
    disputed: bool,
    declined_tries: int,
) -> bool:
    """Write what the facts add up to. False if the order is no longer where the fold began."""
    updated = tx.execute(
        """
        UPDATE orders
           SET status = %(status)s, status_reason = %(status_reason)s, stock = %(stock)s,
               rejection_code = %(rejection_code)s, rejection_detail = %(rejection_detail)s,
               amount_captured = %(captured)s, amount_refunded = %(refunded)s,
               amount_reserved_for_refund = %(reserved)s, disputed = %(disputed)s,
               declined_tries = %(declined_tries)s,
               paid_at = CASE WHEN %(captured)s > 0 THEN coalesce(paid_at, now()) END,
               updated_at = now()
         WHERE id = %(id)s AND status = %(before)s
        """,
        {
            "id": order_id,
            "before": before,
            "status": status,
            "status_reason": status_reason,
            "stock": stock,
            "rejection_code": rejection_code,
            "rejection_detail": rejection_detail,
            "captured": captured,
            "refunded": refunded,
            "reserved": reserved,
            "disputed": disputed,
            "declined_tries": declined_tries,
        },
    )
    return updated.rowcount == 1


def tell_change(tx: Tx, order_id: str) -> None:
    """Wake whoever waits for this order, once the transaction commits."""
    tx.execute("SELECT pg_notify('orders', %(id)s)", {"id": order_id})
