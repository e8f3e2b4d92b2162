"""The books: which entries a change of an order makes necessary. Debit is positive, credit negative.

    sale      customer +total     sales, shipping, tax -total      the customer owes us (at capture, not before)
    capture   stripe +total       customer -total                  and has paid, to Stripe
    fee       fees +fee           stripe -fee
    credit    refunds, tax +x     customer -x                      we owe the customer
    refund    customer +x         stripe -x                        and have paid
    reversal  the last two, with the signs turned, for a refund that bounced
    dispute   disputes +x         stripe -x                        taken by a bank; one entry for the amount, one for
                                                                   the fee, and both the other way when it is won

An authorisation is not booked: nobody owes anybody anything yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from db.database import Tx
from shop.payments.fold import RefundState, State
from shop.payments.pricing import contained_tax
from shop.payments.queries import ledger as books
from shop.payments.rows import Order

Postings = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """A gross amount of an order, divided into what belongs to whom."""

    sales: int
    shipping: int
    tax: int

    def __sub__(self, other: "Parts") -> "Parts":
        return Parts(self.sales - other.sales, self.shipping - other.shipping, self.tax - other.tax)


def book(tx: Tx, order: Order, state: State) -> None:
    """Book what the new state adds to the old one. The caller holds the order's lock; causes are unique besides."""
    if state.captured > order.amount_captured:
        _book_capture(tx, order, state)
    for payment in state.payments:
        if payment.fee is not None and payment.captured > 0:
            _enter(tx, order, "fee", f"fee:{payment.charge_id}", {"fees": payment.fee, "stripe": -payment.fee})
    _book_refunds(tx, order, state)
    _book_disputes(tx, order, state)


def parts(order: Order, gross_minor: int) -> Parts:
    """The first `gross_minor` of the order's total: whole units, and all amounts up to the total add up exactly."""
    total = order.total_minor
    shipping_net = order.shipping_minor - contained_tax(order.shipping_minor, order.tax_rate_percent)
    tax = _share(order.tax_minor, gross_minor, total)
    shipping = _share(shipping_net, gross_minor, total)
    return Parts(sales=gross_minor - tax - shipping, shipping=shipping, tax=tax)


def _share(part: int, of: int, total: int) -> int:
    # Half up in whole numbers; `part` and `of` are never negative.
    return (2 * part * of + total) // (2 * total)


def _book_capture(tx: Tx, order: Order, state: State) -> None:
    taken = state.captured - order.amount_captured
    sold = parts(order, state.captured) - parts(order, order.amount_captured)
    sale = {"customer": taken, "sales": -sold.sales, "shipping": -sold.shipping, "tax": -sold.tax}
    _enter(tx, order, "sale", f"sale:{order.id}:{state.captured}", sale)
    _enter(tx, order, "capture", f"capture:{order.id}:{state.captured}", {"stripe": taken, "customer": -taken})


def _book_refunds(tx: Tx, order: Order, state: State) -> None:
    """One after the other, each from where the one before ended: so that shares of tax never lose a cent."""
    given = order.amount_refunded
    for refund in state.refunds:
        booked = books.refund_is_booked(tx, order.id, refund.key)
        if refund.status == "succeeded" and not booked:
            _book_refund(tx, order, refund, given, given + refund.amount)
            given += refund.amount
        elif refund.status == "failed" and booked:
            _book_refund(tx, order, refund, given, given - refund.amount)
            given -= refund.amount


def _book_refund(tx: Tx, order: Order, refund: RefundState, before: int, after: int) -> None:
    amount = after - before
    given = parts(order, after) - parts(order, before)
    credit = {"refunds": given.sales + given.shipping, "tax": given.tax, "customer": -amount}
    paid = {"customer": amount, "stripe": -amount}
    if amount > 0:
        _enter(tx, order, "credit", f"credit:{order.id}:{refund.key}", credit)
        _enter(tx, order, "refund", f"refund:{order.id}:{refund.key}", paid)
    else:
        _enter(tx, order, "reversal", f"credit reversed:{order.id}:{refund.key}", credit)
        _enter(tx, order, "reversal", f"refund reversed:{order.id}:{refund.key}", paid)


def _book_disputes(tx: Tx, order: Order, state: State) -> None:
    """What the provider moved, movement by movement; what it moved in another currency is not part of these books."""
    for move in (move for dispute in state.disputes for move in dispute.movements):
        if move.currency == order.currency:
            taken, cost = -move.amount, move.fee
            _enter(tx, order, "dispute", f"dispute:{move.id}", {"disputes": taken, "stripe": -taken})
            _enter(tx, order, "dispute", f"dispute fee:{move.id}", {"disputes": cost, "stripe": -cost})


def _enter(tx: Tx, order: Order, kind: str, cause: str, postings: Postings) -> None:
    assert order.currency is not None, "no money moves before there is a price"
    lines = {account: amount for account, amount in postings.items() if amount}
    if lines:
        books.enter(tx, order_id=order.id, kind=kind, cause=cause, currency=order.currency, postings=lines)
