"""Reports over HTTP: asking for one, reading the list, fetching it as PDF, CSV or JSON."""

from datetime import date
from typing import Annotated, Literal

from flask import Response
from pydantic import ConfigDict, Field

from shop.analytics.queries.reports import ReportRow
from shop.analytics.reports import report as reports
from shop.analytics.reports.report import DayNotBegun, NotMade
from web.access import SUPPORT
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Reports", "Frozen figures: made once, printed any number of times, always the same.")

Kind = Literal["nightly", "revenue"]

Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(9998, 12, 31))]


class NewReport(In):
    kind: Kind
    day: Day


class Files(Out):
    """Where the files are."""

    model_config = ConfigDict(serialize_by_alias=True)

    pdf: str
    csv: str
    figures: str = Field(serialization_alias="json")


class ReportBody(Out):
    """`final` says that the day was over when the figures were taken (`as_of`); a later version follows otherwise.
    `sha256` is that of the JSON file."""

    id: str
    kind: Kind
    day: date
    version: int
    state: Literal["making", "done"]
    as_of: Maybe[Time] = None
    final: Maybe[bool] = None
    sha256: Maybe[str] = None
    mailed_at: Maybe[Time] = None
    created_at: Time
    files: Maybe[Files] = None


@GROUP.route("GET", "/v1/reports", who=SUPPORT, answers={200: Page[ReportBody]})
def listed(call: Call, query: Paged) -> Page[ReportBody]:
    """Reports, newest first."""
    rows = reports.recent(call.db, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_body, place=lambda row: (row.id,))


@GROUP.route(
    "POST",
    "/v1/reports",
    who=SUPPORT,
    answers={202: ReportBody, 200: ReportBody},
    errors=(DayNotBegun,),
    waits=True,
)
def ask(call: Call, body: NewReport) -> Answer:
    """Ask for the report of a day.

    A day has one final report: asking again answers it. Today can be asked for too; its report says until when it
    knows, and asking again makes another version as soon as there is anything new.
    """
    zone = call.services.settings.zone
    row = reports.ask(call.db, zone, kind=body.kind, day=body.day, asked_by=call.customer_id)
    return accepted(
        _body(row),
        location=f"/v1/reports/{row.id}",
        settling=Settling(
            load=lambda db: reports.read(db, row.id),
            settled=lambda now: now.drawn_at is not None,
            answer=lambda now: Answer(_body(now), 200, location=f"/v1/reports/{now.id}"),
        ),
    )


@GROUP.route("GET", "/v1/reports/{report_id}", who=SUPPORT, answers={200: ReportBody}, waits=True)
def show(call: Call, report_id: str) -> Answer:
    """One report. With `Prefer: wait=N` the answer waits until it is made."""
    return call.settled(
        Settling(
            load=lambda db: reports.read(db, report_id),
            settled=lambda now: now.drawn_at is not None,
            answer=lambda now: Answer(_body(now)),
        )
    )


@GROUP.route("GET", "/v1/reports/{report_id}.pdf", who=SUPPORT, answers={200: "application/pdf"}, errors=(NotMade,))
def pdf(call: Call, report_id: str) -> Response:
    """The report to read and to print."""
    return _file(call, report_id, "pdf", "application/pdf")


@GROUP.route("GET", "/v1/reports/{report_id}.csv", who=SUPPORT, answers={200: "text/csv"}, errors=(NotMade,))
def csv(call: Call, report_id: str) -> Response:
    """The report's figures, one a row; amounts in whole minor units."""
    return _file(call, report_id, "csv", "text/csv")


@GROUP.route("GET", "/v1/reports/{report_id}.json", who=SUPPORT, answers={200: "application/json"}, errors=(NotMade,))
def json(call: Call, report_id: str) -> Response:
    """The frozen figures; the SHA-256 of these bytes is the report's."""
    return _file(call, report_id, "json", "application/json")


def _file(call: Call, report_id: str, kind: str, media_type: str) -> Response:
    row = reports.read(call.db, report_id)
    name = f"{row.kind}-report-{row.day.isoformat()}-v{row.version}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(reports.file(call.db, row.id, kind), headers=headers, content_type=media_type)


_KINDS: dict[str, Kind] = {"nightly": "nightly", "revenue": "revenue"}


def _body(row: ReportRow) -> ReportBody:
    at = f"/v1/reports/{row.id}"
    done = row.drawn_at is not None
    return ReportBody(
        id=row.id,
        kind=_KINDS[row.kind],
        day=row.day,
        version=row.version,
        state="done" if done else "making",
        as_of=row.as_of,
        final=row.final,
        sha256=row.sha256,
        mailed_at=row.mailed_at,
        created_at=row.created_at,
        files=Files(pdf=f"{at}.pdf", csv=f"{at}.csv", figures=f"{at}.json") if done else None,
    )
