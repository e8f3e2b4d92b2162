"""Our customers as the provider knows them: made when a card is to be saved, and never twice."""

import hashlib

from db.database import Database
from shop.payments.queries import methods
from shop.payments.rows import Order
from shop.ports.gateway import Gateway, GatewayRefused


def ensure(db: Database, gateway: Gateway, customer_id: str) -> str:
    """The provider's id of this customer. Raises GatewayRefused, GatewayUnavailable or OutcomeUnknown.

    The key is the customer's own, so asking twice within a day makes one; later a second one would be harmless,
    because nothing is saved on it before its row is here.
    """
    with db.transaction() as tx:
        known = methods.provider_customer(tx, customer_id)
    if known is not None:
        return known
    # Keys travel in a header, where not every letter of an id would pass.
    digest = hashlib.sha256(customer_id.encode()).hexdigest()
    made = gateway.create_customer(customer_id, key=f"customer-{digest}")
    with db.transaction() as tx:
        return methods.keep_customer(tx, customer_id, made)


def of_order(db: Database, gateway: Gateway, order: Order) -> str | None:
    """For whom the payment is made: those who save a card or have one. Without, a saved card could not pay it."""
    if not order.save_payment_method:
        with db.transaction() as tx:
            return methods.provider_customer(tx, order.customer_id)
    try:
        return ensure(db, gateway, order.customer_id)
    except GatewayRefused:
        return None  # then the card is not saved; the order is worth more than that
