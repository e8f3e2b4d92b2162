"""Search analytics over HTTP: what people ask, what they find, and what it costs when they do not."""

from datetime import date

from pydantic import Field

from shop.search import analytics as shop
from shop.search.analytics import RangeTooLong, SearchAnalytics, Unfound
from shop.search.queries.analytics import QueryRow
from web.access import SUPPORT
from web.analytics.figures import RangeQuery, Spanned
from web.call import Call
from web.limiting import Limit
from web.models import Currency, Out
from web.routes import Group

GROUP = Group("Search analytics", "How search does, and where it loses money.")

PER_CALLER = Limit(30, bucket="search-analytics")
"""Each adds up the days of the range, and reads all searches of those that are not counted yet."""


class SearchAnalyticsQuery(RangeQuery):
    """`limit` is that of each list."""

    limit: int = Field(20, ge=1, le=100)


class AskedBody(Out):
    """Of one query: its searches and what became of them. Rates are per search, `mean_reciprocal_rank` is the mean of
    1/place of the first click. `lost_revenue` estimates what its searches would have brought at the average of all
    searches, less what they did.
    """

    query: str
    searches: int
    zero_results: int
    no_clicks: int
    click_through_rate: float
    mean_reciprocal_rank: float | None
    cart_rate: float
    conversion: float
    revenue: int
    lost_revenue: int


class NearBody(Out):
    product_id: str
    name: str
    similarity: float


class UnfoundBody(AskedBody):
    """`would_have_matched`: the nearest by meaning, without any filter."""

    would_have_matched: list[NearBody]


class LatencyBody(Out):
    """Inside the server, within 1% of the true ones."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class SearchAnalyticsBody(Spanned):
    """Money in whole minor units of `currency`, with tax, less what was given back; an order's line counts for the last
    search its product was clicked in, a week before the order at most. `lost_revenue` estimates what the searches
    without result would have brought, had they brought what the others did.
    """

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    currency: Currency
    searches: int
    zero_results: int
    zero_result_rate: float | None
    no_clicks: int
    click_through_rate: float | None
    mean_reciprocal_rank: float | None
    cart_rate: float | None
    conversion: float | None
    revenue: int
    lost_revenue: int
    corrected: int
    cache_hits: int
    cache_hit_rate: float | None
    degraded: int
    latency: LatencyBody
    top_queries: list[AskedBody]
    zero_result_queries: list[UnfoundBody]
    no_click_queries: list[AskedBody]
    losing_queries: list[AskedBody]


@GROUP.route(
    "GET",
    "/v1/search/analytics",
    who=SUPPORT,
    answers={200: SearchAnalyticsBody},
    errors=(RangeTooLong,),
    limit=PER_CALLER,
)
def show(call: Call, query: SearchAnalyticsQuery) -> SearchAnalyticsBody:
    """How search did: most asked queries, those without result or click, clicks, orders, money, latency, cache.

    What people did is joined to searches every five minutes, by the `search_id` that pages send along with events. Of
    days older than the searches that are kept, queries that few people made have lost their words: they count in all
    but the lists.
    """
    first, last = query.days(call)
    settings = call.services.settings
    found = shop.analytics(
        call.db,
        call.services.encoder,
        first=first,
        last=last,
        zone=settings.zone,
        currency=settings.shop_currency,
        limit=query.limit,
    )
    return _body(found, first, last, zone=settings.zone.key, currency=settings.shop_currency)


def _body(found: SearchAnalytics, first: date, last: date, *, zone: str, currency: str) -> SearchAnalyticsBody:
    totals, latency = found.totals, found.latency
    return SearchAnalyticsBody(
        first=first,
        last=last,
        zone=zone,
        currency=currency,
        searches=totals.searches,
        zero_results=totals.without_result,
        zero_result_rate=_rate(totals.without_result, totals.searches),
        no_clicks=totals.unclicked,
        click_through_rate=_rate(totals.clicked, totals.searches),
        mean_reciprocal_rank=_rounded(totals.reciprocal),
        cart_rate=_rate(totals.carted, totals.searches),
        conversion=_rate(totals.bought, totals.searches),
        revenue=totals.sold,
        lost_revenue=found.lost,
        corrected=totals.corrected,
        cache_hits=totals.cached,
        cache_hit_rate=_rate(totals.cached, totals.searches),
        degraded=totals.degraded,
        latency=LatencyBody(
            p50_ms=_rounded(latency.p50_ms), p95_ms=_rounded(latency.p95_ms), p99_ms=_rounded(latency.p99_ms)
        ),
        top_queries=[_asked(row) for row in found.top],
        zero_result_queries=[_unfound(one) for one in found.without_result],
        no_click_queries=[_asked(row) for row in found.unclicked],
        losing_queries=[_asked(row) for row in found.losing],
    )


def _unfound(one: Unfound) -> UnfoundBody:
    near = [NearBody.model_validate(product) for product in one.would_match]
    return UnfoundBody(**_asked(one.row).model_dump(), would_have_matched=near)


def _asked(row: QueryRow) -> AskedBody:
    return AskedBody(
        query=row.query,
        searches=row.searches,
        zero_results=row.without_result,
        no_clicks=row.unclicked,
        click_through_rate=round(row.clicked / row.searches, 4),
        mean_reciprocal_rank=_rounded(row.reciprocal),
        cart_rate=round(row.carted / row.searches, 4),
        conversion=round(row.bought / row.searches, 4),
        revenue=row.sold,
        lost_revenue=row.lost,
    )


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
