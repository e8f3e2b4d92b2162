"""Privacy over HTTP: a copy of what is known of a person, and forgetting it."""

from typing import Annotated

from flask import Response
from pydantic import Field, StrictStr

from shop.analytics.privacy import privacy
from shop.analytics.privacy.privacy import Kind, NobodyNamed
from shop.operations import jobs
from web.access import owner_or
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.limiting import Limit
from web.models import In
from web.operations.jobs import JobBody, job_body
from web.routes import Group

GROUP = Group("Privacy", "What is known of a person, handed out or forgotten.")

OWNER_OR_ADMIN = owner_or("admin")

PER_CALLER = Limit(10, bucket="privacy")
"""Each looks through all events there are."""


class PersonBody(In):
    """Whose. Without anything: the caller's own. Only an admin may name somebody else, or a visitor."""

    customer_id: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    visitor_id: Annotated[StrictStr, Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$")] | None = None


@GROUP.route(
    "POST",
    "/v1/privacy/exports",
    who=OWNER_OR_ADMIN,
    answers={202: JobBody, 200: JobBody},
    errors=(NobodyNamed,),
    waits=True,
    limit=PER_CALLER,
)
def export(call: Call, body: PersonBody) -> Answer:
    """Ask for a copy of what is known of a person.

    Events, searches, interests and experiments. The job's result is a receipt that says where the copy is; it is kept
    for a week. Orders and invoices are under `/v1/orders`.
    """
    return _asked(call, body, "export")


@GROUP.route(
    "POST",
    "/v1/privacy/erasures",
    who=OWNER_OR_ADMIN,
    answers={202: JobBody, 200: JobBody},
    errors=(NobodyNamed,),
    waits=True,
    limit=PER_CALLER,
)
def erase(call: Call, body: PersonBody) -> Answer:
    """Ask that a person is forgotten.

    The job's result is a receipt with the number of rows that were erased, by kind. Orders, payments and invoices are
    kept as the law asks; the receipt says how many.
    """
    return _asked(call, body, "erasure")


@GROUP.route("GET", "/v1/privacy/exports/{request_id}", who=OWNER_OR_ADMIN, answers={200: "application/json"})
def fetch(call: Call, request_id: str) -> Response:
    """The copy, for whoever asked for it."""
    asked_by, document = privacy.document(call.db, request_id)
    call.must_own(asked_by)
    headers = {"Content-Disposition": f'attachment; filename="{request_id}.json"'}
    return Response(document, headers=headers, content_type="application/json")


def _asked(call: Call, body: PersonBody, kind: Kind) -> Answer:
    customer_id, visitor_id = body.customer_id, body.visitor_id
    if customer_id is None and visitor_id is None:
        customer_id = call.customer_id
    # A visitor's id is no proof of being that visitor.
    call.must_own(customer_id if visitor_id is None else None)
    job_id = privacy.ask(call.db, kind=kind, customer_id=customer_id, visitor_id=visitor_id, asked_by=call.customer_id)
    return accepted(
        job_body(jobs.read(call.db, job_id)),
        location=f"/v1/jobs/{job_id}",
        settling=Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job), 200, location=f"/v1/jobs/{job_id}"),
        ),
    )
