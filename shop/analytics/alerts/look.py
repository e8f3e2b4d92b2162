"""What a look at the shop needs, and what it sees."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from db.database import Database
from shop.analytics.alerts.baseline import Verdict
from shop.ports.events import EventStream

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Look:
    """`now` is the moment that is looked at, `zone` the shop's, in which weeks repeat, `currency` its own."""

    db: Database
    stream: EventStream
    zone: ZoneInfo
    now: datetime
    currency: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one thing. `subject` is which of its kind: a currency, a job, a table; empty where there is one.
    `words` is a sentence for the person who is told."""

    kind: str
    subject: str
    verdict: Verdict
    observed: float
    expected: float | None
    words: str


def usual(expected: float | None, told: Callable[[float], str]) -> str:
    return "what is usual is not known yet" if expected is None else f"usual are {told(expected)}"
