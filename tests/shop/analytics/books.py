"""Products, paid orders and refunds as the other areas leave them in their tables, with the books that go with them."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from db.database import Database, Tx
from shop.ids import new_id


def product(
    db: Database, product_id: str, *, category: str = "Shoes", stock: int | None = 5, active: bool = True
) -> None:
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO products (id, name, category, price, currency, stock, active, row_hash, content_hash)"
            " VALUES (%(id)s, %(name)s, %(category)s, 1000, 'eur', %(stock)s, %(active)s, %(hash)s, %(hash)s)",
            {
                "id": product_id,
                "name": f"The {product_id}",
                "category": category,
                "stock": stock,
                "active": active,
                "hash": b"0" * 16,
            },
        )


def paid_order(
    db: Database,
    lines: Sequence[tuple[str, int, int]] = (("p1", 1, 11900),),
    *,
    at: datetime,
    booked_at: datetime | None = None,
    shipping: int = 0,
    fee: int = 0,
    currency: str = "eur",
    customer: str = "cust",
    visitor: str | None = None,
) -> str:
    """`lines`: product, quantity, gross unit price. 19 % tax is a part of the prices."""
    order_id = new_id("ord")
    goods = sum(quantity * price for _, quantity, price in lines)
    total = goods + shipping
    tax = total - round(total / 1.19)
    shipping_net = shipping - round(shipping * 19 / 119)
    with db.transaction() as tx:
        tx.execute(
            "INSERT INTO orders (id, customer_id, visitor_id, cart_id, status, currency, subtotal_minor, shipping_minor,"
            " tax_minor, total_minor, amount_captured, expires_at, paid_at, created_at, updated_at)"
            " VALUES (%(id)s, %(customer)s, %(visitor)s, 'cart', 'paid', %(currency)s, %(goods)s, %(shipping)s, %(tax)s,"
            " %(total)s, %(total)s, %(at)s, %(at)s, %(at)s, %(at)s)",
            {
                "id": order_id,
                "customer": customer,
                "visitor": visitor,
                "currency": currency,
                "goods": goods,
                "shipping": shipping,
                "tax": tax,
                "total": total,
                "at": at,
            },
        )
        for position, (product_id, quantity, price) in enumerate(lines, start=1):
            tx.execute(
                "INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor, total_minor)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (new_id("lin"), order_id, position, product_id, f"The {product_id}", quantity, price, quantity * price),
            )
        moment = booked_at or at
        sale = {"customer": total, "sales": -(total - tax - shipping_net), "shipping": -shipping_net, "tax": -tax}
        book(tx, "sale", sale, currency=currency, order_id=order_id, at=moment)
        book(tx, "capture", {"stripe": total, "customer": -total}, currency=currency, order_id=order_id, at=moment)
        if fee:
            book(tx, "fee", {"fees": fee, "stripe": -fee}, currency=currency, order_id=order_id, at=moment)
    return order_id


def refund(db: Database, order_id: str, amount: int, *, at: datetime, currency: str = "eur") -> None:
    tax = amount - round(amount / 1.19)
    with db.transaction() as tx:
        book(
            tx,
            "credit",
            {"refunds": amount - tax, "tax": tax, "customer": -amount},
            currency=currency,
            order_id=order_id,
            at=at,
        )
        book(
            tx,
            "refund",
            {"customer": amount, "stripe": -amount},
            currency=currency,
            order_id=order_id,
            at=at + timedelta(seconds=1),
        )


def book(tx: Tx, kind: str, lines: Mapping[str, int], *, currency: str, order_id: str, at: datetime) -> None:
    entry_id = new_id("ent")
    kept = {account: amount for account, amount in lines.items() if amount}
    words = ",".join(f"{account}:{currency}:{amount}" for account, amount in sorted(kept.items()))
    tx.execute(
        "INSERT INTO ledger_entries (id, chain, seq, order_id, kind, cause, lines_hash, booked_at, prev_hash, hash)"
        " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, '', '')",
        (entry_id, order_id, order_id, kind, f"{kind} {entry_id}", hashlib.sha256(words.encode()).digest(), at),
    )
    for account, amount in kept.items():
        tx.execute(
            "INSERT INTO ledger_lines (entry_id, account, currency, amount_minor) VALUES (%s, %s, %s, %s)",
            (entry_id, account, currency, amount),
        )
