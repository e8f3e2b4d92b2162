"""The overview of a range of days: visitors, orders, revenue and conversion, against the days before."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import Response

from shop.charts import lines
from web.admin.analytics.span import Span, span
from web.admin.drawing import day, money, number
from web.admin.section import Section, Visit

SECTION = Section("Overview", "/analytics", "Analytics")

MOST_LABELS = 10
"""More dates than this run into each other below a chart."""

BEST = 5


@SECTION.page("/analytics")
def overview(visit: Visit) -> Response:
    """Figures and two charts, and which products sold best."""
    now = span(visit)
    before = now.before
    found = visit.api.get("/v1/analytics/overview", **now.query)
    net = (_net(visit, now), _net(visit, before))
    came = (_came(visit, now), _came(visit, before))
    currency = visit.menu.currency
    return visit.show(
        "analytics/overview.html",
        title="Overview",
        span=now,
        before=before,
        found=found,
        currencies=_by_currency(found),
        days=list(zip(now.all, net[0], came[0], net[1], came[1], strict=False)),
        earned=_chart(
            now, *net, f"Net revenue by day in {currency.upper()}", str(money(max(net[0] + net[1]), currency))
        ),
        visitors=_chart(now, *came, "Visitors by day", str(number(max(came[0] + came[1])))),
        products=visit.api.get("/v1/analytics/products", limit=BEST, **now.query)["data"],
    )


def _net(visit: Visit, days: Span) -> list[int]:
    """Net revenue of each day in the shop's currency."""
    found = visit.api.get("/v1/analytics/revenue", interval="day", **days.query)["data"]
    of = {row["period"]: row["net"] for row in found if row["currency"] == visit.menu.currency}
    return [of.get(str(one), 0) for one in days.all]


def _came(visit: Visit, days: Span) -> list[int]:
    of = {row["day"]: row["visitors"] for row in visit.api.get("/v1/analytics/visitors", **days.query)["data"]}
    return [of.get(str(one), 0) for one in days.all]


def _by_currency(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each currency's figures of now beside those of before; currencies are never added up."""
    sides = {side: {row["currency"]: row for row in found[side]["revenue"]} for side in ("now", "before")}
    names = dict.fromkeys([*sides["now"], *sides["before"]])
    return [{"currency": one, "now": sides["now"].get(one), "before": sides["before"].get(one)} for one in names]


def _chart(days: Span, values: Sequence[int], before: Sequence[int], title: str, top: str) -> str:
    return lines(values, before, labels=labels(days.all), title=f"{title}, with the days before", top=top)


def labels(days: Sequence[date]) -> list[str]:
    """Below a chart: as many days as there is room for, the last one always."""
    every = max(-(-len(days) // MOST_LABELS), 1)
    last = len(days) - 1
    return [
        day(one) if place == last or (place % every == 0 and last - place >= every) else ""
        for place, one in enumerate(days)
    ]
