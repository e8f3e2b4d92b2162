"""Giving goods back: those still set aside, those already taken out of stock, and those a refund returns."""

from db.database import Database, Tx
from shop.payments.orders.facts import apply
from shop.payments.orders.fold import Fact
from shop.payments.orders.moves import CALLED_OFF
from shop.payments.queries import facts as log
from shop.payments.queries import orders, refundable, refunds
from shop.payments.rows import Order
from shop.ports.neighbours import Products, ReservationGone, StockLine


def release(db: Database, products: Products, order_id: str, refund_id: str | None = None) -> None:
    """Give back the goods of an order that came to nothing, or with `refund_id` those of one refund. Safe to repeat."""
    if refund_id is not None:
        _restock(db, products, order_id, refund_id)
        return
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
        lines = [StockLine(line.product_id, line.quantity) for line in orders.lines_of(tx, [order_id])]
        in_doubt = log.effect_is_open(tx, order_id, "stock_commit")
    if order is None or order.status not in CALLED_OFF:
        return
    if order.stock == "committed" or (order.stock == "reserved" and in_doubt and _is_committed(products, order_id)):
        products.take_back(order_id, lines)
        _done(db, order, "stock.returned")
    elif order.stock == "reserved":
        products.release(order_id)
        _done(db, order, "stock.released")


def _is_committed(products: Products, order_id: str) -> bool:
    """A commit was on its way when the order was called off. Asked for again it is certain, and can be taken back."""
    try:
        products.commit(order_id)
    except ReservationGone:
        return False
    return True


def _done(db: Database, order: Order, kind: str) -> None:
    with db.transaction() as tx:
        orders.lock_order(tx, order.id)
        log.end_effect(tx, order.id, "stock_release")
        apply(tx, order.id, [Fact(kind=kind, source="system", source_key=kind, seen_at=orders.clock(tx))])


def _restock(db: Database, products: Products, order_id: str, refund_id: str) -> None:
    with db.transaction() as tx:
        lines = _refunded_lines(tx, order_id, refund_id)
    if lines:
        products.take_back(refund_id, lines)
    with db.transaction() as tx:
        log.end_effect(tx, order_id, "restock", refund_id)


def _refunded_lines(tx: Tx, order_id: str, refund_id: str) -> list[StockLine]:
    """No piece twice: one whose refund came back is on the shelf all the same when it is refunded once more."""
    bought = {line.id: line for line in orders.lines_of(tx, [order_id])}
    back = refundable.pieces_returned_before(tx, order_id, refund_id)
    found: list[StockLine] = []
    for line in refunds.lines_of_refunds(tx, [refund_id]):
        pieces = min(line.quantity, bought[line.line_id].quantity - back.get(line.line_id, 0))
        if pieces > 0:
            found.append(StockLine(bought[line.line_id].product_id, pieces))
    return found
