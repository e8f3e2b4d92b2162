"""The books: which entries a change of an order makes necessary. Debit is positive, credit negative.

    sale      customer +total     sales, shipping, tax -total      the customer owes us (at capture, not before)
    capture   stripe +total       customer -total                  and has paid, to Stripe
    fee       fees +fee           stripe -fee
    credit    refunds, tax +x     customer -x                      we owe the customer
    refund    customer +x         stripe -x                        and have paid
    reversal  the last two, with the signs turned, for a refund that bounced
    dispute   disputes +x         stripe -x                        taken by a bank; one entry for the amount, one for
                                                                   the fee, and both the other way when it is won
    authorisation  authorised +total   authorisations -total       held on a card: a promise, in two memo accounts that
                                                                   touch no other; turned when it is captured or ends

What belongs to no order (payouts, Stripe's other fees, money changed into another currency) is in settle.py.
"""

from collections.abc import Mapping, Sequence

from db.database import Tx
from shop.payments.books import taxes
from shop.payments.books.entries import Posting
from shop.payments.orders.fold import RefundState, State
from shop.payments.queries import ledger as books
from shop.payments.queries import taxes as tax_rows
from shop.payments.rows import Order
from shop.tax import Part

Postings = Mapping[str, int]

ENDED = frozenset({"succeeded", "canceled"})
"""Payments that hold nothing on a card any more: what was not captured of them is released."""


def book(tx: Tx, order: Order, state: State) -> None:
    """Book what the new state adds to the old one. The caller holds the order's lock; causes are unique besides."""
    if state.captured > order.amount_captured:
        _book_capture(tx, order, state)
    _book_payments(tx, order, state)
    _book_refunds(tx, order, state)
    _book_disputes(tx, order, state)


def _book_payments(tx: Tx, order: Order, state: State) -> None:
    """Fees and authorisations. Whoever learns only of the capture books the authorisation before it too: the books are
    the same whichever news came first.
    """
    wanted: dict[str, tuple[str, Postings]] = {}
    for payment in state.payments:
        if payment.fee and payment.captured > 0:
            wanted[f"fee:{payment.charge_id}"] = ("fee", {"fees": payment.fee, "stripe": -payment.fee})
        if payment.authorised:
            held = {"authorised": payment.amount, "authorisations": -payment.amount}
            wanted[f"authorised:{payment.id}"] = ("authorisation", held)
            if payment.status in ENDED:
                ended = {account: -amount for account, amount in held.items()}
                wanted[f"authorisation ended:{payment.id}"] = ("authorisation", ended)
    known = books.booked(tx, list(wanted))
    for cause in (cause for cause in wanted if cause not in known):
        _enter(tx, order, wanted[cause][0], cause, wanted[cause][1])


def _book_capture(tx: Tx, order: Order, state: State) -> None:
    taken = state.captured - order.amount_captured
    parts, shipping = taxes.sold(tx, order, taken)
    tax = sum(part.tax_minor for part in parts)
    sale = {"customer": taken, "sales": -(taken - tax - shipping), "shipping": -shipping, "tax": -tax}
    _enter(tx, order, "sale", f"sale:{order.id}:{state.captured}", sale, parts)
    _enter(tx, order, "capture", f"capture:{order.id}:{state.captured}", {"stripe": taken, "customer": -taken})


def _book_refunds(tx: Tx, order: Order, state: State) -> None:
    """Those that bounced first: what they had taken of each rate can be given back again."""
    for refund in state.refunds:
        if refund.status == "failed" and books.refund_is_booked(tx, order.id, refund.key):
            _reverse_refund(tx, order, refund)
    for refund in state.refunds:
        if refund.status == "succeeded" and not books.refund_is_booked(tx, order.id, refund.key):
            _book_refund(tx, order, refund)


def _book_refund(tx: Tx, order: Order, refund: RefundState) -> None:
    parts = taxes.given_back(tx, order, refund)
    tax = sum(part.tax_minor for part in parts)
    credit = {"refunds": refund.amount - tax, "tax": tax, "customer": -refund.amount}
    _enter(tx, order, "credit", f"credit:{order.id}:{refund.key}", credit, [-part for part in parts])
    paid = {"customer": refund.amount, "stripe": -refund.amount}
    _enter(tx, order, "refund", f"refund:{order.id}:{refund.key}", paid)


def _reverse_refund(tx: Tx, order: Order, refund: RefundState) -> None:
    """The credit with its signs turned, to the cent, rate by rate."""
    cause = f"credit:{order.id}:{refund.key}"
    posted = {account: -amount for account, amount in books.postings(tx, cause).items()}
    parts = [-part for part in tax_rows.booked(tx, order.id, cause)]
    _enter(tx, order, "reversal", f"credit reversed:{order.id}:{refund.key}", posted, parts)
    back = {"customer": -refund.amount, "stripe": refund.amount}
    _enter(tx, order, "reversal", f"refund reversed:{order.id}:{refund.key}", back)


def _book_disputes(tx: Tx, order: Order, state: State) -> None:
    """What the provider moved, movement by movement, in the currency in which it moved."""
    for move in (move for dispute in state.disputes for move in dispute.movements):
        taken, cost = -move.amount, move.fee
        amount, fee = {"disputes": taken, "stripe": -taken}, {"disputes": cost, "stripe": -cost}
        _enter(tx, order, "dispute", f"dispute:{move.id}", amount, currency=move.currency)
        _enter(tx, order, "dispute", f"dispute fee:{move.id}", fee, currency=move.currency)


def _enter(
    tx: Tx,
    order: Order,
    kind: str,
    cause: str,
    postings: Postings,
    taxed: Sequence[Part] = (),
    *,
    currency: str | None = None,
) -> None:
    spent = currency or order.currency
    assert spent is not None, "no money moves before there is a price"
    lines = [Posting(account, spent, amount) for account, amount in postings.items() if amount]
    if lines and books.enter(tx, order_id=order.id, kind=kind, cause=cause, lines=lines):
        tax_rows.book(tx, order.id, cause, taxed)
