"""Analytics over HTTP: the overview, revenue from the ledger, what is live, and the conservation ledger of events."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from flask import Response
from pydantic import AwareDatetime, ConfigDict, Field

from boot.services import Database
from shop.analytics import conservation, overview
from shop.analytics import live as now_live
from shop.analytics import revenue as earned
from shop.analytics.queries.money import Moved
from shop.analytics.revenue import RangeTooLong
from shop.ports.events import EventStream
from web.access import SUPPORT
from web.call import Call
from web.models import Currency, In, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group
from web.streams import Event, stream

GROUP = Group("Analytics", "How the shop does. Money is summed from the ledger, never from events.")

Day = Annotated[date, Field(ge=date(2000, 1, 2), le=date(9998, 12, 31))]

USUAL_RANGE = timedelta(days=27)
"""Four weeks with today: each weekday as often as the others."""


class RangeQuery(In):
    """Days in the shop's time zone, both included. Without them: the last 28 days, today included."""

    from_: Day | None = Field(None, alias="from")
    to: Day | None = None

    def days(self, call: Call) -> tuple[date, date]:
        """Raises Invalid where the range ends before it begins."""
        last = self.to or datetime.now(call.services.settings.zone).date()
        first = self.from_ or last - USUAL_RANGE
        if last < first:
            raise Invalid([Fault("/to", "is before from")])
        return first, last


class Spanned(Out):
    """Has a beginning called `from`, which Python cannot say."""

    model_config = ConfigDict(serialize_by_alias=True)


class MovedBody(Out):
    """Whole minor units. `gross` and `refunds` with tax; `net` without tax, after refunds; `orders` counts sales."""

    currency: Currency
    gross: int
    refunds: int
    net: int
    tax: int
    shipping: int
    fees: int
    disputes: int
    orders: int
    average_order: int | None


class PeriodMoved(MovedBody):
    """`period` is its first day."""

    period: date


class RangeBody(Spanned):
    """`conversion` is orders per visitor."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    visitors: int
    sessions: int
    orders: int
    conversion: float | None
    revenue: list[MovedBody]


class OverviewBody(Out):
    zone: str
    now: RangeBody
    before: RangeBody


class RevenueQuery(RangeQuery):
    """`view`: `booking_day` for what was booked then, `order_day` for what orders placed then are worth. `as_of`: as it
    was known at that moment."""

    interval: Literal["day", "week", "month"] = "day"
    group: Literal["currency"] = "currency"
    view: Literal["order_day", "booking_day"] = "booking_day"
    as_of: AwareDatetime | None = None


class RevenueBody(Spanned):
    """Periods in which nothing moved have no row."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    interval: str
    view: str
    as_of: Time
    data: list[PeriodMoved]
    totals: list[MovedBody]


class MinuteBody(Out):
    minute: Time
    events: dict[str, int]


class LiveBody(Out):
    """Of people, in the last 30 minutes; provisional, because events of these minutes still come in. `in_flight` is
    null while the stream cannot be asked."""

    at: Time
    provisional: bool
    visitors_now: int
    orders_placed: int
    orders_paid: int
    in_flight: int | None
    minutes: list[MinuteBody]


class IngestQuery(In):
    """Minutes in UTC; without them the last 24 hours."""

    from_: AwareDatetime | None = Field(None, alias="from")
    to: AwareDatetime | None = None


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


@GROUP.route("GET", "/v1/analytics/overview", who=SUPPORT, answers={200: OverviewBody}, errors=(RangeTooLong,))
def show_overview(call: Call, query: RangeQuery) -> OverviewBody:
    """Visitors, sessions, orders, revenue and conversion of a range, against the range before it."""
    first, last = query.days(call)
    zone = call.services.settings.zone
    found = overview.overview(call.db, zone, first=first, last=last)
    return OverviewBody(zone=zone.key, now=_range(found.now), before=_range(found.before))


