"""Our payments beside the provider's, object by object and each way; what its own words settle is taken over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.payments.disputes.disputing import dispute_seen
from shop.payments.errors import IllegalMove, Implausible
from shop.payments.orders.facts import apply, is_ours, payment_seen, refund_seen
from shop.payments.orders.fold import Fact
from shop.payments.queries import orders
from shop.payments.queries import reconciling as rows
from shop.payments.queries.reconciling import Difference, OurPayment, Reconciliation
from shop.payments.settlement.listing import Listing
from shop.ports.gateway import DisputeSeen, Gateway, PaymentSeen, RefundSeen
from shop.progress import Progress

BITE = 100
"""Payments compared in one transaction: as many as the provider gives on a page."""

SLICE = timedelta(days=1)
"""Payments are listed day by day: only the ids of one day are remembered at a time."""

MARGIN = timedelta(hours=1)
"""The edges belong to both clocks: an hour more of theirs finds the partners of ours."""

MOVING_FOR = timedelta(minutes=10)
"""What we touched this recently may be on its way: a job, a delivery or a sweep is at work on it."""

PUT_RIGHT = "put right now: the provider's state was taken over as a fact"


@dataclass(frozen=True, slots=True)
class Theirs:
    """Everything the provider says of one payment."""

    payment: PaymentSeen
    refunds: Sequence[RefundSeen] = ()
    disputes: Sequence[DisputeSeen] = ()


def compare_payments(
    db: Database, gateway: Gateway, wanted: Reconciliation, progress: Progress
) -> tuple[list[Difference], int]:
    """The differences, and how many payments were compared."""
    found = Listing()
    counted = 0
    for start, end in _slices(wanted.from_at, wanted.to_at):
        seen_ids: set[str] = set()
        bite: list[PaymentSeen] = []
        for seen in gateway.payments_between(start - MARGIN, end + MARGIN):
            seen_ids.add(seen.id)
            if _belongs(seen, start, end, wanted):
                bite.append(seen)
                counted += 1
            if len(bite) == BITE:
                found.add(_compare_bite(db, gateway, wanted, bite))
                progress(counted, None)
                bite = []
        found.add(_compare_bite(db, gateway, wanted, bite))
        found.add(_missing_there(db, gateway, start, end, seen_ids))
    return found.lines(), counted


def look_at(gateway: Gateway, payment_id: str) -> Theirs | None:
    """One payment with all its refunds and disputes."""
    seen = gateway.payment(payment_id)
    return None if seen is None else _all_of(gateway, seen)


def facts_of(theirs: Theirs, *, key: str, seen_at: datetime) -> list[Fact]:
    """What was seen, as facts of its order. `key` names this look."""
    facts = [payment_seen(theirs.payment, source="sweep", key=key, seen_at=seen_at)]
    facts += [refund_seen(refund, source="sweep", key=key, seen_at=seen_at) for refund in theirs.refunds]
    facts += [dispute_seen(dispute, source="sweep", key=key, seen_at=seen_at) for dispute in theirs.disputes]
    return facts


def look_key(wanted: Reconciliation, now: datetime) -> str:
    """Names the looks of one moment. A run that takes up another's work looks anew: what changed since then is news."""
    return f"{wanted.id}:{now.astimezone(UTC):%Y%m%dT%H%M%S.%f}"


def heal(db: Database, order_id: str, facts: Sequence[Fact]) -> bool:
    """Whether the provider's word could be taken into account."""
    try:
        with db.transaction() as tx:
            if orders.order(tx, order_id) is None:
                return False
            apply(tx, order_id, facts)
            return True
    except (IllegalMove, Implausible):
        return False


