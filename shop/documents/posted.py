"""Mails for support: which were sent, which bounced, what the server said, and sending one again."""

from db import outbox
from db.database import Database
from shop import jobs
from shop.documents.errors import MailSent
from shop.documents.queries import mails
from shop.documents.queries.mails import MailRow
from shop.errors import NotFound


def posted(
    db: Database, *, state: str | None, order_id: str | None, before_id: str | None, limit: int
) -> list[MailRow]:
    """Newest first."""
    with db.transaction() as tx:
        return mails.listed(tx, state=state, order_id=order_id, before_id=before_id, limit=limit)


def send_again(db: Database, mail_id: str) -> str:
    """Stage the job of a mail that did not arrive; answers the job. It is written anew, to today's address.

    Raises NotFound and MailSent.
    """
    with db.transaction() as tx:
        found = mails.posted(tx, mail_id)
        if found is None:
            raise NotFound("there is no such mail")
        if found.state == "sent":
            raise MailSent("the mail was sent already; it is never sent twice")
        # The key that its first job had: if that one still waits, it is this job.
        key = f"mail:{found.kind}:{found.subject_id}"
        return outbox.stage(tx, jobs.SEND_MAIL, unique_key=key, kind=found.kind, subject_id=found.subject_id)
