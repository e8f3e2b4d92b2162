"""The stand-in's own time: it runs with the world, can be moved forward, and wakes what is due on the way."""

import heapq
import itertools
import time
from collections.abc import Callable

Action = Callable[[], None]


class Clock:
    """Seconds since 1970, ahead of the real clock by whatever tests have added. Not thread-safe by itself."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Action]] = []

    def now(self) -> int:
        """Return whole seconds, as Stripe writes times."""
        return int(self.exact())

    def exact(self) -> float:
        return time.time() + self._ahead

    def at(self, when: float, action: Action) -> None:
        """Plan `action` for a moment of this clock."""
        heapq.heappush(self._due, (when, next(self._numbers), action))

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    def run_due(self) -> None:
        """Run whatever the passing of time has made due."""
        while self._due and self._due[0][0] <= self.exact():
            heapq.heappop(self._due)[2]()

    def advance(self, seconds: float) -> None:
        """Move forward step by step, so that each planned action sees the time it was planned for."""
        target = self._ahead + seconds
        while self._due and self._due[0][0] <= time.time() + target:
            when, _number, action = heapq.heappop(self._due)
            self._ahead = max(self._ahead, when - time.time())
            action()
        self._ahead = max(self._ahead, target)

    def reset(self) -> None:
        self._ahead = 0.0
        self._due = []
