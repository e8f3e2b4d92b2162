"""The first page: today beside the same weekday, what happens now, and what waits for a person."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Response

from web.admin.needs import needs
from web.admin.section import Done, Section, Visit

SECTION = Section("Home", "", "Today")

WEEK = timedelta(days=7)


@SECTION.page("")
def home(visit: Visit) -> Response:
    """Today so far, against the same weekday of last week (whole), and what needs somebody."""
    today = datetime.now(UTC).astimezone(ZoneInfo(visit.menu.zone)).date()
    then = today - WEEK
    return visit.show(
        "home.html",
        title="Home",
        today=visit.api.get("/v1/analytics/overview", **{"from": str(today), "to": str(today)})["now"],
        then=visit.api.get("/v1/analytics/overview", **{"from": str(then), "to": str(then)})["now"],
        then_day=then,
        live=visit.api.get("/v1/analytics/live"),
        needs=needs(visit),
        queues=visit.api.get("/v1/queues")["data"],
        orders=visit.api.get("/v1/orders", limit=8)["data"],
    )


@SECTION.action("/look")
def look(visit: Visit) -> Done:
    """Light or dark pages."""
    return Done(visit.typed("back", "/admin"), "", look=visit.typed("look"))
