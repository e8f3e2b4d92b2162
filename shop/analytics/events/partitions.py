"""Keeps the store of events in shape: next weeks' partitions made, what is too old let go."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from db.database import Database, Tx
from shop.analytics.queries import alerts, keeping, privacy, salts, steps
from shop.analytics.queries.sessions import delete_sessions
from shop.progress import Progress, unheard

WEEKS_AHEAD = 5
"""This week and four more: a month of failed nights before an event would land in the default partition."""

EVENTS_KEPT = timedelta(days=396)
"""Thirteen months, unless the shop says otherwise: the same month of last year, to its end. Sums and reports stay."""

BATCHES_KEPT = timedelta(days=30)
"""A batch that is handed over twice after a month would be counted twice, though its events are still known."""

INTEREST_KEPT = timedelta(days=8)
HOURS_KEPT = timedelta(days=40)
"""Trending looks back seven days and another 28 for what is usual, alerts one and 28; the rest is slack."""

QUARANTINE_KEPT = timedelta(days=90)

EXPORTS_KEPT = timedelta(days=7)
"""A copy of what is known of a person is itself worth protecting: a week is enough to fetch it."""

BATCH = 5_000
"""Rows a transaction: well under a second, so that no drain waits for a lock."""


class Delete(Protocol):
    def __call__(self, tx: Tx, *, before: datetime, limit: int) -> int: ...


LIVE_KEPT = timedelta(days=2)
"""What live figures may look back to."""

KEPT: dict[str, tuple[Delete, timedelta | None]] = {
    "odd_events": (keeping.delete_odd_events, None),
    "sessions": (delete_sessions, None),
    "odd_steps": (steps.delete_odd_steps, None),
    "visitor_days": (steps.delete_days, None),
    "identity_links": (keeping.delete_links, None),
    "minutes": (keeping.delete_minutes, LIVE_KEPT),
    "salts": (salts.delete_salts, timedelta(0)),
    "batches": (keeping.delete_batches, BATCHES_KEPT),
    "interest": (keeping.delete_interest, INTEREST_KEPT),
    "hours": (keeping.delete_hours, HOURS_KEPT),
    "alert_hours": (alerts.delete_hours, HOURS_KEPT),
    "cold_products": (keeping.delete_cold, INTEREST_KEPT),
    "quarantine": (keeping.delete_settled_quarantine, QUARANTINE_KEPT),
    "exports": (privacy.delete_documents, EXPORTS_KEPT),
}


def partitions(
    db: Database, progress: Progress = unheard, *, kept: timedelta = EVENTS_KEPT, now: datetime | None = None
) -> dict[str, int]:
    """Make partitions ahead, drop those behind, delete old rows in bites. Answers counts. Safe to run twice.

    `kept` is how long events are, and what is made of single ones.
    """
    moment = now or datetime.now(UTC)
    with db.transaction() as tx:
        made = keeping.make_partitions(tx, since=moment, weeks=WEEKS_AHEAD)
        made += steps.make_partitions(tx, since=moment, weeks=WEEKS_AHEAD)
    with db.transaction() as tx:
        dropped = keeping.drop_partitions(tx, before=moment - kept)
        dropped += steps.drop_partitions(tx, before=moment - kept)
    counts = {"made": made, "dropped": dropped}
    for done, (name, (delete, own)) in enumerate(KEPT.items()):
        progress(done, len(KEPT))
        before = moment - (kept if own is None else own)
        counts[name] = _in_bites(db, lambda tx, d=delete, b=before: d(tx, before=b, limit=BATCH))
    return counts


def _in_bites(db: Database, delete: Callable[[Tx], int]) -> int:
    gone = 0
    while True:
        with db.transaction() as tx:
            bite = delete(tx)
        gone += bite
        if bite < BATCH:
            return gone
