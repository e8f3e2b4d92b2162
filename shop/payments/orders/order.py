"""Opening an order: the row and the job that will place it, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db import outbox
from db.database import Database
from shop import jobs
from shop.ids import new_id
from shop.payments.clocks.guards import Guards
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.queries import orders
from shop.payments.rows import NewOrder, Order
from shop.payments.terms import Terms


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer sends: which cart, and how it shall be paid. Never a price."""

    customer_id: str
    cart_id: str
    email: str | None = None
    shipping_address: Mapping[str, Any] | None = None
    payment_method: str | None = None
    save_payment_method: bool = False
    visitor_id: str | None = None
    search_id: str | None = None
    locale: str | None = None
    browser: str | None = None


def open_order(db: Database, terms: Terms, wish: Wish, guards: Guards | None = None) -> Order:
    """An order in state `placing`. What it costs, and whether it can be had, the job finds out.

    Raises what the guards raise where there are any.
    """
    order_id = new_id("ord")
    with db.transaction() as tx:
        if guards is not None:
            guards.check_new_order(tx, wish.customer_id)
        orders.insert_order(
            tx,
            NewOrder(
                id=order_id,
                customer_id=wish.customer_id,
                email=wish.email,
                cart_id=wish.cart_id,
                shipping_address=wish.shipping_address,
                payment_method=wish.payment_method,
                save_payment_method=wish.save_payment_method,
                capture_method=terms.capture,
                visitor_id=wish.visitor_id,
                search_id=wish.search_id,
                locale=wish.locale,
                browser=wish.browser,
                expires_s=terms.expires.total_seconds(),
            ),
        )
        apply(tx, order_id, [_opened(wish, orders.clock(tx))])
        outbox.stage(tx, jobs.PLACE_ORDER, unique_key=f"{jobs.PLACE_ORDER.name}:{order_id}", order_id=order_id)
        order = orders.order(tx, order_id)
        assert order is not None, "it was inserted in this transaction"
        return order


def _opened(wish: Wish, at: datetime) -> Fact:
    return Fact(
        kind="order.opened",
        source="customer",
        source_key="opened",
        seen_at=at,
        actor=wish.customer_id,
        data={"cart_id": wish.cart_id, "payment_method": wish.payment_method},
    )
