"""Placing an order: cart, prices, goods set aside, payment opened. Each step is recorded before the next is asked."""

from dataclasses import dataclass

from db.database import Database, Tx
from shop.ids import new_id
from shop.money import Money
from shop.payments.cards import customers
from shop.payments.errors import Unplaceable
from shop.payments.orders import attempts, confirm
from shop.payments.orders.facts import apply, payment_seen
from shop.payments.orders.fold import Fact
from shop.payments.orders.pricing import Quote, quote, wanted_lines
from shop.payments.queries import attempts as attempt_rows
from shop.payments.queries import orders, taxes
from shop.payments.rows import Line, Order
from shop.payments.terms import Terms
from shop.ports.gateway import Gateway, GatewayRefused, OutcomeUnknown, PaymentSeen
from shop.ports.neighbours import Carts, OutOfStock, Products, ReservationGone, StockLine, Users


@dataclass(frozen=True, slots=True)
class Shelves:
    """The neighbours an order is made of."""

    carts: Carts
    products: Products
    users: Users


def place(db: Database, gateway: Gateway, shelves: Shelves, terms: Terms, order_id: str) -> str:
    """Take the order from `placing` to `awaiting_payment` or `rejected`; answers the status. Safe to repeat."""
    try:
        order = _priced(db, shelves, terms, order_id)
        if order.status == "placing":
            _reserve(db, shelves.products, terms, order)
            _wish(db, order, customers.of_order(db, gateway, order))
        # Also when news of the payment came before the answer that made it: the answer still decides the attempt.
        _open_payment(db, gateway, terms, order)
    except Unplaceable as no:
        _reject(db, order_id, no)
    return _order(db, order_id).status


def _priced(db: Database, shelves: Shelves, terms: Terms, order_id: str) -> Order:
    """The order with its lines and prices, which are frozen the first time they are read."""
    order = _order(db, order_id)
    if order.status != "placing" or order.currency is not None:
        return order
    _refuse_if_late(db, order)
    cart = shelves.carts.cart(order.cart_id)
    if cart is None or cart.user_id != order.customer_id:
        # Somebody else's cart does not exist: whether it does is nobody's business.
        raise Unplaceable("cart_not_found", f"there is no cart {order.cart_id}")
    wanted = wanted_lines(cart)
    products = {line.product_id: shelves.products.product(line.product_id) for line in wanted}
    priced = quote(cart, wanted, products, terms, sent_to=(order.shipping_address or {}).get("country"))
    email = order.email or _email(shelves.users, order.customer_id)
    with db.transaction() as tx:
        orders.lock_order(tx, order_id)
        if _save_quote(tx, order_id, priced, email):
            apply(tx, order_id, [_quoted(priced, tx)])
    return _order(db, order_id)


def _email(users: Users, customer_id: str) -> str | None:
    user = users.user(customer_id)
    return user.email if user else None


def _save_quote(tx: Tx, order_id: str, priced: Quote, email: str | None) -> bool:
    saved = orders.save_price(
        tx,
        order_id,
        email=email,
        currency=priced.currency,
        subtotal_minor=priced.subtotal_minor,
        shipping_minor=priced.shipping_minor,
        tax_minor=priced.tax_minor,
        tax_rate_percent=priced.tax_rate_percent,
        tax_included=priced.tax_included,
        total_minor=priced.total_minor,
        reservation_id=order_id,
    )
    if saved:
        orders.insert_lines(tx, _lines(order_id, priced))
        taxes.freeze(tx, order_id, priced.taxes)
    return saved


def _lines(order_id: str, priced: Quote) -> list[Line]:
    return [
        Line(
            id=new_id("lin"),
            order_id=order_id,
            position=position,
            product_id=line.product_id,
            name=line.name,
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            total_minor=line.total_minor,
            category=line.category,
            tax_rate_percent=line.tax_rate_percent,
            tax_minor=tax,
        )
        for position, (line, tax) in enumerate(zip(priced.lines, priced.line_taxes(), strict=True), start=1)
    ]


