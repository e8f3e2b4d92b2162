"""Proves that the numbers have no gap and that nothing issued was changed afterwards."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from db.database import Database, Tx
from shop.documents.paper import drawn_with, logo_of, paper
from shop.documents.queries import verification
from shop.documents.queries.verification import Counter, IssuedRow
from shop.documents.snapshot import digest
from shop.progress import Progress, unheard

BATCH = 200
"""Snapshots of a few kilobytes each: a page of them is about a megabyte, however many years are verified."""

MOST_FAULTS = 1000
"""Where everything is broken, the first thousand sentences say so; the rest is only counted."""


@dataclass(slots=True)
class Verification:
    """`faults` are sentences, one per broken promise, in the order of the numbers; none means: no gap, no change.

    `redrawn` papers were drawn again and came out the same; `of_another_version` were drawn with other templates or
    libraries than are here, so only their digest was compared.
    """

    documents: int = 0
    redrawn: int = 0
    of_another_version: int = 0
    series: dict[str, int] = field(default_factory=dict[str, int])
    faults: list[str] = field(default_factory=list[str])
    more_faults: int = 0

    @property
    def sound(self) -> bool:
        return not self.faults

    def add(self, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)
        else:
            self.more_faults += 1


def verify_numbers(db: Database, *, redraw: bool = False, progress: Progress = unheard) -> Verification:
    """Read every issued document, number by number, and say what is wrong: a number missing, out of order or beyond the
    counter, contents or papers changed, other sums than the books have.

    With `redraw` each paper is drawn again from its contents and must come out to the byte (about 50 ms each).
    """
    found = Verification()
    with db.transaction() as tx:
        total = verification.how_many(tx)
        expected = {(one.series, one.year): one for one in verification.counters(tx)}
    before: IssuedRow | None = None
    for row in _documents(db):
        for fault in (*_faults_of_number(row, before), *_faults_of_contents(row)):
            found.add(fault)
        if redraw:
            _draw_again(db, row, found)
        found.documents += 1
        found.series[f"{row.series}-{row.year}"] = row.serial
        before = row
        progress(found.documents, total)
    for fault in (*_faults_of_counters(expected, found.series), *_faults_of_sums(db)):
        found.add(fault)
    return found


def _documents(db: Database) -> Iterator[IssuedRow]:
    """By series, year and serial; a page at a time, each in a transaction of its own."""
    place = ("", 0, 0)
    while True:
        with db.transaction() as tx:
            page = verification.issued_after(tx, series=place[0], year=place[1], serial=place[2], limit=BATCH)
        yield from page
        if len(page) < BATCH:
            return
        place = (page[-1].series, page[-1].year, page[-1].serial)


def _faults_of_number(row: IssuedRow, before: IssuedRow | None) -> Iterator[str]:
    same_series = before is not None and before.series == row.series
    last = before.serial if before is not None and same_series and before.year == row.year else 0
    if row.serial == last + 2:
        yield f"{_number(row, last + 1)} is missing"
    elif row.serial > last + 1:
        yield f"{_number(row, last + 1)} to {_number(row, row.serial - 1)} are missing"
    if before is not None and same_series and row.issued_at < before.issued_at:
        yield f"{row.number} is older than the number before it"


def _faults_of_contents(row: IssuedRow) -> Iterator[str]:
    if digest(row.snapshot) != row.snapshot_sha256:
        yield f"{row.number} does not say what it said when it was issued"
    said = tuple(row.snapshot.get(key) for key in ("number", "currency", "net_minor", "tax_minor", "total_minor"))
    if said != (row.number, row.currency, row.net_minor, row.tax_minor, row.total_minor):
        yield f"{row.number} has a row that differs from its contents"
    if row.number != _number(row, row.serial):
        yield f"{row.number} is not the number of its place in the series"
    if row.sha256 is None and row.late:
        yield f"{row.number} has no paper"
    if row.sha256 != row.sha256_now:
        yield f"{row.number} has a paper that is not the one drawn"


def _draw_again(db: Database, row: IssuedRow, found: Verification) -> None:
    if row.sha256 is None:
        return
    if row.drawn_with != drawn_with():
        found.of_another_version += 1
        return
    with db.transaction() as tx:
        logo = logo_of(tx, row.snapshot)
    if hashlib.sha256(paper(row.snapshot, row.snapshot_sha256, logo)).digest() == row.sha256:
        found.redrawn += 1
    else:
        found.add(f"{row.number} drawn again is another paper")


def _faults_of_counters(expected: dict[tuple[str, int], Counter], seen: dict[str, int]) -> Iterator[str]:
    names = {f"{series}-{year}": counter.last_serial for (series, year), counter in expected.items()}
    for name in sorted(names | seen):
        counter, last = names.get(name, 0), seen.get(name, 0)
        # Issued while we were reading: the counter was read first, so it may only be behind.
        if counter > last:
            yield f"{name}: the last document is number {last}, and the counter says {counter}"


def _faults_of_sums(db: Database) -> Iterator[str]:
    with db.transaction() as tx:
        yield from _sums(tx)


def _sums(tx: Tx) -> Iterator[str]:
    for number in verification.other_than_captured(tx):
        yield f"{number} is not for the amount that was captured"
    for number in verification.other_tax_than_booked(tx):
        yield f"the documents of order {number} say another tax than the books"
    for number in verification.failed_after_credit(tx):
        yield f"{number} credits a refund that failed afterwards"


def _number(row: IssuedRow, serial: int) -> str:
    return f"{row.series}-{row.year}-{serial:06d}"