def _slices(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(start + SLICE, end)
        start += SLICE


def _belongs(seen: PaymentSeen, start: datetime, end: datetime, wanted: Reconciliation) -> bool:
    """Whether it is compared with this day; at the edges of the whole span, with the margin."""
    if seen.created_at is None:
        return True
    first = start - MARGIN if start == wanted.from_at else start
    last = end + MARGIN if end == wanted.to_at else end
    return first <= seen.created_at < last


def _all_of(gateway: Gateway, seen: PaymentSeen, ours: OurPayment | None = None) -> Theirs:
    refunded = seen.refunded or ours is None or ours.refunded_minor or ours.reserved_minor
    disputed = seen.disputed or (ours is not None and ours.disputes)
    return Theirs(
        seen,
        gateway.refunds_of(seen.id) if refunded else (),
        gateway.disputes_of(seen.id) if disputed else (),
    )


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
            found.append(_missing_here(db, gateway, wanted, seen, now))
        else:
            found += _differences(db, gateway, wanted, partner, seen, now)
    return found


def _missing_here(
    db: Database, gateway: Gateway, wanted: Reconciliation, seen: PaymentSeen, now: datetime
) -> Difference:
    if seen.order_id is None or not is_ours(seen.order_id):
        return Difference("missing_here", None, seen.id, None, seen.status, "foreign: it carries no order of ours")
    young = seen.created_at is not None and now - seen.created_at < MOVING_FOR
    explanation = "on its way: it was made minutes ago" if young else None
    if not wanted.dry_run and heal(
        db, seen.order_id, facts_of(_all_of(gateway, seen), key=look_key(wanted, now), seen_at=now)
    ):
        explanation = PUT_RIGHT
    return Difference("missing_here", seen.order_id, seen.id, None, seen.status, explanation)


def _differences(
    db: Database, gateway: Gateway, wanted: Reconciliation, ours: OurPayment, seen: PaymentSeen, now: datetime
) -> list[Difference]:
    theirs = _all_of(gateway, seen, ours)
    differing = _pairs(ours, theirs)
    if not differing:
        return []
    explanation = _explain(ours, theirs.refunds, now)
    left = differing
    if not wanted.dry_run:
        heal(db, ours.order_id, facts_of(theirs, key=look_key(wanted, now), seen_at=now))
        with db.transaction() as tx:
            left = _pairs(rows.our_payments(tx, [seen.id])[0], theirs)
    return [
        Difference(kind, ours.order_id, seen.id, mine, said, explanation if kind in left else explanation or PUT_RIGHT)
        for kind, (mine, said) in differing.items()
    ]


def _pairs(ours: OurPayment, theirs: Theirs) -> Mapping[str, tuple[str, str]]:
    """What differs: ours and theirs by name."""
    seen = theirs.payment
    refunded = sum(refund.amount for refund in theirs.refunds if refund.status == "succeeded")
    fee = seen.fee or 0
    disputes = sorted((dispute.id, dispute.status) for dispute in theirs.disputes)
    pairs = {
        "status": (ours.status, seen.status),
        "amount": (f"{ours.amount_minor} {ours.currency}", f"{seen.amount} {seen.currency}"),
        "captured": (str(ours.captured_minor), str(seen.captured)),
        "refunded": (str(ours.refunded_minor), str(refunded)),
        "fee": (str(ours.fee_minor or 0), str(fee)),
        "disputes": (ours.disputes, ", ".join(f"{dispute_id} {status}" for dispute_id, status in disputes)),
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


def _missing_there(
    db: Database, gateway: Gateway, start: datetime, end: datetime, seen_ids: set[str]
) -> list[Difference]:
    """Ours that their list did not show: asked for one by one, since lists may lag."""
    found: list[Difference] = []
    after = ""
    while True:
        with db.transaction() as tx:
            page = rows.our_payments_between(tx, start=start, end=end, after=after, limit=BITE)
        found += [
            Difference("missing_there", order_id, intent_id, status, None, None)
            for _, intent_id, order_id, status in page
            if intent_id not in seen_ids and gateway.payment(intent_id) is None
        ]
        if len(page) < BITE:
            return found
        after = page[-1][0]
