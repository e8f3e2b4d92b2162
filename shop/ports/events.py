"""What the shop expects of the place where accepted events wait until they are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from shop.errors import NotYet, Rejected


class StreamUnavailable(NotYet):
    """The stream did not say that it kept the batch. It may have: the batch's id tells later."""

    code = "events_unavailable"


class StreamFull(Rejected):
    """More waits than the workers have taken away for a while. The sender keeps its batch and comes again."""

    code: ClassVar[str] = "rate_limited"
    status: ClassVar[int] = 429
    retry_after_s: ClassVar[float] = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch as it waits. `events` counts all that was received in it, refused ones included."""

    id: str
    events: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is between the door and the store: whole batches, the events in them, their size in bytes."""

    batches: int
    events: int
    size: int


class EventStream(Protocol):
    """Batches in order of arrival. Every method raises StreamUnavailable when the place cannot be reached."""

    def append(self, body: bytes, *, events: int, received_at: datetime) -> None:
        """Keep one batch; when it returns, the batch is kept. Raises StreamFull."""
        ...

    def read(self, *, at_least: int, wait_s: float = 0) -> list[Entry]:
        """Batches nobody has read yet, until `at_least` events are together or there are no more.

        With `wait_s` (below half a second) it waits that long for the first one.
        """
        ...

    def claim(self) -> list[Entry]:
        """Batches that somebody read long ago and never settled: whoever it was has died."""
        ...

    def settle(self, entries: Sequence[Entry]) -> None:
        """These are stored for good: forget them. Settling twice is harmless."""
        ...

    def enter(self) -> bool:
        """Become the one who reads; False while there is another. Whoever does not read for two seconds is gone."""
        ...

    def leave(self) -> None:
        """Whoever read will not read again."""
        ...

    def length(self) -> int:
        """Batches that are not settled."""
        ...

    def due(self) -> bool:
        """Is there anything that `read` or `claim` would give right now, and nobody at it?"""
        ...

    def waiting(self) -> Waiting: ...

    def oldest(self) -> datetime | None:
        """When the batch came that has waited longest and is not settled; None when none waits."""
        ...

    def counted(self, since: datetime, until: datetime) -> int:
        """Events that came in through `append` from minute `since` to minute `until` (excluded), as counted there.

        Kept for three days; independent of the store, so that the two can be compared.
        """
        ...
