"""Reading the provider's own list of its news, so that no webhook that was lost stays lost."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from db import outbox
from db.database import Database
from shop import jobs
from shop.ids import new_id
from shop.payments.news import receive
from shop.payments.queries import deliveries, orders
from shop.payments.queries import reconciling as comparisons
from shop.ports.gateway import Gateway
from shop.ports.notices import Event
from shop.progress import Progress, unheard

OVERLAP = timedelta(minutes=5)
"""Events appear in the list a little late and out of order, their times are whole seconds; what is read twice is kept
once.
"""

FIRST_LOOK = timedelta(days=1)
"""How far back the first sweep of a new shop reads."""

SLICE = timedelta(hours=6)
"""Lists come newest first: read in slices from the oldest on, a long backlog is worked off even if we are stopped in
the middle of it, each slice once.
"""

KEPT_FOR = timedelta(days=30)
"""How long the provider lists its events. News older than that have to be found by comparing the objects."""

LATE_LOOK = timedelta(days=3)
"""How long the provider goes on trying to deliver an event: what it has not delivered by then, it never will."""

LATE_EVERY = timedelta(hours=1)

PAGE = 100
"""Events taken in one transaction: as many as the provider gives at once."""

EVENTS, UNDELIVERED = "events", "events undelivered"
"""The watermarks' names."""


def catch_up(db: Database, gateway: Gateway, progress: Progress = unheard) -> dict[str, int]:
    """Put what never reached us into the same inbox as the rest.

    Answers `events_missed`, what only this has seen; `events_late`, those of them that the list did not yet show when
    their time was read; `events_out_of_reach`, 1 if we were away for so long that news are no longer listed: a
    reconciliation of that time is staged then.
    """
    with db.transaction() as tx:
        now = orders.clock(tx)
        start: datetime | None = (deliveries.watermark(tx, EVENTS) or now - FIRST_LOOK) - OVERLAP
    lost = start < now - KEPT_FOR
    if lost:
        start = _give_up(db, start, now)
    missed = 0
    while start is not None:
        end = start + SLICE if start + SLICE + OVERLAP < now else None
        more, newest = _read(db, gateway.events(start, end))
        missed += more
        with db.transaction() as tx:
            # Of the open end the newest event says how far the list was: their clock need not be ours.
            deliveries.move_watermark(tx, EVENTS, end or min(newest or start, now))
        progress(missed, None)
        start = end
    late = _look_for_late_ones(db, gateway, now)
    return {"events_missed": missed + late, "events_late": late, "events_out_of_reach": int(lost)}


def _give_up(db: Database, start: datetime, now: datetime) -> datetime:
    """Nobody lists these news any more: the objects of that time are compared instead, by a job."""
    reconciliation_id = new_id("rec")
    reach = now - KEPT_FOR
    with db.transaction() as tx:
        comparisons.insert(tx, reconciliation_id, dry_run=False, actor="sweep", start=start, end=now)
        outbox.stage(tx, jobs.RECONCILE_PAYMENTS, reconciliation_id=reconciliation_id)
        deliveries.move_watermark(tx, EVENTS, reach)
    return reach


def _read(db: Database, events: Iterable[Event]) -> tuple[int, datetime | None]:
    """How many were new to us, and the newest one's time."""
    missed, newest = 0, None
    listed = iter(events)
    while page := list(islice(listed, PAGE)):
        newest = max(filter(None, (newest, *(event.at for event in page))))
        with db.transaction() as tx:
            # Our own reading is no repeat by the provider, so what is known is not counted again.
            known = deliveries.known(tx, [event.id for event in page])
            missed += sum(receive.keep(tx, event, "poll") for event in page if event.id not in known)
    return missed, newest


def _look_for_late_ones(db: Database, gateway: Gateway, now: datetime) -> int:
    """An event that was listed only after its time had been read: the provider says which ones no webhook took."""
    with db.transaction() as tx:
        looked_at = deliveries.watermark(tx, UNDELIVERED)
    if looked_at is not None and now - looked_at < LATE_EVERY:
        return 0
    late = _read(db, gateway.events(now - LATE_LOOK, undelivered=True))[0]
    with db.transaction() as tx:
        deliveries.move_watermark(tx, UNDELIVERED, now)
    return late
