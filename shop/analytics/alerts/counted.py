"""Signals that are counted by the hour: orders, revenue, events, against the same hour of the weeks before."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from db.database import Tx
from shop.analytics.alerts.baseline import WEEKS, Judged, judge_count
from shop.analytics.alerts.look import HOUR, Look, Seen, usual
from shop.analytics.alerts.words import amount, count
from shop.analytics.queries import signals
from shop.analytics.queries.signals import Hour

Read = Callable[[Tx, Sequence[datetime]], list[Hour]]


def orders(look: Look) -> Iterator[Seen]:
    """Orders placed in the last hour."""
    for _, judged in _counted(look, signals.orders, both_ways=False):
        words = f"{count(judged.observed, 'order')} within the last hour; {usual(judged.expected, count)}"
        yield Seen("orders", "", judged.verdict, judged.observed, judged.expected, words)


def revenue(look: Look) -> Iterator[Seen]:
    """Sales booked in the last hour, one currency at a time."""
    for currency, judged in _counted(look, signals.sales, both_ways=False):
        before = "what is usual is not known yet"
        if judged.expected is not None:
            before = f"usual are {amount(judged.expected, currency)}"
        words = f"sales of {amount(judged.observed, currency)} within the last hour; {before}"
        yield Seen("revenue", currency, judged.verdict, judged.observed, judged.expected, words)


def events(look: Look) -> Iterator[Seen]:
    """Events stored in the last hour: too few when pages lost their tracker, too many in a flood."""
    for _, judged in _counted(look, signals.events, both_ways=True):
        words = f"{count(judged.observed, 'event')} within the last hour; {usual(judged.expected, count)}"
        yield Seen("events", "", judged.verdict, judged.observed, judged.expected, words)


def _counted(look: Look, read: Read, *, both_ways: bool) -> Iterator[tuple[str, Judged]]:
    starts = _starts(look)
    with look.db.transaction() as tx:
        rows = read(tx, starts)
    for subject in sorted({row.subject for row in rows}):
        values = {row.place: row for row in rows if row.subject == subject}
        if 1 in values:
            yield subject, _judged(values, len(starts), both_ways=both_ways)


def _judged(values: dict[int, Hour], places: int, *, both_ways: bool) -> Judged:
    # Places as _starts made them: 1 is the hour that is judged, then week by week the same hour and the two beside it.
    past = [
        [values[place].total for place in range(2 + beside, places + 1, 3) if place in values] for beside in range(3)
    ]
    total = sum(map(sum, past))
    squares = sum(row.squares for place, row in values.items() if place > 1)
    unit = max(squares / total, 1.0) if total else 1.0
    return judge_count(values[1].total, past, unit=unit, both_ways=both_ways)


def _starts(look: Look) -> list[datetime]:
    """The hour up to now; then, week by week, the same hour on the shop's clock and the two beside it."""
    begin = look.now - HOUR
    local = begin.astimezone(look.zone).replace(tzinfo=None)
    starts = [begin]
    for week in range(1, WEEKS + 1):
        same = (local - timedelta(weeks=week)).replace(tzinfo=look.zone).astimezone(UTC)
        starts += [same, same - HOUR, same + HOUR]
    return starts
