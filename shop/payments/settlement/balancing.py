"""Our books beside the provider's, movement by movement and each way, and the equation of balances."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from db.database import Database, Tx
from shop.payments.orders.facts import is_ours
from shop.payments.queries import explaining, orders, resolving, settling, strangers
from shop.payments.queries import payouts as payout_rows
from shop.payments.queries import reconciling as rows
from shop.payments.queries.payouts import Payout
from shop.payments.queries.reconciling import Difference, Reconciliation
from shop.payments.queries.settling import Known, Unpartnered
from shop.payments.settlement.comparing import MARGIN, MOVING_FOR, facts_of, heal, look_at, look_key
from shop.payments.settlement.listing import LISTED_MAX, Listing
from shop.payments.settlement.settle import BITE, copy, follow_payouts, match_open, unmatched
from shop.ports.gateway import Gateway
from shop.ports.settlements import BalanceSeen, PayoutSeen, Settlements
from shop.progress import Progress

STRANGE_AFTER = timedelta(days=7)
"""A stranger's movement is listed by itself for so long, for people to see: then it is summed up with its like."""

TRIES = 5
"""How often the balance is read again because money moved while it was; after that the rest is called on its way."""

ON_ITS_WAY = "on its way: it happened minutes ago"
FOREIGN = "not this shop's: made by others who use the same account, or given back to who paid it"
PENDING = "its refund is pending: it is booked when the customer's bank has decided"


@dataclass(frozen=True, slots=True)
class Books:
    """What the comparison of the books found; `totals` is kept as it is."""

    differences: Sequence[Difference]
    totals: Mapping[str, Any] = field(default_factory=dict[str, Any])


def compare_books(
    db: Database, gateway: Gateway, settlements: Settlements, wanted: Reconciliation, progress: Progress
) -> Books:
    """Read the provider's books, book what is missing unless it is a dry run, and compare each with each."""
    changed = copy(db, settlements.movements(wanted.from_at - MARGIN), progress)[2]
    if not wanted.dry_run:
        follow_payouts(db, settlements, since=wanted.from_at)
        match_open(db, booking=True)
        _heal_open(db, gateway, wanted)
        match_open(db, booking=True)
    balances = _balances(db, settlements)
    with db.transaction() as tx:
        strangers.claim_back(tx)
    match_open(db, booking=False)
    found = [
        Difference("movement_changed", None, movement_id, None, "told otherwise than before", None)
        for movement_id in changed
    ]
    found += _payouts(db, settlements, wanted)
    with db.transaction() as tx:
        tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        money = _money(tx, wanted)
        found = _with_decisions(tx, [*money, *found, *_orders(tx, wanted)])
        equation = _equation(settling.held(tx), balances, found)
        over = _with_decisions(tx, _left_over(equation))
        totals = {"movements": _matched(tx, wanted), "equation": equation}
    return Books([*found, *over], totals)


def likeness(difference: Difference) -> str:
    """The same for the very same difference found again; anything that changed makes it another."""
    words = (difference.kind, difference.object_id, difference.ours, difference.theirs, difference.currency)
    return hashlib.sha256("\x1f".join(word or "" for word in words).encode()).hexdigest()


def _heal_open(db: Database, gateway: Gateway, wanted: Reconciliation) -> None:
    """Money that moved in this time, of a payment whose news we never had: look at it with its refunds and disputes.

    What is open from before was looked at then, and is looked at again only while nobody has found whose it is: on an
    account that is shared with another shop, each of its movements costs one look a night for some days, then none.
    """
    since = wanted.from_at - MARGIN
    after = ""
    with db.transaction() as tx:
        old = orders.clock(tx) - STRANGE_AFTER
        strangers.note_given_back(tx, before=old)
    while True:
        with db.transaction() as tx:
            page = settling.open_movements(tx, after=after, limit=BITE)
            differing = unmatched(tx, page)
        unclear = [move for move in page if move.id in differing and (move.made_at >= since or move.order_id is None)]
        payments = {move.payment_ref for move in unclear if move.payment_ref}
        foreign = {payment_id for payment_id in payments if _is_foreign(db, gateway, payment_id, wanted)}
        with db.transaction() as tx:
            others = [move for move in unclear if move.order_id is None and move.payment_ref in foreign]
            strangers.note_foreign(tx, [move.id for move in others if move.made_at < old])
        if len(page) < BITE:
            return
        after = page[-1].id


