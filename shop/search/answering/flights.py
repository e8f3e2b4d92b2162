"""Who asks what somebody else is just finding out waits for that answer instead of asking again."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

WAIT_S = 0.25
"""Ten searches' time: whoever has waited so long finds out by himself."""


@dataclass(slots=True)
class Flight(Generic[T]):
    """`landed`: what it brought, None as long as that is open, and for good where it brought nothing to share."""

    landed: T | None = None
    over: threading.Event = field(default_factory=threading.Event)


class Flights(Generic[T]):
    """Of one process: as many processes as there are ask once each."""

    def __init__(self, *, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._under_way: dict[str, Flight[T]] = {}

    @contextmanager
    def boarded(self, name: str) -> Generator[Flight[T]]:
        """A flight that has landed with an answer, or one's own: then `landed` is to be set before the block ends.

        Where a flight brings nothing, because it failed or its answer was for one person alone, one of those who
        waited goes next.
        """
        until = time.monotonic() + self._wait_s
        while True:
            with self._lock:
                other = self._under_way.get(name)
                if other is None:
                    own = self._under_way[name] = Flight[T]()
                    break
            if not other.over.wait(max(until - time.monotonic(), 0.0)):
                yield Flight[T]()
                return
            if other.landed is not None:
                yield other
                return
        try:
            yield own
        finally:
            with self._lock:
                del self._under_way[name]
            own.over.set()
