"""Orders, refunds and the books as they are shown: several rows put together, nothing changed."""

from dataclasses import dataclass
from datetime import datetime

from db.database import Database
from shop.errors import NotFound
from shop.payments.books.entries import Balance, Entry
from shop.payments.books.proof import Proof, prove
from shop.payments.errors import OrderNotFound
from shop.payments.orders.fold import weight
from shop.payments.queries import attempts, evidence, history, orders, refunds, taxes, watching
from shop.payments.queries import facts as log
from shop.payments.queries import ledger as books
from shop.payments.queries.finding import Filter, find
from shop.payments.rows import Doubt, Line, Moment, Order, Payment, Refund, RefundLine
from shop.tax import TaxLine

UNSETTLED = frozenset({"placing", "capturing"})


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its lines and the payment that counts. `working`: something asked for is not decided yet; `doubts`
    are those of them that the provider took and gave no verdict on.
    """

    order: Order
    lines: tuple[Line, ...]
    payment: Payment | None
    working: bool = False
    taxes: tuple[TaxLine, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen by itself, as far as we know."""
        return not self.working


@dataclass(frozen=True, slots=True)
class RefundView:
    refund: Refund
    customer_id: str
    lines: tuple[RefundLine, ...]

    @property
    def settled(self) -> bool:
        """Whether the provider has taken it on or turned it down; a bank may take days after that."""
        return self.refund.status != "pending" or self.refund.provider_refund_id is not None


def order_view(db: Database, order_id: str) -> OrderView:
    """Raises OrderNotFound."""
    with db.transaction() as tx:
        # Asked before the order is read: what is decided by now shows in it, while the other way round an order could
        # be read old and be taken for settled.
        undecided = attempts.any_undecided(tx, order_id)
        order = orders.order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        lines = orders.lines_of(tx, [order_id])
        payment = _current(log.payments_of(tx, [order_id]))
        doubts = tuple(watching.doubts_of(tx, [order_id])) if undecided else ()
        tax = tuple(taxes.frozen(tx, order_id))
        return OrderView(order, tuple(lines), payment, _is_working(order, undecided=undecided), tax, doubts)


def changed_at(db: Database, order_id: str) -> datetime:
    """When anything was last written to the order: one row by its key. Raises OrderNotFound."""
    with db.transaction() as tx:
        found = orders.changed_at(tx, order_id)
    if found is None:
        raise OrderNotFound(order_id)
    return found


def order_views(db: Database, wanted: Filter, *, before_id: str | None, limit: int) -> list[OrderView]:
    """Newest first, five questions for the whole page."""
    with db.transaction() as tx:
        found = find(tx, wanted, before_id=before_id, limit=limit)
        ids = [order.id for order in found]
        doubts: dict[str, list[Doubt]] = {}
        for doubt in watching.doubts_of(tx, ids):
            doubts.setdefault(doubt.order_id, []).append(doubt)
        tax = taxes.frozen_of(tx, ids)
        lines: dict[str, list[Line]] = {}
        for line in orders.lines_of(tx, ids):
            lines.setdefault(line.order_id, []).append(line)
        payments: dict[str, list[Payment]] = {}
        for payment in log.payments_of(tx, ids):
            payments.setdefault(payment.order_id, []).append(payment)
    return [
        OrderView(
            order,
            tuple(lines.get(order.id, ())),
            _current(payments.get(order.id, [])),
            taxes=tuple(tax.get(order.id, ())),
            doubts=tuple(doubts.get(order.id, ())),
        )
        for order in found
    ]


def refund_view(db: Database, refund_id: str) -> RefundView:
    """Raises NotFound."""
    with db.transaction() as tx:
        refund = refunds.refund(tx, refund_id)
        order = orders.order(tx, refund.order_id) if refund else None
        if refund is None or order is None:
            raise NotFound(f"there is no refund {refund_id}")
        return RefundView(refund, order.customer_id, tuple(refunds.lines_of_refunds(tx, [refund_id])))


def refund_views(db: Database, order_id: str) -> list[RefundView]:
    """Newest first. Raises OrderNotFound."""
    with db.transaction() as tx:
        order = orders.order(tx, order_id)
        if order is None:
            raise OrderNotFound(order_id)
        found = refunds.refunds_of(tx, order_id)
        lines: dict[str, list[RefundLine]] = {}
        for line in refunds.lines_of_refunds(tx, [refund.id for refund in found]):
            lines.setdefault(line.refund_id, []).append(line)
    return [RefundView(refund, order.customer_id, tuple(lines.get(refund.id, ()))) for refund in found]


def requested_refunds(db: Database, *, before_id: str | None, limit: int) -> list[RefundView]:
    """Those that wait for a second person, newest first."""
    with db.transaction() as tx:
        found = refunds.requested(tx, before_id=before_id, limit=limit)
        owners = {refund.order_id: orders.order(tx, refund.order_id) for refund in found}
        lines: dict[str, list[RefundLine]] = {}
        for line in refunds.lines_of_refunds(tx, [refund.id for refund in found]):
            lines.setdefault(line.refund_id, []).append(line)
    return [
        RefundView(refund, order.customer_id, tuple(lines.get(refund.id, ())))
        for refund in found
        if (order := owners[refund.order_id]) is not None
    ]


def balances(db: Database) -> list[Balance]:
    with db.transaction() as tx:
        return books.balances(tx)


def entries(db: Database, *, order_id: str | None, before_id: str | None, limit: int) -> list[list[Entry]]:
    """The lines of each entry together, newest entry first."""
    with db.transaction() as tx:
        lines = books.entries(tx, order_id=order_id, before_id=before_id, limit=limit)
    grouped: dict[str, list[Entry]] = {}
    for line in lines:
        grouped.setdefault(line.id, []).append(line)
    return list(grouped.values())


def verify(db: Database) -> Proof:
    """Recompute every sum and every hash."""
    return prove(db)


def timeline(db: Database, order_id: str) -> list[Moment]:
    """Why the order is as it is, oldest first. Raises OrderNotFound."""
    with db.transaction() as tx:
        if orders.order(tx, order_id) is None:
            raise OrderNotFound(order_id)
        told = [*history.moments(tx, order_id), *evidence.moments(tx, order_id)]
    return sorted(told, key=lambda moment: moment.at)


def _current(payments: list[Payment]) -> Payment | None:
    return max(payments, key=lambda payment: weight(payment.status, payment.intent_id), default=None)


def _is_working(order: Order, *, undecided: bool) -> bool:
    if order.status in UNSETTLED or undecided:
        return True
    return order.status == "authorized" and (order.capture_method == "automatic" or order.stock == "reserved")
