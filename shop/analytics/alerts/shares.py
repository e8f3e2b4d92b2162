"""Signals that are shares: of tries to pay, of searches, of orders, against the four weeks before."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from db.database import Tx
from shop.analytics.alerts.baseline import judge_share
from shop.analytics.alerts.look import HOUR, Look, Seen, usual
from shop.analytics.alerts.words import percent
from shop.analytics.queries import alerts, signals

LEAST = 30
"""Tries: of fewer, a third more is one or two."""

RISE = 0.05
"""Five of a hundred more than usual is worth a look; less drowns in the days."""

BEFORE = timedelta(days=28)
"""Each weekday four times."""

AGAIN = 3 * HOUR
"""The newest hours are counted anew at each look: orders are paid and events come later than they happened."""


class Recount(Protocol):
    def __call__(self, tx: Tx, *, since: datetime) -> None: ...


def payment_failures(look: Look) -> Iterator[Seen]:
    """Refused tries to pay, of this hour and the one before."""
    yield _share(look, "payment_failures", signals.count_refused_payments, "tries to pay were refused", hours=2)


def empty_searches(look: Look) -> Iterator[Seen]:
    """Searches that found nothing, of this hour and the one before."""
    yield _share(look, "empty_searches", signals.count_empty_searches, "searches found nothing", hours=2)


def tracking_loss(look: Look) -> Iterator[Seen]:
    """Paid orders of a day whose pages sent no event."""
    words = "paid orders came from pages that sent no event"
    yield _share(look, "tracking_loss", signals.count_untracked_orders, words, hours=24)


def _share(look: Look, kind: str, recount: Recount, words: str, *, hours: int) -> Seen:
    """Counts the newest hours again, then judges the last `hours` by the four weeks before."""
    end = look.now
    start = end.replace(minute=0, second=0, microsecond=0) - (hours - 1) * HOUR
    with look.db.transaction() as tx:
        last = alerts.last_hour(tx, kind)
        oldest = start - BEFORE
        recount(tx, since=oldest if last is None else max(oldest, last - AGAIN))
        hits, tries = alerts.share(tx, kind, start=start, end=end)
        before = alerts.daily_shares(tx, kind, end=start, span=BEFORE, least=LEAST)
    judged = judge_share(hits, tries, before, least=LEAST, rise=RISE)
    told = f"{hits:,} of {tries:,} {words} ({percent(judged.observed)}); {usual(judged.expected, percent)}"
    return Seen(kind, "", judged.verdict, judged.observed, judged.expected, told)
