"""Mails over HTTP, for support: what was sent to whom, what bounced, and in which words."""

from typing import Literal

from shop.documents.errors import MailSent
from shop.documents.posted import posted, send_again
from shop.operations import jobs
from web.access import SUPPORT
from web.answers import Answer, Settling, accepted
from web.call import Call
from web.models import Maybe, Out, Time
from web.operations.jobs import JobBody, job_body
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Mails", "What the shop wrote, and what mail servers said to it.")

State = Literal["waiting", "sending", "sent", "refused", "dropped", "bounced", "gave_up"]


class MailBody(Out):
    """`refused`: no address that mail can be sent to; `bounced`: its server said never, with `smtp_code` and
    `smtp_answer`; `gave_up`: its server never took it, however often asked; `dropped`: no longer true when it was
    written, or nobody to send it to. `error` says why in a sentence.
    """

    id: str
    kind: str
    subject_id: str
    order_id: Maybe[str] = None
    state: State
    recipient: Maybe[str] = None
    subject: Maybe[str] = None
    attempts: int
    error: Maybe[str] = None
    smtp_code: Maybe[int] = None
    smtp_answer: Maybe[str] = None
    created_at: Time
    sent_at: Maybe[Time] = None


class MailFilter(Paged):
    state: State | None = None
    order_id: str | None = None


@GROUP.route("GET", "/v1/mails", who=SUPPORT, answers={200: Page[MailBody]})
def listed(call: Call, query: MailFilter) -> Page[MailBody]:
    """Mails, newest first.

    `state=bounced` lists those whose address is not one, for somebody to call. After the address or the server is
    mended, `POST /v1/mails/{id}/send` sends it.
    """
    rows = posted(
        call.db, state=query.state, order_id=query.order_id, before_id=query.after_id(), limit=query.limit + 1
    )
    return page_of(
        rows,
        query.limit,
        body=lambda row: MailBody(
            id=row.id,
            kind=row.kind,
            subject_id=row.subject_id,
            order_id=row.order_id,
            state=row.state,  # pyright: ignore[reportArgumentType] - the database allows no other
            recipient=row.recipient,
            subject=row.subject,
            attempts=row.attempts,
            error=row.last_error,
            smtp_code=row.smtp_code,
            smtp_answer=row.smtp_answer,
            created_at=row.created_at,
            sent_at=row.sent_at,
        ),
        place=lambda row: (row.id,),
    )


@GROUP.route(
    "POST",
    "/v1/mails/{mail_id}/send",
    who=SUPPORT,
    waits=True,
    answers={202: JobBody, 200: JobBody},
    errors=(MailSent,),
)
def send(call: Call, mail_id: str) -> Answer:
    """Send a mail that did not arrive.

    It is written anew, to the address that is known now. What was sent once is never sent again.
    """
    job_id = send_again(call.db, mail_id)
    location = f"/v1/jobs/{job_id}"
    return accepted(
        job_body(jobs.read(call.db, job_id)),
        location=location,
        settling=Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job), 200, location=location),
        ),
    )
