"""Clearing the cart of an order that is paid: late is fine, twice is not possible."""

from db.database import Database
from shop.payments.queries import facts as log
from shop.payments.queries import orders
from shop.ports.neighbours import Carts


def clear(db: Database, carts: Carts, order_id: str) -> None:
    """Remove the cart once: what the customer puts into it after that is the next order's."""
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
        done = any(kind == "cart_clear" and done_at for kind, _, _, _, done_at in log.effects_of(tx, order_id))
    if order is None or done:
        return
    carts.clear(order.cart_id)
    with db.transaction() as tx:
        log.end_effect(tx, order_id, "cart_clear")
