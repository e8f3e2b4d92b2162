"""Issues the invoice of an order: number and contents in one transaction, then the paper, then the mail."""

from db.database import Database, Tx
from shop.documents.errors import NothingCaptured, NothingToDocument
from shop.documents.numbers import lock_and_time, take
from shop.documents.paper import store_paper
from shop.documents.queries import issue, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import OrderRow
from shop.documents.seller import Seller
from shop.documents.snapshot import as_document, invoice_snapshot
from shop.documents.tax import Split, share


def invoice(db: Database, seller: Seller, order_id: str) -> str:
    """Issue, draw and have mailed; answers the number. Run again, it finds what is there and does what is missing.

    Raises NothingToDocument for an unknown order and NothingCaptured before money was received.
    """
    document = issue_invoice(db, seller, order_id)
    store_paper(db, document, mail="order_paid", subject_id=order_id)
    return document.number


def issue_invoice(db: Database, seller: Seller, order_id: str) -> DocumentRow:
    """The invoice of the order, issued now if it was not yet. One transaction: no number without its contents."""
    with db.transaction() as tx:
        existing = issue.invoice_of_order(tx, order_id)
        if existing is not None:
            return existing
        order = _paid_order(tx, order_id)
        return _issue(tx, seller, order)


def _paid_order(tx: Tx, order_id: str) -> OrderRow:
    order = sources.order(tx, order_id)
    if order is None:
        raise NothingToDocument(f"there is no order {order_id}")
    if order.amount_captured == 0:
        raise NothingCaptured(f"order {order_id} is {order.status}: no money was received for it")
    return order


def _issue(tx: Tx, seller: Seller, order: OrderRow) -> DocumentRow:
    lines = sources.order_lines(tx, order.id)
    # From here on others wait, so everything that can be read before has been read.
    moment = lock_and_time(tx, seller.invoice_series)
    existing = issue.invoice_of_order(tx, order.id)
    if existing is not None:
        return existing
    number = take(tx, seller.invoice_series, moment, seller.zone)
    document = as_document("inv", number, invoice_snapshot(number, seller, order, lines, _split(order)))
    issue.insert_invoice(tx, document)
    return document


def _split(order: OrderRow) -> Split:
    """As the books divide it: the captured part of the order holds its share of the order's tax."""
    tax = share(order.tax_minor, order.amount_captured, order.total_minor)
    return Split(order.tax_rate_percent, order.amount_captured, tax)
