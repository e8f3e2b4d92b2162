"""The stand-in's own time: it runs with the world, can be moved forward, and wakes what is due on the way."""

import heapq
import itertools
import time
from collections.abc import Callable

from devstack.stand_ins.keeping import Keeping

Action = Callable[[str], None]  # takes the id of what it is about


class Clock:
    """Seconds since 1970, ahead of the real clock by whatever tests have added. Not thread-safe by itself.

    `actions` are what can be planned, by name: a plan is kept, and a function cannot be.
    """

    def __init__(self, keeping: Keeping) -> None:
        self.actions: dict[str, Action] = {}
        self._keeping = keeping
        self._ahead: float = dict(keeping.rows("clock")).get("ahead", 0.0)
        self._due: list[tuple[float, int, str, str]] = [
            (when, int(number), action, about) for number, (when, action, about) in keeping.rows("due")
        ]
        heapq.heapify(self._due)
        self._numbers = itertools.count(1 + max((entry[1] for entry in self._due), default=0))

    def now(self) -> int:
        """Return whole seconds, as Stripe writes times."""
        return int(self.exact())

    def exact(self) -> float:
        return time.time() + self._ahead

    def at(self, when: float, action: str, about: str) -> None:
        """Plan the action of that name for a moment of this clock, about the object of that id."""
        number = next(self._numbers)
        heapq.heappush(self._due, (when, number, action, about))
        self._keeping.put("due", str(number), (when, action, about))

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    def run_due(self) -> None:
        """Run whatever the passing of time has made due."""
        while self._due and self._due[0][0] <= self.exact():
            self._run_next()

    def advance(self, seconds: float) -> None:
        """Move forward step by step, so that each planned action sees the time it was planned for."""
        target = self._ahead + seconds
        while self._due and self._due[0][0] <= time.time() + target:
            self._ahead = max(self._ahead, self._due[0][0] - time.time())
            self._run_next()
        self._ahead = max(self._ahead, target)
        self._keeping.put("clock", "ahead", self._ahead)

    def reset(self) -> None:
        self._ahead = 0.0
        self._due = []
        self._keeping.clear("clock", "due")

    def _run_next(self) -> None:
        _when, number, action, about = heapq.heappop(self._due)
        self._keeping.drop("due", str(number))
        self.actions[action](about)
