"""Comparing our rows and books with the provider's, each way; what differs is listed, the unexplained counted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.errors import NoSuchSpan
from shop.payments.queries import orders
from shop.payments.queries import reconciling as rows
from shop.payments.queries.reconciling import Difference, Reconciliation
from shop.payments.settlement.balancing import compare_books
from shop.payments.settlement.comparing import compare_payments
from shop.ports.gateway import Gateway
from shop.ports.settlements import Settlements
from shop.progress import Progress, unheard

WINDOW = timedelta(days=8)
"""A day longer than an authorisation lives: what is older cannot change by itself any more."""

FIRST_EVER = datetime(2010, 1, 1, tzinfo=UTC)
"""Before this the provider had no customers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reconciliation and what it found, by kind. `unexplained` should be zero."""

    reconciliation: Reconciliation
    differences: tuple[Difference, ...]

    @property
    def explained(self) -> int:
        return sum(difference.explanation is not None for difference in self.differences)

    @property
    def unexplained(self) -> int:
        return len(self.differences) - self.explained


def ask_reconciliation(
    db: Database, *, dry_run: bool, actor: str, start: datetime | None = None, end: datetime | None = None
) -> Outcome:
    """Write the wish and stage the job. Without times it is the last WINDOW. Raises NoSuchSpan."""
    with db.transaction() as tx:
        now = orders.clock(tx)
    reconciliation_id = new_id("rec")
    first, last = _span(now, start, end)
    with db.transaction() as tx:
        rows.insert(tx, reconciliation_id, dry_run=dry_run, actor=actor, start=first, end=last)
        outbox.stage(tx, jobs.RECONCILE_PAYMENTS, reconciliation_id=reconciliation_id)
    return read_reconciliation(db, reconciliation_id)


def begin_reconciliation(
    db: Database, *, dry_run: bool, actor: str | None, start: datetime | None = None, end: datetime | None = None
) -> str:
    """Write the wish alone; whoever asks runs `reconcile` with the id. Raises NoSuchSpan."""
    reconciliation_id = new_id("rec")
    with db.transaction() as tx:
        first, last = _span(orders.clock(tx), start, end)
        rows.insert(tx, reconciliation_id, dry_run=dry_run, actor=actor, start=first, end=last)
    return reconciliation_id


def read_reconciliation(db: Database, reconciliation_id: str) -> Outcome:
    """Raises NotFound."""
    with db.transaction() as tx:
        found = rows.reconciliation(tx, reconciliation_id)
        if found is None:
            raise NotFound(f"there is no reconciliation {reconciliation_id}")
        return Outcome(found, tuple(rows.differences(tx, reconciliation_id)))


def newest(db: Database, *, before_id: str | None, limit: int) -> list[Reconciliation]:
    """Newest first."""
    with db.transaction() as tx:
        return rows.reconciliations(tx, before_id=before_id, limit=limit)


def reconcile(
    db: Database,
    gateway: Gateway,
    settlements: Settlements,
    reconciliation_id: str | None = None,
    progress: Progress = unheard,
) -> Outcome:
    """Compare; unless it is a dry run, differences that the provider's own words settle are applied as facts.

    Without an id it takes up the nightly one that died, or makes its own. Safe to repeat: the list is written once, at
    the end.
    """
    wanted_id = reconciliation_id or _nightly(db)
    wanted = read_reconciliation(db, wanted_id).reconciliation
    if wanted.state == "done":
        return read_reconciliation(db, wanted.id)
    found, counted = compare_payments(db, gateway, wanted, progress)
    books = compare_books(db, gateway, settlements, wanted, progress)
    listed = sorted([*found, *books.differences], key=_place)
    with db.transaction() as tx:
        counts = rows.counts(tx, start=wanted.from_at, end=wanted.to_at)
        if rows.finish(
            tx,
            wanted.id,
            orders_checked=counts[0],
            payments_checked=counted,
            refunds_checked=counts[1],
            totals=books.totals,
        ):
            rows.insert_differences(tx, wanted.id, listed)
    return read_reconciliation(db, wanted.id)


def _nightly(db: Database) -> str:
    with db.transaction() as tx:
        first, last = _span(orders.clock(tx), None, None)
        left = rows.take_up(tx, start=first, end=last)
    return left or begin_reconciliation(db, dry_run=False, actor=None)


def _span(now: datetime, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    last = min(end or now, now)
    first = start or max(last, FIRST_EVER + WINDOW) - WINDOW
    if not FIRST_EVER <= first < last:
        raise NoSuchSpan("the time to compare must end after it begins, and begin before now")
    return first, last


def _place(difference: Difference) -> tuple[str, str, str]:
    return difference.kind, difference.order_id or "", difference.object_id or ""
