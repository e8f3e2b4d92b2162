"""Prefer: wait (RFC 7240): hold an answer back until its resource has settled, without holding the process up."""

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MAX_WAIT_S = 30.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.25
PAUSE_GROWTH = 1.5

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)


class Waiters:
    """Seats for waiting requests: each holds a thread, and the others must stay free for those who do not wait."""

    def __init__(self, seats: int) -> None:
        self._seats = threading.BoundedSemaphore(seats)

    def sit(self) -> bool:
        return self._seats.acquire(blocking=False)

    def leave(self) -> None:
        self._seats.release()


class Waiting:
    """One request's wish to wait. `applied` becomes True once the wish was honoured."""

    def __init__(self, waiters: Waiters, prefer: str | None, *, understood: bool) -> None:
        self.waiters = waiters
        self.wait_s = preferred_wait_s(prefer) if understood else 0.0
        self.applied = False
        self.waited_s = 0.0

    def until(self, found: T, load: Callable[[], T], settled: Callable[[T], bool]) -> T:
        """Load again until it has settled or the wait is over; answers what was loaded last.

        Without a wish to wait, or when too many wait already, that is `found`. `load` must not hold a transaction
        open between its calls.
        """
        if self.wait_s <= 0:
            return found
        if settled(found):
            self.applied = True
            return found
        if not self.waiters.sit():
            return found
        started = time.monotonic()
        try:
            found = _poll(load, settled, found, deadline=started + self.wait_s)
        finally:
            self.waiters.leave()
            self.waited_s = time.monotonic() - started
        self.applied = settled(found)
        return found


def preferred_wait_s(prefer: str | None) -> float:
    """Seconds of `wait=N`, at most MAX_WAIT_S; 0 without a usable wish (RFC 7240 tells us to ignore those)."""
    if prefer is None:
        return 0.0
    found = _WAIT.search(prefer)
    return min(float(found[1]), MAX_WAIT_S) if found else 0.0


def _poll(load: Callable[[], T], settled: Callable[[T], bool], found: T, *, deadline: float) -> T:
    pause_s = FIRST_PAUSE_S
    while not settled(found):
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * PAUSE_GROWTH, LONGEST_PAUSE_S)
        found = load()
    return found