@GROUP.route("GET", "/v1/analytics/revenue", who=SUPPORT, answers={200: RevenueBody}, errors=(RangeTooLong,))
def show_revenue(call: Call, query: RevenueQuery) -> RevenueBody:
    """Revenue from the ledger, by day, week or month.

    Refunds, fees and disputes are in it; currencies are never added up.
    """
    first, last = query.days(call)
    zone = call.services.settings.zone
    found = earned.revenue(
        call.db, zone, first=first, last=last, interval=query.interval, view=query.view, as_of=query.as_of
    )
    return RevenueBody(
        first=first,
        last=last,
        zone=zone.key,
        interval=query.interval,
        view=query.view,
        as_of=found.as_of,
        data=[PeriodMoved(period=row.day, **_moved(row).model_dump()) for row in found.rows],
        totals=_totals(found.rows),
    )


@GROUP.route("GET", "/v1/analytics/live", who=SUPPORT, answers={200: (LiveBody, "text/event-stream")})
def show_live(call: Call) -> LiveBody | Response:
    """What is happening right now.

    With `Accept: text/event-stream` the same figures come again every two seconds, as events called `live`.
    """
    if call.may_stream():
        return stream(call, LiveSource(call.db, call.services.events))
    return _live(call.db, call.services.events)


LOOK_EVERY_S = 2.0
"""As often as a person's eye goes back to a figure; each look is three queries over the newest minutes."""


class LiveSource:
    """The live figures, for as long as somebody watches."""

    ended = False

    def __init__(self, db: Database, events: EventStream) -> None:
        self._db = db
        self._events = events
        self._looked_at = -LOOK_EVERY_S

    def news(self) -> Iterable[Event]:
        if time.monotonic() - self._looked_at < LOOK_EVERY_S:
            return []
        self._looked_at = time.monotonic()
        return [Event("live", _live(self._db, self._events))]


def _live(db: Database, events: EventStream) -> LiveBody:
    found = now_live.live(db, events)
    minutes: dict[datetime, dict[str, int]] = {}
    for row in found.minutes:
        minutes.setdefault(row.minute, {})[row.name] = row.events
    return LiveBody(
        at=found.at,
        provisional=True,
        visitors_now=found.visitors_now,
        orders_placed=found.orders_placed,
        orders_paid=found.orders_paid,
        in_flight=found.in_flight.events if found.in_flight.stream_reachable else None,
        minutes=[MinuteBody(minute=minute, events=events) for minute, events in minutes.items()],
    )


@GROUP.route("GET", "/v1/analytics/ingest", who=SUPPORT, answers={200: IngestBody})
def show_ingest(call: Call, query: IngestQuery) -> IngestBody:
    """The conservation ledger: what was received, and what became of every event of it."""
    end = query.to or datetime.now(UTC) + timedelta(minutes=1)
    start = query.from_ or end - timedelta(days=1)
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


def _range(found: overview.Range) -> RangeBody:
    return RangeBody(
        first=found.first,
        last=found.last,
        visitors=found.visitors,
        sessions=found.sessions,
        orders=found.orders,
        conversion=found.conversion,
        revenue=[_moved(row) for row in found.money],
    )


def _moved(row: Moved) -> MovedBody:
    return MovedBody(
        currency=row.currency,
        gross=row.gross,
        refunds=row.refunds,
        net=row.net,
        tax=row.tax,
        shipping=row.shipping,
        fees=row.fees,
        disputes=row.disputes,
        orders=row.orders,
        average_order=round(row.gross / row.orders) if row.orders else None,
    )


def _totals(rows: Sequence[Moved]) -> list[MovedBody]:
    totals: dict[str, MovedBody] = {}
    for row in rows:
        one = _moved(row)
        sofar = totals.get(row.currency)
        totals[row.currency] = one if sofar is None else _sum(sofar, one)
    return list(totals.values())


def _sum(one: MovedBody, other: MovedBody) -> MovedBody:
    orders, gross = one.orders + other.orders, one.gross + other.gross
    return MovedBody(
        currency=one.currency,
        gross=gross,
        refunds=one.refunds + other.refunds,
        net=one.net + other.net,
        tax=one.tax + other.tax,
        shipping=one.shipping + other.shipping,
        fees=one.fees + other.fees,
        disputes=one.disputes + other.disputes,
        orders=orders,
        average_order=round(gross / orders) if orders else None,
    )
