"""What of each tax rate a document is about: read from the books, which say it once for everybody."""

from collections.abc import Sequence

from db.database import Tx
from shop.documents.errors import CreditTooLarge
from shop.documents.queries import issue, sources
from shop.documents.queries.issue import DocumentRow
from shop.documents.queries.sources import LineRow, OrderRow, RefundRow
from shop.tax import Part, TaxLine, read_part, take


def to_invoice(tx: Tx, order: OrderRow, frozen: Sequence[TaxLine], issued: Sequence[DocumentRow]) -> list[Part]:
    """What was sold by now and is on none of the issued invoices, by rate; nothing left is an empty list."""
    # Sold before the books told rates apart: the same arithmetic on what the order says.
    sold = sources.taxes_sold(tx, order.id) or take([line.part for line in frozen], order.amount_captured)
    left = minus(sold, parts_of(issued))
    return [part for part in left if part.gross_minor] if sum(part.gross_minor for part in left) else []


def to_credit(tx: Tx, refund: RefundRow, lines: Sequence[LineRow], invoices: Sequence[DocumentRow]) -> list[Part]:
    """What the refund gave back, by rate. Raises CreditTooLarge for more than was invoiced and not yet credited."""
    left = minus(parts_of(invoices), issue.credited_so_far(tx, refund.order_id))
    if refund.amount_minor > sum(part.gross_minor for part in left):
        raise CreditTooLarge(f"refund {refund.id} would credit more than {invoices[0].number} was for")
    booked = sources.taxes_credited(tx, refund.id)
    if booked:
        return booked
    wanted = {part.rate_percent: 0 for part in left}
    for line in lines:
        if line.tax_rate_percent is not None and line.tax_rate_percent in wanted:
            wanted[line.tax_rate_percent] += line.total_minor
    return [part for part in take(left, refund.amount_minor, wanted) if part.gross_minor]


def parts_of(documents: Sequence[DocumentRow]) -> list[Part]:
    """What documents say of each rate, together, highest rate first."""
    sums: list[Part] = []
    for document in documents:
        sums = minus(sums, [-read_part(tax) for tax in document.snapshot["taxes"]])
    return sorted(sums, key=lambda part: part.rate_percent, reverse=True)


def minus(parts: Sequence[Part], others: Sequence[Part]) -> list[Part]:
    """Rate by rate; a rate that only the others have counts from nothing."""
    left = {part.rate_percent: part for part in parts}
    for other in others:
        part = left.get(other.rate_percent, Part(other.rate_percent, other.country, 0, 0))
        left[other.rate_percent] = Part(
            part.rate_percent,
            part.country,
            part.gross_minor - other.gross_minor,
            part.tax_minor - other.tax_minor,
        )
    return list(left.values())
