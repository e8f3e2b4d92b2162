"""Sends a mail once per kind and subject, however often the job runs."""

from datetime import timedelta

from db.database import Database
from shop.documents.errors import BeingSent
from shop.documents.letters import Desk, Draft, compose
from shop.documents.queries import mails
from shop.documents.queries.mails import Claim
from shop.errors import NotYet, Rejected
from shop.ids import new_id
from shop.ports.mail import Letter, MailBounced, MailDelayed, Mailer

CLAIM = timedelta(minutes=3)
"""Longer than the job may run (two minutes), so a claim that has lapsed belongs to a run that is dead."""

LOOK_AGAIN_S = 20.0
"""The other run is done in a second, or dead until its claim lapses; nine looks cost nothing."""


def mail(db: Database, mailer: Mailer, desk: Desk, *, kind: str, subject_id: str, last: bool = False) -> str:
    """Compose, claim, send, record. Answers `sent` or `dropped`; the reason for the latter is in the mail's row.

    A crash between the server's yes and our record is the one way to send twice; both letters then carry the same
    Message-ID, by which mail programs know them for one. What a server says against it is kept in the mail's row:
    for good as `bounced`, for now as `waiting`, and after the `last` try as `gave_up`.

    Raises what composing raises, BeingSent while another run has it, and what the mailer raises.
    """
    with db.transaction() as tx:
        if mails.state(tx, kind, subject_id) == "sent":
            return "sent"
        draft = compose(tx, desk, kind, subject_id)
        if draft.unsent_because:
            mails.drop(tx, new_id=new_id("mail"), kind=kind, subject_id=subject_id, reason=draft.unsent_because)
            return "dropped"
    taken = _claim(db, draft, kind, subject_id)
    if taken is not None:
        _send(db, mailer, draft, taken, last=last)
    return "sent"


def _claim(db: Database, draft: Draft, kind: str, subject_id: str) -> Claim | None:
    """None if it was sent meanwhile."""
    with db.transaction() as tx:
        taken = mails.claim(
            tx,
            new_id=new_id("mail"),
            kind=kind,
            subject_id=subject_id,
            recipient=draft.recipient,
            subject=draft.subject,
            text=draft.text,
            lease=CLAIM,
        )
        if taken is None and mails.state(tx, kind, subject_id) != "sent":
            words = f"mail {kind} of {subject_id} is being sent"
            raise BeingSent(words, retry_after_s=LOOK_AGAIN_S, spends_attempt=False)
    return taken


def _send(db: Database, mailer: Mailer, draft: Draft, taken: Claim, *, last: bool) -> None:
    letter = Letter(taken.id, draft.recipient, draft.subject, draft.text, draft.html, draft.attachments)
    try:
        mailer.send(letter)
    except (Rejected, NotYet) as error:
        said = error.said if isinstance(error, MailBounced | MailDelayed) else None
        with db.transaction() as tx:
            mails.mark_unsent(tx, taken, state=_state(error, last=last), error=str(error), said=said)
        raise
    with db.transaction() as tx:
        mails.mark_sent(tx, taken)


def _state(error: Rejected | NotYet, *, last: bool) -> str:
    if isinstance(error, MailBounced):
        return "bounced"
    if isinstance(error, Rejected):
        return "refused"
    return "gave_up" if last else "waiting"
