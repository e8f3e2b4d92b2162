"""The first page: today beside the same weekday, what happens now, and what waits for a person."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from shop.charts import Bar, columns
from web.admin.drawing import day, money
from web.admin.needs import needs
from web.admin.section import Done, Section, Visit

SECTION = Section("Home", "", "Today")

WEEK = timedelta(days=7)

DAYS = 14
"""Two of each weekday: a bad day can be told from a Sunday."""

MINUTES = 30
"""As many as the API tells of."""

WIDE = 340
"""Points: about as wide as the card is on a screen, so that the words in a chart are as large as they say."""


@SECTION.page("")
def home(visit: Visit) -> Response:
    """Today so far, against the same weekday of last week (whole), and what needs somebody."""
    live = visit.api.get("/v1/analytics/live")
    if visit.part == "now":
        return visit.show("home_now.html", title="Now", live=live, minutes=_minutes(visit, live["minutes"]))
    today = datetime.now(UTC).astimezone(ZoneInfo(visit.menu.zone)).date()
    then = today - WEEK
    return visit.show(
        "home.html",
        title="Home",
        today=visit.api.get("/v1/analytics/overview", **{"from": str(today), "to": str(today)})["now"],
        then=visit.api.get("/v1/analytics/overview", **{"from": str(then), "to": str(then)})["now"],
        then_day=then,
        live=live,
        minutes=_minutes(visit, live["minutes"]),
        days=_days(visit, today),
        needs=needs(visit),
        orders=visit.api.get("/v1/orders", limit=8)["data"],
    )


@SECTION.action("/look")
def look(visit: Visit) -> Done:
    """Light or dark pages."""
    return Done(visit.typed("back", "/admin"), "", look=visit.typed("look"))


def _minutes(visit: Visit, found: Sequence[Mapping[str, Any]]) -> str:
    """Events by minute, the newest strong; minutes without any have no column."""
    zone = ZoneInfo(visit.menu.zone)
    counts = {datetime.fromisoformat(one["minute"]): sum(one["events"].values()) for one in found}
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    minutes = [now - timedelta(minutes=place) for place in reversed(range(MINUTES))]
    bars = [
        Bar(f"{at.astimezone(zone):%H:%M}" if at.minute % 10 == 0 else "", counts.get(at, 0), strong=at == now)
        for at in minutes
    ]
    return columns(bars, title=f"Events by minute: {sum(counts.values())} in half an hour", width=WIDE, height=80)


def _days(visit: Visit, today: date) -> str:
    """Net revenue of the last days in the shop's currency, today strong; days without any have no column."""
    first, currency = today - timedelta(days=DAYS - 1), visit.menu.currency
    span = {"from": str(first), "to": str(today)}
    found = visit.api.get("/v1/analytics/revenue", interval="day", **span)["data"]
    net = {row["period"]: row["net"] for row in found if row["currency"] == currency}
    days = [first + timedelta(days=place) for place in range(DAYS)]
    bars = [
        Bar(str(one.day), net.get(str(one), 0), str(money(net.get(str(one), 0), currency)), strong=one == today)
        for one in days
    ]
    told = "; ".join(f"{day(one)} {bar.note}" for one, bar in zip(days, bars, strict=True) if bar.value)
    return columns(bars, title=f"Net revenue by day: {told or 'none'}", width=WIDE, height=110)
