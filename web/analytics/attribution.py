"""Attribution over HTTP: which channels and campaigns brought which net revenue."""

from datetime import date, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field

from shop.analytics import attribution as credit
from shop.analytics.queries.attribution import Credited
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import RangeQuery, Spanned
from web.call import Call
from web.limiting import Limit
from web.models import Currency, Out, Time
from web.routes import Group

GROUP = Group("Attribution", "What brought the orders, told on the money that stayed.")

PER_CALLER = Limit(30, bucket="funnels")
"""As heavy as a funnel, and of the same people."""


class AttributionQuery(RangeQuery):
    """`model`: all of an order's net to the `first` or the `last` visit before it, or to each the same (`linear`).
    `lookback_days`: how old a visit may be. `skip_direct`: visits without any source count only where there are no
    others. `as_of`: as it was known at that moment."""

    model: Literal["first", "last", "linear"] = "last"
    by: Literal["channel", "campaign"] = "channel"
    lookback_days: int = Field(30, ge=1, le=90)
    skip_direct: bool = False
    as_of: AwareDatetime | None = None


class SumBody(Out):
    """`net`: whole minor units, without tax, after refunds."""

    currency: Currency
    orders: int
    net: int


class CreditBody(SumBody):
    """`value` is null where the visits name none. `orders` had one of these visits credited: with `linear` an order may
    be in several rows. `share` of the currency's net; null where that is 0."""

    value: str | None
    share: float | None


class AttributionBody(Spanned):
    """`data` and `unattributed` (orders before which no visit is known) add up to `totals`, and these are revenue by
    order day of the same days."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    model: str
    by: str
    lookback_days: int
    as_of: Time
    data: list[CreditBody]
    unattributed: list[SumBody]
    totals: list[SumBody]


@GROUP.route(
    "GET",
    "/v1/analytics/attribution",
    who=SUPPORT,
    answers={200: AttributionBody},
    errors=(RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def show_attribution(call: Call, query: AttributionQuery) -> AttributionBody:
    """Net revenue of the orders of a range, by the channels or campaigns of the visits before them.

    To the last cent: what cannot be divided is given to the earliest visits, nothing is lost and nothing counted twice.
    """
    first, last = query.days(call)
    zone = call.services.settings.zone
    found = credit.attribution(
        call.db,
        zone,
        first=first,
        last=last,
        model=query.model,
        by=query.by,
        lookback=timedelta(days=query.lookback_days),
        skip_direct=query.skip_direct,
        as_of=query.as_of,
    )
    totals = {one.currency: one for one in found.totals}
    return AttributionBody(
        first=first,
        last=last,
        zone=zone.key,
        model=query.model,
        by=query.by,
        lookback_days=query.lookback_days,
        as_of=found.as_of,
        data=[_credit(row, totals[row.currency].net) for row in found.credited],
        unattributed=[SumBody.model_validate(row) for row in found.unattributed],
        totals=[SumBody.model_validate(one) for one in found.totals],
    )


def _credit(row: Credited, total: int) -> CreditBody:
    share = row.net / total if total else None
    return CreditBody(value=row.value, currency=row.currency, orders=row.orders, net=row.net, share=share)
