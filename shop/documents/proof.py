"""Proves that the numbers have no gap and that nothing issued was changed afterwards."""

from dataclasses import dataclass

from db.database import Database, Tx
from shop.documents.queries import verification
from shop.documents.snapshot import digest

BATCH = 500
"""Snapshots of a few kilobytes each: a page of them is a few megabytes, however many years are verified."""


@dataclass(frozen=True, slots=True)
class Verification:
    """`faults` are sentences, one per broken promise; none means: no gap, no change."""

    documents: int
    faults: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.faults


def verify_numbers(db: Database) -> Verification:
    """Read every issued document and say what is wrong: numbers missing or out of order, contents or files changed."""
    with db.transaction() as tx:
        faults = _faults_of_series(tx) + _faults_of_papers(tx)
    documents = 0
    after = ""
    while page := _page(db, after):
        documents += len(page)
        faults += [sentence for row in page for sentence in _changes(row)]
        after = page[-1].id
    return Verification(documents, tuple(faults))


def _faults_of_series(tx: Tx) -> list[str]:
    gaps = [
        f"{gap.series}-{gap.year}: {gap.documents} documents are numbered {gap.first} to {gap.last}, "
        f"and the counter says {gap.counter}"
        for gap in verification.broken_series(tx)
    ]
    return gaps + [f"{number} is older than the number before it" for number in verification.out_of_order(tx)]


def _faults_of_papers(tx: Tx) -> list[str]:
    return [
        *(f"{number} has no paper" for number in verification.never_drawn(tx)),
        *(f"{document_id} has a paper that is not the one drawn" for document_id in verification.changed_files(tx)),
        *(f"{number} is not for the amount that was captured" for number in verification.other_than_captured(tx)),
        *(f"{number} credits a refund that failed afterwards" for number in verification.credits_of_failed_refunds(tx)),
    ]


def _page(db: Database, after: str) -> list[verification.IssuedRow]:
    with db.transaction() as tx:
        return verification.issued_after(tx, after=after, limit=BATCH)


def _changes(row: verification.IssuedRow) -> list[str]:
    faults: list[str] = []
    if digest(row.snapshot) != row.snapshot_sha256:
        faults.append(f"{row.number} does not say what it said when it was issued")
    said = tuple(row.snapshot.get(key) for key in ("number", "currency", "net_minor", "tax_minor", "total_minor"))
    if said != (row.number, row.currency, row.net_minor, row.tax_minor, row.total_minor):
        faults.append(f"{row.number} has a row that differs from its contents")
    return faults
