"""Issues the invoice of an order: number and contents in one transaction, then the paper, then the mail."""

from db.database import Database, Tx
from shop.documents.errors import NothingCaptured, NothingToDocument
from shop.documents.numbers import lock_and_time, take
from shop.documents.paper import keep_logo, store_paper
from shop.documents.queries import issue, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import OrderRow
from shop.documents.seller import Seller
from shop.documents.snapshot import as_document, invoice_snapshot
from shop.documents.tax import to_invoice


def invoice(db: Database, seller: Seller, order_id: str) -> str:
    """Issue, draw and have mailed; answers the newest number. Run again, it does what is missing.

    An order that was captured in two steps gets an invoice for each, unless the second came before the first was
    issued. Raises NothingToDocument for an unknown order and NothingCaptured before money was received.
    """
    documents = issue_invoices(db, seller, order_id)
    for document in documents:
        # The first mail is about the order; a later invoice is about itself, or it would seem to have been sent.
        subject_id = order_id if document.part == 1 else document.id
        store_paper(db, document, mail="order_paid", subject_id=subject_id)
    return documents[-1].number


def issue_invoices(db: Database, seller: Seller, order_id: str) -> list[DocumentRow]:
    """The invoices of the order, with one issued now if money is on none. One transaction: no number without contents.

    Raises NothingToDocument or NothingCaptured.
    """
    with db.transaction() as tx:
        order = _paid_order(tx, order_id)
        issued = issue.invoices_of_order(tx, order_id)
        if not to_invoice(tx, order, sources.order_taxes(tx, order_id), issued):
            return issued
        return issue_in(tx, seller, order)


def _paid_order(tx: Tx, order_id: str) -> OrderRow:
    order = sources.order(tx, order_id)
    if order is None:
        raise NothingToDocument(f"there is no order {order_id}")
    if order.amount_captured == 0:
        raise NothingCaptured(f"order {order_id} is {order.status}: no money was received for it")
    return order


def issue_in(tx: Tx, seller: Seller, order: OrderRow) -> list[DocumentRow]:
    """In a transaction of the caller's, which holds the series until it ends; rolled back, nothing happened."""
    lines = sources.order_lines(tx, order.id)
    frozen = sources.order_taxes(tx, order.id)
    keep_logo(tx, seller)
    # From here on others wait, so what does not change has been read before.
    moment = lock_and_time(tx, seller.invoice_series)
    issued = issue.invoices_of_order(tx, order.id)
    parts = to_invoice(tx, order, frozen, issued)
    if not parts:
        return issued
    number = take(tx, seller.invoice_series, moment, seller.zone)
    snapshot = invoice_snapshot(number, seller, order, lines, frozen, parts, issued)
    document = as_document("inv", number, snapshot, part=len(issued) + 1)
    issue.insert_invoice(tx, document)
    return [*issued, document]
