"""What the shop expects of the place that is asked for the figures of this moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """Events of one minute and name; `human` apart from machines."""

    minute: datetime
    name: str
    human: bool
    events: int


@dataclass(frozen=True, slots=True)
class Presence:
    """A visitor, as a number that does not tell who, and when something was last done."""

    visitor: int
    at: datetime


class LiveCounters(Protocol):
    """May forget everything at any time, and says so. Methods raise LiveUnavailable while it cannot be reached.

    Counts are absolute, and a larger one wins: told twice, late or out of order, they come out the same.
    """

    def tell(self, minutes: Sequence[MinuteCount], present: Iterable[Presence]) -> int:
        """What the store has by now. Answers how many counts were not known yet or too low."""
        ...

    def filling(self) -> str:
        """Begin to tell everything. Answers a word for `filled`."""
        ...

    def filled(self, word: str) -> bool:
        """Everything was told. False when it was forgotten again since `filling`."""
        ...

    def minutes(self, since: datetime, until: datetime) -> list[MinuteCount] | None:
        """Oldest first; None when not everything is known."""
        ...

    def present(self, since: datetime) -> int | None:
        """Visitors who did something since then; None when not everything is known."""
        ...

    def forget(self) -> None:
        """Of everybody, because somebody was erased: what stays is told again."""
        ...


class LiveUnavailable(Exception):
    """Nothing is wrong with the figures; they are in the store."""
