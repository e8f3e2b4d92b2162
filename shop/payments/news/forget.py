"""Forgetting what settled deliveries held: their bodies are full of names, addresses and cards' last digits."""

from db.database import Database
from shop.payments.queries import orphans
from shop.progress import Progress, unheard

KEEP_BODIES_DAYS = 90
"""Three times as long as Stripe itself lists an event (30 days), so that a complaint of last quarter can be answered.
After that what the news did is in the facts of its order, and the row says what came, when, and how it was settled."""

KEEP_REFUSED_DAYS = 7
"""What was never genuine is worth a week of looking into, and strangers decide how much of it there is."""

DELETE_REFUSED_DAYS = 90
"""Of deliveries that were refused not even the row is worth more: nothing they say is believed."""

BATCH = 1_000
"""Rows per transaction: bodies are a few kilobytes each, so well under a second."""


def forget(db: Database, progress: Progress = unheard) -> dict[str, int]:
    """Blank and delete in small transactions until nothing old is left; answers how many rows.

    What still waits (parked, orphan, returning) keeps its body: somebody has to read it. Safe to run twice at once and
    to be stopped anywhere.
    """
    blanked = deleted = 0
    while True:
        with db.transaction() as tx:
            batch = orphans.blank(tx, days=KEEP_BODIES_DAYS, refused_days=KEEP_REFUSED_DAYS, limit=BATCH)
        blanked += batch
        progress(blanked, None)
        if batch < BATCH:
            break
    while True:
        with db.transaction() as tx:
            batch = orphans.delete_refused(tx, days=DELETE_REFUSED_DAYS, limit=BATCH)
        deleted += batch
        progress(blanked + deleted, None)
        if batch < BATCH:
            break
    return {"blanked": blanked, "deleted": deleted}
