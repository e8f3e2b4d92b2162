"""Fills the counters of this moment from the store: after they were lost, and every few minutes what they missed."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.queries import live as queries
from shop.ports.live import LiveCounters, LiveUnavailable
from shop.progress import Progress, unheard

FILLED_BACK = timedelta(hours=47)
"""The counters keep 48 hours; what would expire at once need not be told."""

HERE_FOR = timedelta(minutes=30)


def live_counters(db: Database, counters: LiveCounters, progress: Progress = unheard) -> dict[str, int]:
    """Tell the counters everything of two days. Answers how many minutes' counts there are, and how many they lacked.

    A larger count wins, so a drain may tell newer ones meanwhile. Does nothing while Redis is away.
    """
    now = datetime.now(UTC)
    try:
        word = counters.filling()
        with db.transaction() as tx:
            minutes = queries.minutes(tx, now - FILLED_BACK, now + timedelta(minutes=10))
            present = queries.visitors(tx, now - HERE_FOR)
        raised = counters.tell(minutes, present)
        whole = counters.filled(word)
    except LiveUnavailable:
        return {"unreachable": 1}
    progress(len(minutes), len(minutes))
    return {"counts": len(minutes), "raised": raised, "visitors": len(present), "whole": int(whole)}
