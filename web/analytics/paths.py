"""Ways through visits over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StrictStr

from shop.analytics.behaviour import paths as walked
from shop.analytics.behaviour.steps import ORDER_FACTS, Match
from shop.analytics.behaviour.ways import STATIONS, Direction, Nodes, Paths
from shop.analytics.queries.funnel import TooMuchWork
from shop.analytics.queries.paths import Went
from shop.analytics.revenue import RangeTooLong
from web.access import SUPPORT
from web.analytics.figures import DayOrMoment, Spanned, end_of, start_of
from web.analytics.funnel import PER_CALLER, Value
from web.call import Call
from web.models import In, Out, Time
from web.problems import Fault, Invalid
from web.routes import Group

GROUP = Group("Paths", "Where visits go on from an event or a page, and where they came from.")

USUAL = timedelta(days=7)
"""A week: each weekday once, and an answer within seconds in a busy shop."""


def _station(name: str) -> str:
    if name not in STATIONS:
        raise ValueError(f"must be one of {', '.join(STATIONS)}")
    return name


class PathsQuery(In):
    """From the first `event` of each visit, on this `path` or about this `product_id` where one is given. `nodes`:
    stations are names of `events`, or opened `pages` are their paths. Without a range: the last seven days."""

    event: Annotated[StrictStr, AfterValidator(_station)] = "page_view"
    path: Value | None = None
    product_id: Value | None = None
    direction: Direction = "after"
    nodes: Nodes = "pages"
    length: int = Field(3, ge=1, le=8)
    top: int = Field(20, ge=1, le=100)
    from_: DayOrMoment | None = Field(None, alias="from")
    to: DayOrMoment | None = None


class WayBody(Out):
    """`stations` are the way, the nearest to the anchor first; `other`: all the weaker ways together."""

    stations: list[str]
    other: bool
    visits: int


class StationBody(Out):
    """How many visits were there in that `place` (1 is the nearest). `station` null: all the weaker ones together."""

    place: int
    station: str | None
    visits: int


class PathsBody(Spanned):
    """`visits` came by the anchor. A way that is shorter than `length` ended, or began, there."""

    first: Time = Field(serialization_alias="from")
    last: Time = Field(serialization_alias="to")
    as_of: Time
    direction: Direction
    visits: int
    ways: list[WayBody]
    stations: list[StationBody]


@GROUP.route(
    "GET",
    "/v1/analytics/paths",
    who=SUPPORT,
    answers={200: PathsBody},
    errors=(RangeTooLong, TooMuchWork),
    limit=PER_CALLER,
)
def show_paths(call: Call, query: PathsQuery) -> PathsBody:
    """The next stations of visits behind an event or a page, or those before it.

    Whole ways and single stations, the most frequent first. The same station again and again is one. Machines are left
    out; a visit is what `sessions` has, and is there seconds after its events.
    """
    asked = _asked(call, query)
    found = walked.paths(call.db, asked)
    return PathsBody(
        first=asked.start,
        last=asked.end,
        as_of=found.as_of,
        direction=asked.direction,
        visits=found.visits,
        ways=[WayBody(stations=one.labels, other=one.other, visits=one.visits) for one in found.ways],
        stations=[_station_body(one) for one in found.stations],
    )


def _station_body(one: Went) -> StationBody:
    return StationBody(place=one.place or 0, station=None if one.other else one.labels[0], visits=one.visits)


def _asked(call: Call, query: PathsQuery) -> Paths:
    zone = call.services.settings.zone
    end = end_of(datetime.now(zone).date() if query.to is None else query.to, zone)
    start = end - USUAL if query.from_ is None else start_of(query.from_, zone)
    if start >= end:
        raise Invalid([Fault("/to", "is not after from")])
    where = {name: [value] for name, value in (("path", query.path), ("product_id", query.product_id)) if value}
    if where and query.event in ORDER_FACTS:
        raise Invalid([Fault("/event", f"{query.event} is read from the orders and has neither path nor product")])
    return Paths(Match(query.event, where), query.direction, query.nodes, query.length, start, end, query.top)
