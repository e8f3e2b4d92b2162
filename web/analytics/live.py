"""What is happening right now over HTTP: live figures, and the conservation ledger of events."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

from flask import Response
from pydantic import Field

from boot.services import Database, Services
from shop.analytics.behaviour import live as now_live
from shop.analytics.events import conservation
from web.access import SUPPORT
from web.analytics.figures import DayOrMoment, Spanned, end_of, start_of
from web.call import Call
from web.models import In, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group
from web.streams import Event, stream

GROUP = Group("Live", "What is happening right now, and what became of every event that came in.")


Bots = Literal["without", "with", "only"]


class MinuteBody(Out):
    minute: Time
    events: dict[str, int]


class LiveBody(Out):
    """The last 30 minutes; provisional, because events of these minutes still come in. `in_flight` is null while the
    stream cannot be asked. `counted_by` says where the figures come from; both know the same. `bots` is about
    `minutes`; `visitors_now` are people, whatever it says.
    """

    at: Time
    provisional: bool
    counted_by: Literal["redis", "postgresql"]
    bots: Bots
    visitors_now: int
    orders_placed: int
    orders_paid: int
    in_flight: int | None
    minutes: list[MinuteBody]


class LiveQuery(In):
    """Whose events are shown by minute: of people, of machines, or of both."""

    bots: Bots = "without"


class IngestQuery(In):
    """Minutes in UTC, or days in the shop's time zone, both included; without them the last 24 hours."""

    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None


class IngestMinute(Out):
    minute: Time
    sender: str
    received: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    quarantined: int


class IngestBody(Spanned):
    """received = stored + duplicate + conflict + rejected + quarantined + in_flight, always.

    `at_the_door` is what the web processes counted by themselves (null when they no longer know);
    `unaccounted` is what they counted and nobody has: lost events, an alarm.
    """

    first: Time = Field(serialization_alias="from")
    last: Time = Field(serialization_alias="to")
    balanced: bool
    received: int
    stored: int
    duplicate: int
    conflict: int
    rejected: int
    rejected_by_code: dict[str, int]
    quarantined: int
    in_flight: int
    at_the_door: int | None
    unaccounted: int | None
    open_quarantine: int
    minutes: list[IngestMinute]


@GROUP.route("GET", "/v1/analytics/live", who=SUPPORT, answers={200: (LiveBody, "text/event-stream")})
def show_live(call: Call, query: LiveQuery) -> LiveBody | Response:
    """What is happening right now.

    With `Accept: text/event-stream` the same figures come again every two seconds, as events called `live`.
    """
    if call.may_stream():
        return stream(call, LiveSource(call.db, call.services, query.bots))
    return _live(call.db, call.services, query.bots)


LOOK_EVERY_S = 2.0
"""As often as a person's eye goes back to a figure; each look is three queries over the newest minutes."""


class LiveSource:
    """The live figures, for as long as somebody watches."""

    ended = False

    def __init__(self, db: Database, services: Services, bots: Bots) -> None:
        self._db = db
        self._services = services
        self._bots: Bots = bots
        self._looked_at = -LOOK_EVERY_S

    def news(self) -> Iterable[Event]:
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return []
        self._looked_at = time.monotonic()
        return [Event("live", _live(self._db, self._services, self._bots))]


def _live(db: Database, services: Services, bots: Bots) -> LiveBody:
    found = now_live.live(db, services.events, services.live)
    minutes: dict[datetime, Counter[str]] = {}
    for row in found.minutes:
        if bots == "with" or row.human == (bots == "without"):
            minutes.setdefault(row.minute, Counter())[row.name] += row.events
    return LiveBody(
        at=found.at,
        provisional=True,
        counted_by=found.counted_by,
        bots=bots,
        visitors_now=found.visitors_now,
        orders_placed=found.orders_placed,
        orders_paid=found.orders_paid,
        in_flight=found.in_flight.events if found.in_flight.stream_reachable else None,
        minutes=[MinuteBody(minute=minute, events=events) for minute, events in minutes.items()],
    )


@GROUP.route("GET", "/v1/analytics/ingest", who=SUPPORT, answers={200: IngestBody})
def show_ingest(call: Call, query: IngestQuery) -> IngestBody:
    """The conservation ledger: what was received, and what became of every event of it."""
    zone = call.services.settings.zone
    end = datetime.now(UTC) + timedelta(minutes=1) if query.to is None else end_of(query.to, zone)
    start = end - timedelta(days=1) if query.from_ is None else start_of(query.from_, zone)
    if not start < end <= start + timedelta(days=400):
        raise Invalid([Fault("/to", "must be after from, and at most 400 days")])
    found = conservation.ledger(call.db, call.services.events, start=start, end=end)
    return IngestBody(
        first=start,
        last=end,
        balanced=found.balanced,
        received=found.received,
        stored=found.sums.stored,
        duplicate=found.sums.duplicate,
        conflict=found.sums.conflict,
        rejected=found.sums.rejected,
        rejected_by_code=dict(found.rejections),
        quarantined=found.sums.quarantined,
        in_flight=found.in_flight.events,
        at_the_door=found.at_the_door,
        unaccounted=found.unaccounted,
        open_quarantine=found.open_quarantine,
        minutes=[IngestMinute.model_validate(row) for row in found.minutes],
    )
