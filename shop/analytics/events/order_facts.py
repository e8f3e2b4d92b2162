"""Writes what happened to orders as events, once each, from the orders' own tables; takes back what proves untrue."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.events.partitions import EVENTS_KEPT
from shop.analytics.queries import ingest as store
from shop.analytics.queries import order_facts as queries
from shop.analytics.queries.identity import note_links
from shop.analytics.queries.order_facts import Place
from shop.analytics.queries.trending import cursor_position, move_cursor
from shop.progress import Progress, unheard

CURSOR = "order_facts"

OVERLAP = timedelta(minutes=10)
"""Orders are read again this far back: a change may commit after a later one was seen. What is noted stays once."""

BITE = 500
"""Orders a transaction: some two thousand events, well under a second."""

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first order of any shop: the first run reads them all."""


def order_facts(
    db: Database, progress: Progress = unheard, *, kept: timedelta = EVENTS_KEPT, now: datetime | None = None
) -> dict[str, int]:
    """Look at the orders that changed since the last time. Answers events written and taken back.

    A fact is an event by its row in `order_facts`, in the same transaction. May run twice and die anywhere. What is
    older than events are `kept` is not written any more.
    """
    moment = now or datetime.now(UTC)
    with db.transaction() as tx:
        seen_until = cursor_position(tx, CURSOR)
    place: Place = (NEVER if seen_until is None else seen_until - OVERLAP, "")
    sums = {"orders": 0, "written": 0, "taken_back": 0}
    while True:
        looked, last = _bite(db, place, moment, moment - kept, sums)
        progress(sums["orders"], None)
        if looked < BITE:
            return sums
        place = last


def _bite(db: Database, place: Place, moment: datetime, oldest: datetime, sums: dict[str, int]) -> tuple[int, Place]:
    with db.transaction() as tx:
        queries.lock_facts(tx)
        changed = queries.changed_orders(tx, after=place, limit=BITE)
        order_ids = [order_id for _, order_id in changed]
        queries.prepare_truth(tx, order_ids)
        taken_back = queries.withdraw(tx, order_ids)
        store.prepare_stage(tx)
        written = queries.stage_new(tx, oldest=oldest)
        if written:
            store.store_staged(tx)
            store.roll_up_hours(tx)
            store.touch_visitors(tx)
            note_links(tx)
        # Behind the last bite lies what changes while this runs, which the overlap covers.
        move_cursor(tx, CURSOR, changed[-1][0] if len(changed) == BITE else moment)
    for name, count in (("orders", len(changed)), ("written", written), ("taken_back", taken_back)):
        sums[name] += count
    return len(changed), changed[-1] if changed else place
