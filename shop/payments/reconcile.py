"""Comparing our rows with the provider's, each way; what differs is listed, and what nobody can explain is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db import outbox
from db.database import Database
from shop import jobs
from shop.errors import NotFound
from shop.ids import new_id
from shop.payments.errors import IllegalMove, Implausible, NoSuchSpan
from shop.payments.facts import apply, is_ours, payment_seen, refund_seen
from shop.payments.fold import Fact
from shop.payments.queries import orders
from shop.payments.queries import reconciling as rows
from shop.payments.queries.reconciling import Difference, OurPayment, Reconciliation
from shop.ports.gateway import Gateway, PaymentSeen, RefundSeen
from shop.progress import Progress, unheard

WINDOW = timedelta(days=8)
"""A day longer than an authorisation lives: what is older cannot change by itself any more."""

FIRST_EVER = datetime(2010, 1, 1, tzinfo=UTC)
"""Before this the provider had no customers."""

BITE = 100
"""Payments compared in one transaction: as many as the provider gives on a page."""

MOVING_FOR = timedelta(minutes=10)
"""What we touched this recently may be on its way: a job, a delivery or a sweep is at work on it."""


PUT_RIGHT = "put right now: the provider's state was taken over as a fact"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reconciliation and what it found. `unexplained` should be zero."""

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
    reconciliation_id = new_id("rec")
    with db.transaction() as tx:
        now = orders.clock(tx)
        last = min(end or now, now)
        first = start or max(last, FIRST_EVER + WINDOW) - WINDOW
        if not FIRST_EVER <= first < last:
            raise NoSuchSpan("the time to compare must end after it begins, and begin before now")
        rows.insert(tx, reconciliation_id, dry_run=dry_run, actor=actor, start=first, end=last)
        outbox.stage(tx, jobs.RECONCILE_PAYMENTS, reconciliation_id=reconciliation_id)
    return read_reconciliation(db, reconciliation_id)


def read_reconciliation(db: Database, reconciliation_id: str) -> Outcome:
    """Raises NotFound."""
    with db.transaction() as tx:
        found = rows.reconciliation(tx, reconciliation_id)
        if found is None:
            raise NotFound(f"there is no reconciliation {reconciliation_id}")
        return Outcome(found, tuple(rows.differences(tx, reconciliation_id)))


def reconcile(
    db: Database, gateway: Gateway, reconciliation_id: str | None = None, progress: Progress = unheard
) -> Outcome:
    """Compare; unless it is a dry run, differences that the provider's own words settle are applied as facts.

    Without an id it makes its own, as the nightly one does. Safe to repeat: the list is written once, at the end.
    """
    wanted = _wanted(db, reconciliation_id)
    if wanted.state == "done":
        return read_reconciliation(db, wanted.id)
    found, counted = _compare(db, gateway, wanted, progress)
    with db.transaction() as tx:
        counts = rows.counts(tx, start=wanted.from_at, end=wanted.to_at)
        if rows.finish(tx, wanted.id, orders_checked=counts[0], payments_checked=counted, refunds_checked=counts[1]):
            rows.insert_differences(tx, wanted.id, found)
    return read_reconciliation(db, wanted.id)


def _wanted(db: Database, reconciliation_id: str | None) -> Reconciliation:
    if reconciliation_id is None:
        reconciliation_id = new_id("rec")
        with db.transaction() as tx:
            now = orders.clock(tx)
            rows.insert(tx, reconciliation_id, dry_run=False, actor=None, start=now - WINDOW, end=now)
    return read_reconciliation(db, reconciliation_id).reconciliation


def _compare(
    db: Database, gateway: Gateway, wanted: Reconciliation, progress: Progress
) -> tuple[list[Difference], int]:
    found: list[Difference] = []
    seen_ids: set[str] = set()
    bite: list[PaymentSeen] = []
    # The edges belong to both clocks: an hour more of theirs finds the partners of ours.
    margin = timedelta(hours=1)
    for seen in gateway.payments_between(wanted.from_at - margin, wanted.to_at + margin):
        seen_ids.add(seen.id)
        bite.append(seen)
        if len(bite) == BITE:
            found += _compare_bite(db, gateway, wanted, bite)
            progress(len(seen_ids), None)
            bite = []
    found += _compare_bite(db, gateway, wanted, bite)
    found += _missing_there(db, gateway, wanted, seen_ids)
    return found, len(seen_ids)


