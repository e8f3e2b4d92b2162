"""Orders, payments and refunds as the payments area leaves them, for documents to be made of."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from db.database import Database
from shop.documents.invoice import issue_invoices
from shop.documents.letters import Desk
from shop.documents.queries.issue import DocumentRow
from shop.documents.seller import Seller
from shop.ids import new_id

SELLER = Seller("Backroom Shop", "1 Market Street, 10115 Berlin, Germany", "DE000000000", ZoneInfo("Europe/Berlin"))
DESK = Desk(SELLER, report_to="finance@example.com")
ADDRESS = {"name": "Ada Lovelace", "line1": "12 St James's Square", "postal_code": "SW1Y 4LE", "city": "London"}

_numbers = itertools.count(1)


def order(
    db: Database,
    *,
    lines: tuple[tuple[str, int, int], ...] = (("Walnut desk lamp", 2, 4990),),
    shipping: int = 490,
    rate: str = "19",
    captured: int | None = None,
    status: str = "paid",
    reason: str | None = None,
    email: str | None = "ada@example.com",
    currency: str = "eur",
    customer: str = "user_ada",
) -> str:
    """A paid order; `lines` are (name, quantity, unit price)."""
    order_id = new_id("ord")
    subtotal = sum(quantity * price for _, quantity, price in lines)
    total = subtotal + shipping
    tax = total - round(total / (1 + Decimal(rate) / 100))
    captured = total if captured is None else captured
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, email, cart_id, status, status_reason, currency, subtotal_minor,
                                shipping_minor, tax_minor, tax_rate_percent, total_minor, amount_captured,
                                shipping_address, expires_at, paid_at)
            VALUES (%s, %s, %s, 'cart', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now(), %s)
            """,
            (order_id, customer, email, status, reason, currency, subtotal, shipping, tax, rate, total, captured,
             Jsonb(ADDRESS), datetime.now(UTC) if captured else None),
        )  # fmt: skip
        for position, (name, quantity, price) in enumerate(lines, 1):
            tx.execute(
                """
                INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor,
                                         total_minor)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                (new_id("lin"), order_id, position, f"prod_{position}", name, quantity, price, quantity * price),
            )
        tx.execute(
            """
            INSERT INTO payments (id, order_id, intent_id, status, currency, amount_minor, captured_minor, card_brand,
                                  card_last4)
            VALUES (%s, %s, %s, 'succeeded', %s, %s, %s, 'visa', '4242')
            """,
            (new_id("pay"), order_id, f"pi_{next(_numbers)}", currency, total, captured),
        )
    return order_id


def issued(db: Database, order_id: str) -> DocumentRow:
    """The order's newest invoice, issued and not yet drawn."""
    return issue_invoices(db, SELLER, order_id)[-1]


def refund(
    db: Database,
    order_id: str,
    amount: int,
    *,
    status: str = "succeeded",
    lines: tuple[tuple[int, int, int], ...] = (),
    shipping: int = 0,
) -> str:
    """`lines` are (position, quantity, amount)."""
    refund_id = new_id("ref")
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO refunds (id, order_id, payment_id, status, amount_minor, shipping_minor, currency, reason)
            SELECT %s, o.id, p.id, %s, %s, %s, o.currency, 'suspected nonsense'
              FROM orders o JOIN payments p ON p.order_id = o.id
             WHERE o.id = %s
            """,
            (refund_id, status, amount, shipping, order_id),
        )
        for position, quantity, line_amount in lines:
            tx.execute(
                """
                INSERT INTO refund_lines (refund_id, line_id, quantity, amount_minor)
                SELECT %s, id, %s, %s FROM order_lines WHERE order_id = %s AND position = %s
                """,
                (refund_id, quantity, line_amount, order_id, position),
            )
    return refund_id


def report(db: Database, *, drawn: bool = True, final: bool = True) -> str:
    report_id = new_id("rep")
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO reports (id, kind, day, version, as_of, final, snapshot, sha256, pdf, csv, drawn_at)
            VALUES (%s, 'nightly', '2026-11-22', 1, now(), %s, '{}', repeat('a', 64), %s, %s, %s)
            """,
            (report_id, final, b"%PDF-1.7" if drawn else None, b"day,net\n" if drawn else None,
             datetime.now(UTC) if drawn else None),
        )  # fmt: skip
    return report_id
