"""Tracking loss over HTTP: paid orders whose pages sent no event, by payment method and browser."""

from datetime import date

from pydantic import Field

from shop.analytics import tracking
from shop.analytics.queries.closing import Seen
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import RangeQuery, Spanned
from web.call import Call
from web.models import Out
from web.routes import Group

GROUP = Group("Tracking loss", "How much of what was sold the pages' events do not know of.")


class LossBody(Out):
    """`lost` of `orders` came from pages that sent no event in the day before; `share` is null without orders."""

    orders: int
    lost: int
    share: float | None


class LossOfBody(LossBody):
    """`value` is the brand of a card (`method`), or the family of a browser; `unknown` where it is not known."""

    value: str


class TrackingBody(Spanned):
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    zone: str
    total: LossBody
    by_method: list[LossOfBody]
    by_browser: list[LossOfBody]


@GROUP.route("GET", "/v1/analytics/tracking", who=SUPPORT, answers={200: TrackingBody}, errors=(RangeTooLong,))
def show_tracking(call: Call, query: RangeQuery) -> TrackingBody:
    """Which part of the paid orders the events do not know of.

    Money is not touched by it: revenue is from the ledger. Funnels and attribution see only the others.
    """
    first, last = query.days(call)
    zone = call.services.settings.zone
    found = tracking.tracking(call.db, zone, first=first, last=last)
    total = LossBody(orders=found.orders, lost=found.lost, share=_share(found.lost, found.orders))
    return TrackingBody(
        first=first,
        last=last,
        zone=zone.key,
        total=total,
        by_method=[_of(value, rows) for value, rows in found.by("method")],
        by_browser=[_of(value, rows) for value, rows in found.by("browser")],
    )


def _of(value: str, seen: Seen) -> LossOfBody:
    lost = seen.orders - seen.tracked
    return LossOfBody(value=value, orders=seen.orders, lost=lost, share=_share(lost, seen.orders))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