def _is_foreign(db: Database, gateway: Gateway, payment_id: str, wanted: Reconciliation) -> bool:
    """Whether the provider says that the payment carries no order of ours; one that does is taken over."""
    with db.transaction() as tx:
        now = orders.clock(tx)
    theirs = look_at(gateway, payment_id)
    if theirs is None:
        return False
    if theirs.payment.order_id is None or not is_ours(theirs.payment.order_id):
        return True
    heal(db, theirs.payment.order_id, facts_of(theirs, key=f"{look_key(wanted, now)}:books", seen_at=now))
    return False


def _balances(db: Database, settlements: Settlements) -> list[BalanceSeen]:
    """The provider's balance at a moment at which every movement that is in it is known to us."""
    with db.transaction() as tx:
        lately = orders.clock(tx) - MARGIN
    balances = settlements.balance()
    for _ in range(TRIES):
        new = copy(db, settlements.movements(lately))[0]
        if new == 0:
            break
        balances = settlements.balance()
    return balances


def _money(tx: Tx, wanted: Reconciliation) -> list[Difference]:
    """Page by page: what is kept of them is the list, which has its end."""
    now = orders.clock(tx)
    found = Listing()
    after = (datetime.min.replace(tzinfo=UTC), "")
    while page := settling.movements_in(tx, start=wanted.from_at, end=wanted.to_at, after=after, limit=BITE):
        found.add(_differing(tx, page, now))
        after = (page[-1].made_at, page[-1].id)
    last = ""
    while page := settling.open_movements(tx, after=last, limit=BITE):
        found.add(_differing(tx, [move for move in page if not wanted.from_at <= move.made_at < wanted.to_at], now))
        last = page[-1].id
    ours = settling.unpartnered(tx, start=wanted.from_at, end=wanted.to_at, limit=LISTED_MAX)
    return [*found.lines(), *_foreign(tx), *(_entry_alone(entry, now) for entry in ours)]


def _differing(tx: Tx, page: Sequence[Known], now: datetime) -> list[Difference]:
    differing = unmatched(tx, page)
    ids = list(differing)
    known = dict.fromkeys(explaining.still_pending(tx, ids), PENDING) | explaining.given_back(tx, ids)
    found = [_movement(move, *differing[move.id], now) for move in page if move.id in differing]
    return _with_decisions(
        tx, [replace(each, explanation=known.get(str(each.object_id), each.explanation)) for each in found]
    )


def _movement(move: Known, ours: int, theirs: int, now: datetime) -> Difference:
    return Difference(
        kind=_kind(move),
        order_id=move.order_id,
        object_id=move.id,
        ours=f"{ours} {move.currency}",
        theirs=f"{theirs} {move.currency} {move.type} {move.source_ref or ''}".strip(),
        explanation=ON_ITS_WAY if abs(now - move.made_at) < MOVING_FOR else None,
        amount_minor=theirs - ours,
        currency=move.currency,
    )


def _foreign(tx: Tx) -> list[Difference]:
    """All that is not this shop's, in one line for each currency."""
    return [
        Difference("foreign", None, currency, None, f"{number} movements, {net} {currency}", FOREIGN, net, currency)
        for currency, number, net in strangers.sums(tx)
    ]


def _kind(move: Known) -> str:
    if move.order_id is not None:
        return "movement_differs"
    return "movement_foreign" if move.payment_ref is not None else "movement_unknown"


def _entry_alone(entry: Unpartnered, now: datetime) -> Difference:
    return Difference(
        kind="entry_alone",
        order_id=entry.order_id,
        object_id=entry.id,
        ours=f"{entry.amount_minor} {entry.currency} {entry.cause}",
        theirs=None,
        explanation=ON_ITS_WAY if now - entry.booked_at < MOVING_FOR else None,
        amount_minor=-entry.amount_minor,
        currency=entry.currency,
    )


