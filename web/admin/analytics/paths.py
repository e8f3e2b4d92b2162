"""Where visits go on from an event or a page, and where they came from."""

from flask import Response

from shop.analytics.behaviour.ways import STATIONS
from shop.charts import Bar, rows
from web.admin.analytics.span import span
from web.admin.section import Section, Visit

SECTION = Section("Paths", "/paths", "Analytics")

DIRECTIONS = (("after", "What came after"), ("before", "What came before"))
NODES = (("pages", "Pages by their path"), ("events", "Events by name"))


@SECTION.page("/paths")
def paths(visit: Visit) -> Response:
    """Whole ways, and the stations of each place."""
    days = span(visit, days=7)
    found = visit.api.get(
        "/v1/analytics/paths",
        event=visit.asked("event"),
        path=visit.asked("path"),
        product_id=visit.asked("product"),
        direction=visit.asked("direction"),
        nodes=visit.asked("nodes"),
        length=visit.asked("length"),
        top=15,
        **days.query,
    )
    ways = [Bar(" › ".join(way["stations"]) or "all the others", way["visits"]) for way in found["ways"]]
    first = [
        Bar((one["station"] or "all the others")[:40], one["visits"], f"{one['visits']:,}", strong=True)
        for one in found["stations"]
        if one["place"] == 1
    ]
    return visit.show(
        "analytics/paths.html",
        title="Paths",
        span=days,
        found=found,
        events=[(name, name.replace("_", " ")) for name in STATIONS],
        directions=DIRECTIONS,
        nodes=NODES,
        lengths=[(str(one), str(one)) for one in range(1, 9)],
        ways=ways,
        chart=rows(
            first,
            title="The nearest stations: " + ", ".join(f"{one.label} {one.note}" for one in first),
            width=620,
            label_width=220,
        ),
    )
