"""Documents as issued, for their readers: the list of an order, and one paper by its number."""

from dataclasses import dataclass

from db.database import Database
from shop.documents.errors import NotDrawn
from shop.documents.queries import reading
from shop.documents.queries.reading import IssuedDocument, PaperRow
from shop.errors import NotFound

DRAWN_WITHIN_S = 5
"""What a reader who came too early is told to wait: a paper is drawn within a second once a worker is free."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The bytes as issued; `sha256` (hex) is their digest."""

    number: str
    pdf: bytes
    sha256: str


def owner_of(db: Database, order_id: str) -> str:
    """The customer whose order it is. Raises NotFound."""
    with db.transaction() as tx:
        owner = reading.owner_of_order(tx, order_id)
    if owner is None:
        raise NotFound(f"there is no order {order_id}")
    return owner


def documents_of(db: Database, order_id: str) -> list[IssuedDocument]:
    """Newest first; empty before money was received."""
    with db.transaction() as tx:
        return reading.documents_of_order(tx, order_id)


def owner_of_invoice(db: Database, number: str) -> str:
    """The customer it was issued to. Raises NotFound."""
    with db.transaction() as tx:
        return _known(reading.invoice_owner(tx, number), number)


def owner_of_credit_note(db: Database, number: str) -> str:
    """The customer it was issued to. Raises NotFound."""
    with db.transaction() as tx:
        return _known(reading.credit_note_owner(tx, number), number)


def invoice_paper(db: Database, number: str) -> Paper:
    """Raises NotFound, or NotDrawn in the moment between number and paper."""
    with db.transaction() as tx:
        return _paper(reading.invoice_paper(tx, number), number)


def credit_note_paper(db: Database, number: str) -> Paper:
    """Raises NotFound, or NotDrawn in the moment between number and paper."""
    with db.transaction() as tx:
        return _paper(reading.credit_note_paper(tx, number), number)


def _known(owner: str | None, number: str) -> str:
    if owner is None:
        raise NotFound(f"{number} was never issued")
    return owner


def _paper(row: PaperRow | None, number: str) -> Paper:
    if row is None:
        raise NotDrawn(f"{number} is being drawn", retry_after_s=DRAWN_WITHIN_S)
    return Paper(number, row.pdf, row.sha256.hex())
