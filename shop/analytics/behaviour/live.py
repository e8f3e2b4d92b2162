"""What is happening right now: the last half hour by minute, and what is on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.events.ingest import Waiting, waiting
from shop.analytics.queries import conservation
from shop.analytics.queries.conservation import MinuteCount
from shop.ports.events import EventStream

SHOWN = timedelta(minutes=30)
PRESENT = timedelta(minutes=5)
"""Whoever did something within five minutes is taken to be here still."""


@dataclass(frozen=True, slots=True)
class Live:
    """Of people; provisional, because events of these minutes still come in."""

    at: datetime
    visitors_now: int
    minutes: Sequence[MinuteCount]
    orders_placed: int
    orders_paid: int
    in_flight: Waiting


def live(db: Database, stream: EventStream) -> Live:
    now = datetime.now(UTC)
    since = (now - SHOWN).replace(second=0, microsecond=0)
    with db.transaction() as tx:
        placed, paid = conservation.orders_since(tx, since)
        return Live(
            at=now,
            visitors_now=conservation.visitors_since(tx, now - PRESENT),
            minutes=conservation.recent(tx, since),
            orders_placed=placed,
            orders_paid=paid,
            in_flight=waiting(db, stream),
        )
