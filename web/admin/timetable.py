"""The timetable: what runs by the clock, how it went last, and when it runs next."""

from flask import Response

from web.admin.section import Section, Visit

SECTION = Section("Timetable", "/timetable", "Machine room")


@SECTION.page("/timetable")
def timetable(visit: Visit) -> Response:
    """What comes next first."""
    lines = visit.api.get("/v1/timetable")["data"]
    return visit.show("timetable.html", title="Timetable", lines=lines, late=sum(1 for line in lines if line["late"]))