def _payouts(db: Database, settlements: Settlements, wanted: Reconciliation) -> list[Difference]:
    """Status by status; and what a payout pays out must be what its movements add up to."""
    found: list[Difference] = []
    told = settlements.payouts(wanted.from_at)
    while page := list(islice(told, BITE)):
        with db.transaction() as tx:
            ours = payout_rows.known(tx, [seen.id for seen in page])
            now = orders.clock(tx)
        found += [differing for seen in page if (differing := _payout(ours.get(seen.id), seen, now)) is not None]
    return found


def _payout(known: Payout | None, seen: PayoutSeen, now: datetime) -> Difference | None:
    young = ON_ITS_WAY if now - seen.made_at < MOVING_FOR else None
    if known is None or known.status != seen.status:
        return Difference("payout", None, seen.id, known.status if known else None, seen.status, young)
    if known.composed_minor is None or known.composed_minor == seen.amount:
        return None
    ours, theirs = (f"{amount} {seen.currency}" for amount in (known.composed_minor, seen.amount))
    return Difference("payout_sum", None, seen.id, ours, theirs, None)


def _orders(tx: Tx, wanted: Reconciliation) -> list[Difference]:
    uneven = rows.uneven_orders(tx, start=wanted.from_at, end=wanted.to_at, limit=LISTED_MAX)
    return [
        Difference(
            "order",
            order_id,
            order_id,
            f"{on_order} {currency} on the order",
            f"{by_parts} by its payments and refunds, {by_books} by the books",
            None,
        )
        for order_id, currency, on_order, by_parts, by_books in uneven
    ]


def _with_decisions(tx: Tx, found: Sequence[Difference]) -> list[Difference]:
    """A difference that a person has accepted before, and that is still the very same, is explained by that."""
    said = resolving.accepted(tx, [likeness(difference) for difference in found])
    return [
        replace(difference, explanation=difference.explanation or said.get(likeness(difference)))
        for difference in found
    ]


def _equation(
    ours: Mapping[str, int], theirs: Sequence[BalanceSeen], found: Sequence[Difference]
) -> list[dict[str, Any]]:
    """Per currency: our books + what is explained + what is not = the provider's balance."""
    there = {balance.currency: balance for balance in theirs}
    lines: list[dict[str, Any]] = []
    for currency in sorted({*ours, *there, *(each.currency for each in found if each.currency)}):
        balance = there.get(currency) or BalanceSeen(currency, 0, 0)
        about = [each for each in found if each.currency == currency and each.amount_minor]
        explained = sum(each.amount_minor or 0 for each in about if each.explanation is not None)
        listed = sum(each.amount_minor or 0 for each in about if each.explanation is None)
        held = ours.get(currency, 0)
        lines.append(
            {
                "currency": currency,
                "ours": held,
                "explained": explained,
                "available": balance.available,
                "pending": balance.pending,
                "theirs": balance.available + balance.pending,
                "unexplained": balance.available + balance.pending - held - explained,
                "not_listed": balance.available + balance.pending - held - explained - listed,
            }
        )
    return lines


def _left_over(equation: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """What no difference of a single movement says: also that is listed."""
    return [
        Difference(
            kind="balance",
            order_id=None,
            object_id=line["currency"],
            ours=f"{line['theirs'] - line['not_listed']} {line['currency']}",
            theirs=f"{line['theirs']} {line['currency']}",
            explanation=None,
            amount_minor=line["not_listed"],
            currency=line["currency"],
        )
        for line in equation
        if line["not_listed"]
    ]


def _matched(tx: Tx, wanted: Reconciliation) -> list[dict[str, Any]]:
    names = ("type", "currency", "number", "amount", "fee", "net", "open")
    sums = settling.matched_sums(tx, start=wanted.from_at, end=wanted.to_at)
    return [dict(zip(names, values, strict=True)) for values in sums]
