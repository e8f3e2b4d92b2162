"""Reports: asked for, read, printed and downloaded as PDF, CSV or JSON."""

from flask import Response

from web.admin.inside import Refused, at
from web.admin.section import Done, Section, Visit

SECTION = Section("Reports", "/reports", "Analytics")

KINDS = (("nightly", "Nightly report"), ("revenue", "Revenue report"))

FILES = ("pdf", "csv", "json")


@SECTION.page("/reports")
def reports(visit: Visit) -> Response:
    """Newest first."""
    page = visit.api.get("/v1/reports", cursor=visit.asked("cursor"), limit=50)
    return visit.show("analytics/reports.html", title="Reports", page=page, kinds=KINDS, names=dict(KINDS))


@SECTION.page("/reports/<report_id>/<file>")
def file(visit: Visit, report_id: str, file: str) -> Response:
    """The PDF opens in the browser, to read and to print; the others are downloads."""
    if file not in FILES:
        raise Refused(404, {"code": "not_found", "detail": "a report has a PDF, a CSV and a JSON"})
    path = at(f"/v1/reports/{{}}.{file}", report_id)
    if file == "pdf":
        return visit.paper(path)
    reply = visit.api.fetch(path)
    headers = {"Content-Disposition": reply.headers["Content-Disposition"]}
    return Response(reply.content, content_type=reply.headers["Content-Type"], headers=headers)


@SECTION.action("/reports", again=reports)
def ask(visit: Visit) -> Done:
    """Ask for the report of a day."""
    made = visit.api.send("POST", "/v1/reports", {"kind": visit.typed("kind"), "day": visit.typed("day")})
    if made["state"] == "done":
        return Done(SECTION.home, "The report is there.")
    return Done(SECTION.home, "The report is being made; it is here in a moment.")
