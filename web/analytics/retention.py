"""Retention and product performance over HTTP."""

from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import Field

from shop.analytics.behaviour import products as shown
from shop.analytics.behaviour import retention as kept
from shop.analytics.behaviour import visitors as came
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.queries.products import ProductRow, Sort
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import RangeQuery, Spanned
from web.call import Call
from web.limiting import Limit
from web.models import Out, Time
from web.routes import Group

GROUP = Group("Retention", "Who comes back, and how each product does.")

PER_CALLER = Limit(30, bucket="retention")
"""Retention reads the whole history."""


class RetentionQuery(RangeQuery):
    """The range chooses cohorts by the week of their first visit or order; without it the last twelve weeks. `weeks`:
    cells of each, the first one included."""

    by: Literal["visitor", "customer"] = "visitor"
    weeks: int = Field(12, ge=1, le=53)


class CellBody(Out):
    """`finished` false: the week is not over."""

    week: int
    people: int
    rate: float
    finished: bool


class CohortBody(Out):
    """`week` is its Monday."""

    week: date
    size: int
    cells: list[CellBody]


class MeanBody(Out):
    """Over the cohorts whose week is over, weighted by their size."""

    week: int
    people: int
    of: int
    rate: float | None


class RetentionBody(Spanned):
    by: Literal["visitor", "customer"]
    zone: str
    as_of: Time
    data: list[CohortBody]
    means: list[MeanBody]


class DayBody(Out):
    day: date
    visitors: int


class VisitorsBody(Spanned):
    """`visitors`: in the whole range, each once. In a day each once, too."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    visitors: int
    data: list[DayBody]


class ProductsQuery(RangeQuery):
    sort: Sort = "sold"
    category: str | None = Field(None, min_length=1, max_length=500)
    limit: int = Field(50, ge=1, le=500)


class ProductBody(Out):
    """People, each once; machines left out. `sold` and `refunded` in whole minor units with tax, of orders placed in
    the range. `cart_rate` and `buy_rate` are per viewer; above 1 where pages went unseen. `currency` null: not sold."""

    product_id: str
    name: str | None
    category: str | None
    viewers: int
    carters: int
    buyers: int
    cart_rate: float | None
    buy_rate: float | None
    currency: str | None
    orders: int
    units: int
    sold: int
    returned_units: int
    refunded: int


class ProductsBody(Spanned):
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    data: list[ProductBody]
    next_cursor: None = None


@GROUP.route(
    "GET",
    "/v1/analytics/retention",
    who=SUPPORT,
    answers={200: RetentionBody},
    errors=(RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def show_retention(call: Call, query: RetentionQuery) -> RetentionBody:
    """Who comes back, week by week.

    `by=visitor`: first and later visits. `by=customer`: first and later orders that were paid. Weeks begin on Monday in
    the shop's time zone. Cells of weeks that are not over are marked, and are in no mean.
    """
    zone = call.services.settings.zone
    first, last = query.days(call)
    if query.from_ is None:
        last = min(last, datetime.now(zone).date())
        first = last - timedelta(weeks=11)
    found = kept.retention(call.db, zone, by=query.by, first=first, last=last, weeks=query.weeks)
    return RetentionBody(
        by=query.by,
        zone=zone.key,
        as_of=found.as_of,
        data=[CohortBody.model_validate(one) for one in found.cohorts],
        means=[MeanBody.model_validate(one) for one in found.means],
    )


@GROUP.route("GET", "/v1/analytics/visitors", who=SUPPORT, answers={200: VisitorsBody}, errors=(RangeTooLong,))
def show_visitors(call: Call, query: RangeQuery) -> VisitorsBody:
    """How many visitors came on each day, and in the whole range; machines left out."""
    first, last = query.days(call)
    zone = call.services.settings.zone
    found = came.visitors(call.db, zone, first=first, last=last)
    return VisitorsBody(
        first=first,
        last=last,
        zone=zone.key,
        visitors=found.whole,
        data=[DayBody.model_validate(one) for one in found.days],
    )


@GROUP.route("GET", "/v1/analytics/products", who=SUPPORT, answers={200: ProductsBody}, errors=(RangeTooLong,))
def show_products(call: Call, query: ProductsQuery) -> ProductsBody:
    """How products do, the strongest first by `sort`.

    A product that was sold in two currencies has a row for each; amounts of different currencies are never added up.
    """
    first, last = query.days(call)
    settings = call.services.settings
    rows = shown.products(
        call.db,
        settings.zone,
        first=first,
        last=last,
        currency=settings.shop_currency,
        sort=query.sort,
        category=query.category,
        limit=query.limit,
    )
    return ProductsBody(first=first, last=last, zone=settings.zone.key, data=[_product(row) for row in rows])


def _product(row: ProductRow) -> ProductBody:
    return ProductBody(
        product_id=row.product_id,
        name=row.name,
        category=row.category,
        viewers=row.viewers,
        carters=row.carters,
        buyers=row.buyers,
        cart_rate=row.carters / row.viewers if row.viewers else None,
        buy_rate=row.buyers / row.viewers if row.viewers else None,
        currency=row.currency,
        orders=row.orders,
        units=row.units,
        sold=row.sold,
        returned_units=row.returned_units,
        refunded=row.refunded,
    )
