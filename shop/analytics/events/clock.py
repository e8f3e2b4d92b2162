"""When an event happened, although the clock of the visitor's machine may be wrong."""

from datetime import datetime, timedelta

EARLIEST = timedelta(days=7)
"""A page keeps unsent events for days (a phone in a tunnel, a laptop over the weekend), not for weeks."""

LATEST = timedelta(minutes=5)
"""A little ahead is drift between sending and receiving; more is a wrong clock."""

TRUSTED_WITHIN = timedelta(minutes=1)
"""A clock this close to ours, the way here included, is taken at its word."""


def correct(ts: datetime, sent_at: datetime, received_at: datetime) -> tuple[datetime, str]:
    """The moment by our clock, and how it came about: as_sent, corrected, clamped_early or clamped_late.

    A machine whose clock is wrong is wrong about both times, so what it says lay between them still holds.
    """
    if abs(received_at - sent_at) <= TRUSTED_WITHIN:
        moment, how = ts, "as_sent"
    else:
        moment, how = _before(received_at, sent_at - ts), "corrected"
    if moment < received_at - EARLIEST:
        return received_at - EARLIEST, "clamped_early"
    if moment > received_at + LATEST:
        return received_at + LATEST, "clamped_late"
    return moment, how


def _before(received_at: datetime, gap: timedelta) -> datetime:
    # A year 1 or 9999 in the event would leave the calendar; anything beyond the clamp is as good.
    bounded = min(max(gap, -2 * EARLIEST), 2 * EARLIEST)
    return received_at - bounded
