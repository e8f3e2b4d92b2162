"""What people search for: how often they find and click, what it brings, and what is lost where they do not."""

from flask import Response

from web.admin.analytics.span import span
from web.admin.section import Section, Visit

SECTION = Section("What people search", "/searches", "Search")

LISTS = (
    ("top_queries", "Asked most", "Searches since the search began are counted here as soon as the day's are."),
    ("zero_result_queries", "Found nothing", "Every search found something."),
    ("no_click_queries", "Clicked nothing", "Every query that was asked often was clicked."),
    ("losing_queries", "Lost the most", "No query lost anything that can be told."),
)

IN_LIST = 20


@SECTION.page("/searches")
def searches(visit: Visit) -> Response:
    """A range's figures and its lists of queries."""
    days = span(visit)
    found = visit.api.get("/v1/search/analytics", limit=IN_LIST, **days.query)
    return visit.show("search/figures.html", title="What people search", span=days, found=found, lists=LISTS)
