"""Taking in the provider's books: its movements copied, payouts followed, and booked what no order's facts book."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from db.database import Database, Tx
from shop.payments.queries import deliveries, orders, settling
from shop.payments.queries import ledger as books
from shop.payments.queries import payouts as payout_rows
from shop.payments.queries.settling import Known
from shop.payments.settlement.matching import Needed, Part, is_capture, needed, parts
from shop.payments.settlement.payouts import payout_seen
from shop.ports.settlements import Movement, Settlements
from shop.progress import Progress, unheard

MOVEMENTS = "movements"
"""The watermark's name."""

OVERLAP = timedelta(hours=1)
"""What is read twice is kept once; a list that lags behind by minutes loses nothing."""

FIRST_LOOK = timedelta(days=8)
"""How far back a new shop reads by itself; a reconciliation of an older span reads that."""

SLICE = timedelta(hours=6)
"""Lists come newest first: read slice by slice from the oldest on, a long backlog survives being stopped."""

PAYOUTS_LOOK = timedelta(days=14)
"""Banks send a payout back within about five working days after it was paid."""

PAGE = 100
"""As many as the provider gives at once."""

BITE = 200
"""Movements looked at in one transaction."""

PAYOUTS_READ = 50
"""Payouts whose movements are read in one run; the next one takes the others."""


def settle(db: Database, settlements: Settlements, progress: Progress = unheard) -> dict[str, int]:
    """Read what moved since last time and book it; answers how much of each there was. Safe to repeat."""
    with db.transaction() as tx:
        now = orders.clock(tx)
        start: datetime | None = (deliveries.watermark(tx, MOVEMENTS) or now - FIRST_LOOK) - OVERLAP
    read = 0
    while start is not None:
        end = start + SLICE if start + SLICE + OVERLAP < now else None
        more, newest, _ = copy(db, settlements.movements(start, end), progress)
        read += more
        with db.transaction() as tx:
            deliveries.move_watermark(tx, MOVEMENTS, end or min(newest or start, now))
        start = end
    payouts = follow_payouts(db, settlements)
    booked, matched = match_open(db, booking=True)
    return {"movements": read, "payouts": payouts, "booked": booked, "matched": matched}


def copy(
    db: Database, found: Iterable[Movement], progress: Progress = unheard, *, payout_id: str | None = None
) -> tuple[int, datetime | None, list[str]]:
    """Keep movements; answers how many were new, the newest one's time, and those that the provider now tells
    otherwise than before (there should never be one).
    """
    new, newest, changed, done = 0, None, list[str](), 0
    told = iter(found)
    while page := list(islice(told, PAGE)):
        with db.transaction() as tx:
            changed += settling.changed_since(tx, page)
            new += settling.keep(tx, page, payout_id)
        newest = max(filter(None, (newest, *(move.made_at for move in page))))
        done += len(page)
        progress(done, None)
    return new, newest, changed


def follow_payouts(db: Database, settlements: Settlements, *, since: datetime | None = None) -> int:
    """Take each payout's state into account and read what it pays out; answers how many told something new."""
    with db.transaction() as tx:
        now = orders.clock(tx)
    told = 0
    for seen in settlements.payouts(min(now - PAYOUTS_LOOK, since or now)):
        with db.transaction() as tx:
            told += payout_seen(tx, seen, seen_at=now)
    with db.transaction() as tx:
        unread = payout_rows.unread(tx, limit=PAYOUTS_READ)
    for payout_id in unread:
        copy(db, settlements.movements_of_payout(payout_id), payout_id=payout_id)
        with db.transaction() as tx:
            payout_rows.note_composed(tx, payout_id)
    return told


def match_open(db: Database, *, booking: bool) -> tuple[int, int]:
    """Note which open movements have all their entries by now and, with `booking`, book what the others make necessary;
    answers how many entries and how many movements that were.
    """
    booked, matched, after = 0, 0, ""
    while True:
        page, fitting = _match(db, after)
        made = sum(_book(db, needed(move)) for move in page if move.id not in fitting) if booking else 0
        booked, matched = booked + made, matched + len(fitting)
        if made:
            matched += len(_match(db, after, limit=len(page) - len(fitting))[1])
        if len(page) < BITE:
            return booked, matched
        after = page[-1].id


def _match(db: Database, after: str, limit: int = BITE) -> tuple[list[Known], set[str]]:
    """A page of what is open, and what of it is matched now."""
    with db.transaction() as tx:
        page = settling.open_movements(tx, after=after, limit=limit)
        differing = unmatched(tx, page)
        fitting = {move.id for move in page if move.id not in differing}
        settling.note_matched(tx, list(fitting))
    return page, fitting


def unmatched(tx: Tx, page: Sequence[Known]) -> dict[str, tuple[int, int]]:
    """Movements whose entries do not say the same: what ours say and what theirs does, net, by their id."""
    wanted = {move.id: parts(move) for move in page}
    causes = [part.cause for found in wanted.values() for part in found or ()]
    booked = settling.booked(tx, [*causes, *(f"correction:{move.id}" for move in page)])
    captures = settling.captured(tx, [str(move.order_id) for move in page if is_capture(move)])
    found: dict[str, tuple[int, int]] = {}
    for move in page:
        known = wanted[move.id]
        ours = [booked.get((part.cause, part.currency), 0) for part in known or ()]
        corrected = booked.get((f"correction:{move.id}", move.currency))
        said = _net(move, known or (), ours, captures) + (corrected or 0)
        same = known is not None and ours == [part.amount for part in known]
        if is_capture(move):
            same = same and _captured_alike(move, captures[str(move.order_id)])
        # A correction may stand in for entries that are missing, and must not stand beside them.
        if (same and corrected) or (not same and (corrected is None or said != move.net_minor)):
            found[move.id] = (said, move.net_minor)
    return found


def _captured_alike(move: Known, sums: tuple[int, int]) -> bool:
    """The books say of the order what its payments say, and of this payment they say what the movement says."""
    if move.ours_currency != move.currency:
        return sums[0] == sums[1]
    return sums[0] == sums[1] and move.ours_minor == move.source_minor


def _net(move: Known, known: Sequence[Part], ours: Sequence[int], captures: dict[str, tuple[int, int]]) -> int:
    """What our books did in the movement's own currency."""
    same_currency = [amount for part, amount in zip(known, ours, strict=True) if part.currency == move.currency]
    taken = captures[str(move.order_id)][0] if is_capture(move) and move.ours_currency == move.currency else 0
    return sum(same_currency) + taken


def _book(db: Database, entries: Sequence[Needed]) -> int:
    if not entries:
        return 0
    with db.transaction() as tx:
        order_id = entries[0].order_id
        if order_id is not None and orders.lock_order(tx, order_id) is None:
            return 0
        made = [
            books.enter(
                tx, order_id=entry.order_id, kind=entry.kind, cause=entry.cause, lines=entry.lines, memo=entry.memo
            )
            for entry in entries
        ]
    return sum(entry_id is not None for entry_id in made)
