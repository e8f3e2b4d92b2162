"""Proving that nobody changed the books or the log: sums and hashes recomputed, a stretch of chains at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from db.database import Database, Tx
from shop.payments.books.sealing import digest_of_day
from shop.payments.queries import day_balances, orders, proving
from shop.payments.queries.proving import Stretch
from shop.progress import Progress, unheard

STRETCH = 500
"""Orders checked in one transaction: some 10,000 rows, a fraction of a second."""

RECENT_MAX = 1_000
"""Chains that a request checks at most, a few seconds; a busier day is left to the job, and the answer says so."""

DIGESTS_PAGE = 400
"""A year of days and a month."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check found; everything is in order when `faults` is empty.

    `since` None: everything was checked. Else: what was written since then, the seals of all days, and that the newest
    sealed day still is what was sealed. `complete` is False if there was more than a request may check. `head` is the
    newest day's digest as text: whoever notes it down can prove later that nothing before it was changed.
    """

    entries: int
    lines: int
    facts: int
    faults: tuple[tuple[str, str], ...]
    checked_at: datetime
    digests: int = 0
    head: str | None = None
    since: datetime | None = None
    complete: bool = True


def prove(db: Database, progress: Progress = unheard) -> Proof:
    """Check everything there is, in bounded memory: chains, sums, orders against books, seals against rows."""
    found: list[tuple[str, str]] = []
    sizes, after, done = [0, 0, 0], "", 0
    with db.transaction() as tx:
        total = proving.number_of_orders(tx)
    while True:
        with db.transaction() as tx:
            until = proving.end_of_stretch(tx, after, orders=STRETCH)
            _check(tx, Stretch(after, until), found, sizes)
        done += STRETCH
        progress(min(done, total), total)
        if until is None:
            break
        after = until
    sealed, head = _check_seals(db, found, every_day=True, progress=progress)
    with db.transaction() as tx:
        now = orders.clock(tx)
    return Proof(sizes[0], sizes[1], sizes[2], tuple(found), now, sealed, head)


def prove_recent(db: Database) -> Proof:
    """What a request can check: see Proof. Without any seal yet, the shop is young and everything is recent."""
    found: list[tuple[str, str]] = []
    sizes = [0, 0, 0]
    with db.transaction() as tx:
        now = orders.clock(tx)
        newest = next(iter(proving.digests(tx, before=None, limit=1)), None)
        since = datetime.combine(newest.day + timedelta(days=1), time(), UTC) if newest else None
        chains = proving.touched(tx, since=since or datetime.min.replace(tzinfo=UTC), after="", limit=RECENT_MAX + 1)
        for chain in chains[:RECENT_MAX]:
            _check(tx, Stretch(*_just(chain)), found, sizes)
    sealed, head = _check_seals(db, found, every_day=False)
    return Proof(sizes[0], sizes[1], sizes[2], tuple(found), now, sealed, head, since, len(chains) <= RECENT_MAX)


def _just(chain: str) -> tuple[str, str]:
    """The stretch that holds one chain alone: from just before its name up to it."""
    return chain[:-1], chain


def _check(tx: Tx, stretch: Stretch, found: list[tuple[str, str]], sizes: list[int]) -> None:
    for kind, names in (
        ("unbalanced", proving.unbalanced(tx, stretch)),
        ("entry_changed", proving.broken_entries(tx, stretch)),
        ("fact_changed", proving.broken_facts(tx, stretch)),
        ("house_fact_changed", proving.broken_house_facts(tx, stretch)),
        ("order_differs", proving.unbooked(tx, stretch)),
    ):
        found += [(kind, name) for name in names]
    for place, size in enumerate(proving.sizes(tx, stretch)):
        sizes[place] += size


def _check_seals(
    db: Database, found: list[tuple[str, str]], *, every_day: bool, progress: Progress = unheard
) -> tuple[int, str | None]:
    """The seals follow from each other; and each (or the newest) still is the digest of its day's rows."""
    before, number, head = None, 0, None
    while True:
        with db.transaction() as tx:
            page = proving.digests(tx, before=before, limit=DIGESTS_PAGE)
        for seal in page:
            if not seal.sound:
                found.append(("digest_broken", seal.day.isoformat()))
            if (every_day or number == 0) and digest_of_day(db, seal.day) != (seal.facts, seal.entries, seal.content):
                found.append(("digest_differs", seal.day.isoformat()))
            if every_day or number == 0:
                with db.transaction() as tx:
                    found += [] if day_balances.follows(tx, seal.day) else [("balance_differs", seal.day.isoformat())]
            head = head or seal.digest.hex()
            number += 1
            progress(number, None)
        if len(page) < DIGESTS_PAGE:
            return number, head
        before = page[-1].day