def _compare_bite(
    db: Database, gateway: Gateway, wanted: Reconciliation, bite: Sequence[PaymentSeen]
) -> list[Difference]:
    with db.transaction() as tx:
        now = orders.clock(tx)
        ours = {payment.intent_id: payment for payment in rows.our_payments(tx, [seen.id for seen in bite])}
    found: list[Difference] = []
    for seen in bite:
        partner = ours.get(seen.id)
        if partner is None:
            found.append(_missing_here(db, wanted, seen, now))
        else:
            found += _differences(db, gateway, wanted, partner, seen, now)
    return found


def _missing_here(db: Database, wanted: Reconciliation, seen: PaymentSeen, now: datetime) -> Difference:
    if seen.order_id is None or not is_ours(seen.order_id):
        return Difference("missing_here", None, seen.id, None, seen.status, "foreign: it carries no order of ours")
    young = seen.created_at is not None and now - seen.created_at < MOVING_FOR
    explanation = "on its way: it was made minutes ago" if young else None
    if not wanted.dry_run and _heal(db, seen.order_id, [_fact(wanted, seen, now)]):
        explanation = PUT_RIGHT
    return Difference("missing_here", seen.order_id, seen.id, None, seen.status, explanation)


def _differences(
    db: Database, gateway: Gateway, wanted: Reconciliation, ours: OurPayment, seen: PaymentSeen, now: datetime
) -> list[Difference]:
    refunds = gateway.refunds_of(seen.id) if seen.refunded or ours.refunded_minor or ours.reserved_minor else []
    differing = _pairs(ours, seen, refunds)
    if not differing:
        return []
    explanation = _explain(ours, refunds, now)
    left = differing
    if not wanted.dry_run:
        facts = [_fact(wanted, seen, now)]
        facts += [refund_seen(refund, source="sweep", key=wanted.id, seen_at=now) for refund in refunds]
        _heal(db, ours.order_id, facts)
        with db.transaction() as tx:
            left = _pairs(rows.our_payments(tx, [seen.id])[0], seen, refunds)
    return [
        Difference(
            kind, ours.order_id, seen.id, mine, theirs, explanation if kind in left else explanation or PUT_RIGHT
        )
        for kind, (mine, theirs) in differing.items()
    ]


def _pairs(ours: OurPayment, seen: PaymentSeen, refunds: Sequence[RefundSeen]) -> dict[str, tuple[str, str]]:
    """What differs: ours and theirs by name."""
    refunded = sum(refund.amount for refund in refunds if refund.status == "succeeded")
    fee = seen.fee or 0
    pairs = {
        "status": (ours.status, seen.status),
        "amount": (f"{ours.amount_minor} {ours.currency}", f"{seen.amount} {seen.currency}"),
        "captured": (str(ours.captured_minor), str(seen.captured)),
        "refunded": (str(ours.refunded_minor), str(refunded)),
        "fee": (str(ours.fee_minor or 0), str(fee)),
        "books": (str(ours.booked_minor), str(seen.captured - refunded - fee)),
    }
    return {kind: pair for kind, pair in pairs.items() if pair[0] != pair[1]}


def _explain(ours: OurPayment, refunds: Sequence[RefundSeen], now: datetime) -> str | None:
    if ours.working:
        return "on its way: a try is not decided yet"
    if now - ours.updated_at < MOVING_FOR:
        return "on its way: it changed minutes ago"
    if any(refund.refund_id is None for refund in refunds):
        return "a refund was made in the provider's dashboard"
    return None


def _heal(db: Database, order_id: str, facts: Sequence[Fact]) -> bool:
    """Whether the provider's word could be taken into account."""
    try:
        with db.transaction() as tx:
            if orders.order(tx, order_id) is None:
                return False
            apply(tx, order_id, facts)
            return True
    except (IllegalMove, Implausible):
        return False


def _missing_there(db: Database, gateway: Gateway, wanted: Reconciliation, seen_ids: set[str]) -> list[Difference]:
    """Ours that their list did not show: asked for one by one, since lists may lag."""
    with db.transaction() as tx:
        ours = rows.our_payments_between(tx, start=wanted.from_at, end=wanted.to_at)
    missing = [payment for payment in ours if payment.intent_id not in seen_ids]
    return [
        Difference("missing_there", payment.order_id, payment.intent_id, payment.status, None, None)
        for payment in missing
        if gateway.payment(payment.intent_id) is None
    ]


def _fact(wanted: Reconciliation, seen: PaymentSeen, now: datetime) -> Fact:
    return payment_seen(seen, source="sweep", key=wanted.id, seen_at=now)