def _quoted(priced: Quote, tx: Tx) -> Fact:
    return Fact(
        kind="order.priced",
        source="system",
        source_key="priced",
        seen_at=orders.clock(tx),
        amount_minor=priced.total_minor,
        currency=priced.currency,
        data={
            "subtotal": priced.subtotal_minor,
            "shipping": priced.shipping_minor,
            "tax": priced.tax_minor,
            "lines": [[line.product_id, line.quantity, line.unit_price_minor] for line in priced.lines],
        },
    )


def _reserve(db: Database, products: Products, terms: Terms, order: Order) -> None:
    if order.stock != "none":
        return
    with db.transaction() as tx:
        lines = [StockLine(line.product_id, line.quantity) for line in orders.lines_of(tx, [order.id])]
    _refuse_if_late(db, order)
    try:
        # The same end at every repeat: the Product service compares.
        products.reserve(order.id, expires_at=order.expires_at + terms.reserved_beyond, lines=lines)
    except (OutOfStock, ReservationGone) as gone:
        raise Unplaceable("out_of_stock", str(gone)) from gone
    with db.transaction() as tx:
        apply(tx, order.id, [_fact(tx, "stock.reserved")])


def _wish(db: Database, order: Order, customer: str | None) -> None:
    body = {"amount": order.total_minor, "currency": order.currency}
    if customer is not None:
        body |= {"customer": customer, "save": order.save_payment_method}
    with db.transaction() as tx:
        now = orders.lock_order(tx, order.id)
        if now is not None and now.status == "placing":
            attempts.ensure(tx, order.id, "create", body)


def _open_payment(db: Database, gateway: Gateway, terms: Terms, order: Order) -> None:
    asking = attempts.begin(db, order.id, "create")
    if asking is None:
        return
    with attempts.in_doubt(db, asking.attempt):
        seen = _ask(db, gateway, order, asking)
    with db.transaction() as tx:
        orders.lock_order(tx, order.id)
        first = attempt_rows.close(tx, asking.attempt.id, outcome="succeeded", provider_object=seen.id)
        fact = payment_seen(seen, source="answer", key=asking.attempt.id, seen_at=asking.asked_at)
        status = apply(tx, order.id, [fact]).state.status
        if first and status == "awaiting_payment" and order.payment_method is not None:
            confirm.wish(tx, order, order.payment_method, terms.return_url, actor=order.customer_id)


def _ask(db: Database, gateway: Gateway, order: Order, asking: attempts.Asking) -> PaymentSeen:
    attempt = asking.attempt
    if asking.look_first:
        found = gateway.find_payment(attempt.id)
        if found is not None:
            return found
        with db.transaction() as tx:
            attempts.renew(tx, attempt, "not found after its key may have been forgotten")
        raise OutcomeUnknown(f"order {order.id}: asking again under a new key")
    amount = Money(attempt.body["amount"], attempt.body["currency"])
    try:
        return gateway.create_payment(
            amount,
            order_id=order.id,
            attempt_id=attempt.id,
            key=attempt.provider_key,
            customer=attempt.body.get("customer"),
            save=attempt.body.get("save", False),
        )
    except GatewayRefused as refused:
        with db.transaction() as tx:
            attempt_rows.close(tx, attempt.id, outcome="refused", error_code=refused.vendor_code, error=str(refused))
        code = "amount_too_small" if refused.vendor_code == "amount_too_small" else "payment_refused"
        raise Unplaceable(code, "the payment provider does not take this payment") from refused
    except OutcomeUnknown as unknown:
        if unknown.replayed:
            with db.transaction() as tx:
                attempts.renew(tx, attempt, str(unknown))
        raise


def _refuse_if_late(db: Database, order: Order) -> None:
    """An order that could not be placed before it expires never will be: the goods are not held that long."""
    with db.transaction() as tx:
        if orders.clock(tx) > order.expires_at:
            raise Unplaceable("expired", "the order could not be placed in time")


def _reject(db: Database, order_id: str, no: Unplaceable) -> None:
    with db.transaction() as tx:
        fact = _fact(tx, "order.rejected", code=no.rejection_code, detail=no.detail)
        apply(tx, order_id, [fact])


def _fact(tx: Tx, kind: str, **data: str) -> Fact:
    return Fact(kind=kind, source="system", source_key=kind, seen_at=orders.clock(tx), data=data)


def _order(db: Database, order_id: str) -> Order:
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
    assert order is not None, "the job was staged in the order's own transaction"
    return order
