"""Analytics over HTTP: the overview of a range of days, and revenue from the ledger."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, ConfigDict, Field

from shop.analytics import revenue as earned
from shop.analytics.behaviour import overview
from shop.analytics.queries.money import Moved
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.call import Call
from web.models import Currency, In, Maybe, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Analytics", "How the shop does. Money is summed from the ledger, never from events.")

Day = Annotated[date, Field(ge=date(2000, 1, 2), le=date(9998, 12, 31))]

Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 2, tzinfo=UTC), le=datetime(9998, 12, 31, tzinfo=UTC))]

DayOrMoment = Annotated[Moment | Day, Field(union_mode="left_to_right")]
"""How people and programs name an end of a range: `2026-11-22`, or a time as RFC 3339 writes it."""

USUAL_RANGE = timedelta(days=27)
"""Four weeks with today: each weekday as often as the others."""


class RangeQuery(In):
    """Days in the shop's time zone, both included; a time stands for the day it lies in, and `to` for the day that ends
    with it or after it. Without them: the last 28 days, today included.
    """

    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None

    def days(self, call: Call) -> tuple[date, date]:
        """Raises Invalid where the range ends before it begins."""
        zone = call.services.settings.zone
        end = datetime.now(zone) if self.to is None else end_of(self.to, zone)
        last = (end - timedelta.resolution).astimezone(zone).date()
        first = last - USUAL_RANGE if self.from_ is None else start_of(self.from_, zone).astimezone(zone).date()
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
    """`period` is its first day. `value`: the brand of the card or the country, where that was asked for."""

    period: date
    value: Maybe[str] = None


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
    was known at that moment. `group`: `currency` alone, or told apart by `method` (the brand of the card) or `country`,
    of a quarter of a year at most."""

    interval: Literal["day", "week", "month"] = "day"
    group: Literal["currency", "method", "country"] = "currency"
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


def start_of(at: date, zone: ZoneInfo) -> datetime:
    """A moment as it is, or the moment a day begins in the zone."""
    return at if isinstance(at, datetime) else datetime.combine(at, time.min, zone)


def end_of(at: date, zone: ZoneInfo) -> datetime:
    """A moment as it is, or the moment a day is over in the zone."""
    return at if isinstance(at, datetime) else datetime.combine(at + timedelta(days=1), time.min, zone)


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
        call.db,
        zone,
        first=first,
        last=last,
        interval=query.interval,
        view=query.view,
        as_of=query.as_of,
        group=None if query.group == "currency" else query.group,
    )
    values = found.groups or [None] * len(found.rows)
    return RevenueBody(
        first=first,
        last=last,
        zone=zone.key,
        interval=query.interval,
        view=query.view,
        as_of=found.as_of,
        data=[
            PeriodMoved(period=row.day, value=value, **_moved(row).model_dump())
            for row, value in zip(found.rows, values, strict=True)
        ],
        totals=_totals(found.rows),
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
