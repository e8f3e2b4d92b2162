"""What is happening right now: the last half hour by minute, and what is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from db import outbox
from db.database import Database
from shop import jobs
from shop.analytics.events.ingest import Waiting, waiting
from shop.analytics.queries import conservation
from shop.analytics.queries import live as queries
from shop.ports.events import EventStream
from shop.ports.live import LiveCounters, LiveUnavailable, MinuteCount

SHOWN = timedelta(minutes=30)
PRESENT = timedelta(minutes=5)
"""Whoever did something within five minutes is taken to be here still."""

CLOCKS_APART = timedelta(minutes=10)
"""Events may be five minutes ahead of us; they count in the minute they name."""


@dataclass(frozen=True, slots=True)
class Live:
    """Provisional, because events of these minutes still come in. `counted_by` says who knew: both know the same."""

    at: datetime
    counted_by: Literal["redis", "postgresql"]
    visitors_now: int
    minutes: Sequence[MinuteCount]
    orders_placed: int
    orders_paid: int
    in_flight: Waiting


def live(db: Database, stream: EventStream, counters: LiveCounters) -> Live:
    """Asks Redis; the store, as long as Redis does not know everything, which it is then told again."""
    now = datetime.now(UTC)
    since = (now - SHOWN).replace(second=0, microsecond=0)
    known = _from_counters(counters, now, since)
    visitors, minutes = known or _from_store(db, now, since)
    with db.transaction() as tx:
        placed, paid = conservation.orders_since(tx, since)
        if known is None:
            outbox.stage(tx, jobs.FILL_LIVE_COUNTERS, unique_key=jobs.FILL_LIVE_COUNTERS.name)
    return Live(
        at=now,
        counted_by="redis" if known else "postgresql",
        visitors_now=visitors,
        minutes=minutes,
        orders_placed=placed,
        orders_paid=paid,
        in_flight=waiting(db, stream),
    )


def _from_counters(counters: LiveCounters, now: datetime, since: datetime) -> tuple[int, list[MinuteCount]] | None:
    try:
        minutes = counters.minutes(since, now + CLOCKS_APART)
        present = counters.present(now - PRESENT)
    except LiveUnavailable:
        return None
    return None if minutes is None or present is None else (present, minutes)


def _from_store(db: Database, now: datetime, since: datetime) -> tuple[int, list[MinuteCount]]:
    with db.transaction() as tx:
        return len(queries.visitors(tx, now - PRESENT)), queries.minutes(tx, since, now + CLOCKS_APART)
