"""Alerts over HTTP: what is out of the ordinary, who looks after it, and what is watched."""

from typing import Literal

from pydantic import Field

from shop.analytics.alerts import incidents
from shop.analytics.alerts.incidents import AlreadyOver
from shop.analytics.queries.alerts import Watched
from shop.analytics.queries.incidents import Incident
from web.access import SUPPORT
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Alerts", "One incident for each thing that is out of the ordinary, from its beginning to its end.")

Status = Literal["open", "acknowledged", "resolved"]


class AlertBody(Out):
    """`observed`, `expected` and `words` as it began, `worst` and `last_words` since. `subject` is which of its kind: a
    currency, a job, an experiment; empty where there is one. `reopened`: it came back within two hours of its end."""

    id: str
    kind: str
    subject: str
    status: Status
    title: str
    words: str
    last_words: str
    advice: str
    observed: float
    expected: float | None
    worst: float
    opened_at: Time
    last_bad_at: Time
    reopened: int
    acknowledged_at: Maybe[Time] = None
    acknowledged_by: Maybe[str] = None
    note: Maybe[str] = None
    resolved_at: Maybe[Time] = None


class AlertFilter(Paged):
    status: Status | None = None


class Acknowledgement(In):
    note: str | None = Field(None, min_length=1, max_length=1000)


class WatchedBody(Out):
    """The last look. `verdict`: `bad`, `calm`, `between` (an incident goes on, none begins), `unknown` (too little)."""

    kind: str
    subject: str
    verdict: Literal["bad", "calm", "between", "unknown"]
    words: str
    observed: float
    expected: float | None
    looked_at: Time


class WatchedList(Out):
    data: list[WatchedBody]
    next_cursor: None = None


@GROUP.route("GET", "/v1/alerts", who=SUPPORT, answers={200: Page[AlertBody]})
def listed(call: Call, query: AlertFilter) -> Page[AlertBody]:
    """Incidents, newest first."""
    rows = incidents.listed(call.db, status=query.status, before=query.after_id(), limit=query.limit + 1)
    return page_of(rows, query.limit, body=_body, place=lambda row: (row.id,))


@GROUP.route("GET", "/v1/alerts/watched", who=SUPPORT, answers={200: WatchedList})
def watched(call: Call) -> WatchedList:
    """What is watched, and the last look at each thing.

    Kinds of jobs are in it only while one of them is dead.
    """
    return WatchedList(data=[_watched(row) for row in incidents.watched(call.db)])


@GROUP.route("GET", "/v1/alerts/{alert_id}", who=SUPPORT, answers={200: AlertBody})
def show(call: Call, alert_id: str) -> AlertBody:
    """One incident."""
    return _body(incidents.read(call.db, alert_id))


@GROUP.route("POST", "/v1/alerts/{alert_id}/acknowledge", who=SUPPORT, answers={200: AlertBody}, errors=(AlreadyOver,))
def acknowledge(call: Call, alert_id: str, body: Acknowledgement) -> AlertBody:
    """Say that you look after it.

    It stays until what is wrong is right again, which the shop sees by itself. Who was first stays.
    """
    return _body(incidents.acknowledge(call.db, alert_id, by=call.customer_id, note=body.note))


def _body(row: Incident) -> AlertBody:
    return AlertBody.model_validate(row)


def _watched(row: Watched) -> WatchedBody:
    return WatchedBody.model_validate(row)
