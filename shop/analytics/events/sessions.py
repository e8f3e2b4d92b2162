"""Keeps the visits: derives those again whose visitors did something, so that late events heal what they change."""

from db.database import Database
from shop.analytics.queries import sessions as queries
from shop.progress import Progress, unheard

BITE = 1_000
"""Notes of the drain a transaction: as many visitors or fewer, each with the events of a visit or two."""


def sessions(db: Database, progress: Progress = unheard) -> dict[str, int]:
    """Derive what the drain noted. Answers visits written, and those that merged with others and went.

    A crash leaves the notes of the last bite; deriving again gives the same visits with the same ids.
    """
    sums = {"notes": 0, "written": 0, "merged": 0}
    while True:
        with db.transaction() as tx:
            queries.lock_sessions(tx)
            taken = queries.take_touched(tx, limit=BITE)
            if taken:
                queries.derive(tx)
                queries.count_orders(tx)
                written, merged = queries.replace(tx)
                sums = {
                    "notes": sums["notes"] + taken,
                    "written": sums["written"] + written,
                    "merged": sums["merged"] + merged,
                }
        progress(sums["notes"], None)
        if taken < BITE:
            return sums
