"""Quarantined events over HTTP: what was accepted and could not be stored, and what is done about it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shop.analytics.events import quarantine
from shop.analytics.queries.quarantine import Quarantined
from shop.operations import jobs
from web.access import ADMIN, SUPPORT
from web.answers import Answer, accepted
from web.call import Call
from web.models import In, Maybe, Out, Time
from web.operations.jobs import JobBody, job_body
from web.routes import Group

GROUP = Group(
    "Quarantine", "Events that were accepted and could not be stored: kept as they came, until somebody acts."
)


class QuarantinedBody(Out):
    """`events`: how many it stands for; more than one for a batch that could not be read. `tries`: replays that were
    refused again, for the `reason` that stands there."""

    id: int
    batch: str
    reason: str
    events: int
    sender: str
    quarantined_at: Time
    tries: int
    tried_at: Maybe[Time] = None
    settled_at: Maybe[Time] = None
    settled_as: Maybe[Literal["replayed", "dismissed"]] = None
    settled_by: Maybe[str] = None


class WholeBody(QuarantinedBody):
    """With `raw`, the event as it was to be stored, or the batch as it waited."""

    raw: str


class QuarantineQuery(In):
    """Those that wait, or those that were settled; newest first. `before` is the last id of the page before."""

    settled: bool = False
    before: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class QuarantineList(Out):
    data: list[QuarantinedBody]
    waiting: int


@GROUP.route("GET", "/v1/analytics/quarantine", who=SUPPORT, answers={200: QuarantineList})
def listed(call: Call, query: QuarantineQuery) -> QuarantineList:
    """Quarantined events, without what they say: that may be somebody's."""
    rows, waiting = quarantine.listed(call.db, settled=query.settled, before=query.before, limit=query.limit)
    return QuarantineList(data=[QuarantinedBody.model_validate(_fields(row)) for row in rows], waiting=waiting)


@GROUP.route("GET", "/v1/analytics/quarantine/{quarantine_id}", who=ADMIN, answers={200: WholeBody})
def show(call: Call, quarantine_id: str) -> WholeBody:
    """One of them, with what it says."""
    return _whole(quarantine.read(call.db, quarantine.number(quarantine_id)))


@GROUP.route("POST", "/v1/analytics/quarantine/replay", who=ADMIN, answers={202: JobBody})
def replay_all(call: Call) -> Answer:
    """Try to store all that wait. The job's result says how many were stored and how many were refused again."""
    return _staged(call, None)


@GROUP.route("POST", "/v1/analytics/quarantine/{quarantine_id}/replay", who=ADMIN, answers={202: JobBody})
def replay(call: Call, quarantine_id: str) -> Answer:
    """Try to store this one. Its event counts once, also when it has come again meanwhile."""
    return _staged(call, quarantine.read(call.db, quarantine.number(quarantine_id)).id)


@GROUP.route("POST", "/v1/analytics/quarantine/{quarantine_id}/dismiss", who=ADMIN, answers={200: WholeBody})
def dismiss(call: Call, quarantine_id: str) -> WholeBody:
    """Decide that it is not stored. It stays counted as quarantined."""
    number = quarantine.number(quarantine_id)
    quarantine.dismiss(call.db, number, by=call.customer_id)
    return _whole(quarantine.read(call.db, number))


def _staged(call: Call, quarantine_id: int | None) -> Answer:
    job_id = quarantine.ask_replay(call.db, by=call.customer_id, quarantine_id=quarantine_id)
    return accepted(job_body(jobs.read(call.db, job_id)), location=f"/v1/jobs/{job_id}")


def _fields(row: Quarantined) -> dict[str, Any]:
    names = ("id", "reason", "events", "sender", "quarantined_at", "tries", "tried_at")
    settled = ("settled_at", "settled_as", "settled_by")
    return {name: getattr(row, name) for name in (*names, *settled)} | {"batch": row.batch_id}


def _whole(row: Quarantined) -> WholeBody:
    return WholeBody.model_validate(_fields(row) | {"raw": row.raw})
