"""Documents as issued, for their readers: the list of an order, and one paper by its number."""

from dataclasses import dataclass
from datetime import datetime

from db.database import Database
from shop.documents.errors import NotDrawn
from shop.documents.queries import reading
from shop.documents.queries.reading import ContentsRow, IssuedDocument, PaperRow
from shop.errors import NotFound

DRAWN_WITHIN_S = 5
"""What a reader who came too early is told to wait: a paper is drawn within a second once a worker is free."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The bytes as issued; `sha256` (hex) is their digest."""

    number: str
    pdf: bytes
    sha256: str


def owner_of_order(db: Database, order_id: str) -> str:
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


def owner_of(db: Database, kind: str, number: str) -> str:
    """The customer it was issued to. `kind` is invoice, credit_note or debit_note. Raises NotFound."""
    with db.transaction() as tx:
        return _known(reading.owner(tx, kind, number), number)


def paper_of(db: Database, kind: str, number: str) -> Paper:
    """Raises NotFound, or NotDrawn in the moment between number and paper."""
    with db.transaction() as tx:
        return _paper(reading.paper(tx, kind, number), number)


def newest(
    db: Database, *, series: str | None = None, before: datetime | None = None, limit: int
) -> list[IssuedDocument]:
    """Newest first, of one series or of all."""
    with db.transaction() as tx:
        return reading.newest(tx, series=series, before=before, limit=limit)


def contents_of(db: Database, number: str) -> ContentsRow:
    """Everything there is of a document: frozen contents, digests, the paper. Raises NotFound."""
    with db.transaction() as tx:
        row = reading.contents(tx, number)
    if row is None:
        raise NotFound(f"{number} was never issued")
    return row


def _known(owner: str | None, number: str) -> str:
    if owner is None:
        raise NotFound(f"{number} was never issued")
    return owner


def _paper(row: PaperRow | None, number: str) -> Paper:
    if row is None:
        raise NotDrawn(f"{number} is being drawn", retry_after_s=DRAWN_WITHIN_S)
    return Paper(number, row.pdf, row.sha256.hex())
