"""Revenue from the ledger: by day, week or month, as booked or as orders turned out, by currency, card or country."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from shop.charts import Bar, columns
from web.admin.analytics.span import Span, span
from web.admin.drawing import day, money
from web.admin.section import Section, Visit

SECTION = Section("Revenue", "/revenue", "Analytics")

INTERVALS = (("day", "Day"), ("week", "Week"), ("month", "Month"))
VIEWS = (("booking_day", "On the day it was booked"), ("order_day", "On the day of the order"))
GROUPS = (("currency", "Currency only"), ("method", "Card"), ("country", "Country"))

MOST_BARS = 400
"""A year of days; narrower ones cannot be told apart."""

MOST_LABELS = 10


@SECTION.page("/revenue")
def revenue(visit: Visit) -> Response:
    """One table, and a chart for each currency."""
    days = span(visit)
    asked = {name: visit.asked(name) for name in ("interval", "view", "group")}
    found = visit.api.get("/v1/analytics/revenue", as_of=_moment(visit), **asked, **days.query)
    return visit.show(
        "analytics/revenue.html",
        title="Revenue",
        span=days,
        found=found,
        group=visit.asked("group", "currency"),
        intervals=INTERVALS,
        views=VIEWS,
        groups=GROUPS,
        charts=[(one["currency"], _chart(found, one["currency"], days)) for one in found["totals"]],
    )


def _chart(found: Mapping[str, Any], currency: str, span: Span) -> str:
    """Net by period, all groups of a period together; days without any have no column."""
    net = dict.fromkeys([str(one) for one in span.all], 0) if found["interval"] == "day" else dict[str, int]()
    for row in found["data"]:
        if row["currency"] == currency:
            net[row["period"]] = net.get(row["period"], 0) + row["net"]
    periods = sorted(net)[-MOST_BARS:]
    every = max(-(-len(periods) // MOST_LABELS), 1)
    bars = [
        Bar(day(one) if place % every == 0 else "", net[one], f"{day(one)}: {money(net[one], currency)}", strong=True)
        for place, one in enumerate(periods)
    ]
    top = str(money(max(net.values(), default=0), currency))
    title = f"Net revenue in {currency.upper()}: {money(sum(net.values()), currency)} in all"
    return columns(bars, title=title, width=760, height=180, axis=(top,))


def _moment(visit: Visit) -> str:
    """`as_of` as its field writes it, on the shop's clock; what is no time is left out."""
    try:
        at = datetime.fromisoformat(visit.asked("as_of"))
    except ValueError:
        return ""
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(visit.menu.zone))).isoformat()
