"""Analytics over HTTP: the overview of a range of days, and revenue from the ledger."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from shop.analytics import overview
from shop.analytics import revenue as earned
from shop.analytics.queries.money import Moved
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.call import Call
from web.models import Currency, In, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group

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
