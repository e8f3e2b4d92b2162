"""Mails: what was sent to whom, what servers said, and sending one again that did not arrive."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Mails", "/mails", "Machine room")

STATES = (
    ("", "All"),
    ("bounced", "Bounced"),
    ("refused", "Refused"),
    ("gave_up", "Given up"),
    ("waiting", "Waiting"),
    ("sending", "Being sent"),
    ("sent", "Sent"),
    ("dropped", "Not sent"),
)

UNSENT = frozenset({"bounced", "refused", "gave_up"})


@SECTION.page("/mails")
def mails(visit: Visit) -> Response:
    """Newest first."""
    page = visit.api.get("/v1/mails", state=visit.asked("state"), cursor=visit.asked("cursor"), limit=50)
    return visit.show("mails.html", title="Mails", page=page, states=STATES, unsent=UNSENT)


@SECTION.action("/mails/<mail_id>/send")
def send(visit: Visit, mail_id: str) -> Done:
    """Send it again."""
    job = visit.api.send("POST", at("/v1/mails/{}/send", mail_id))
    to = visit.typed("back", SECTION.home)
    if job["state"] == "failed":
        return Done(to, f"It could not be sent: {job['error']['detail']}.", "problem")
    return Done(
        to, "It is sent." if job["state"] == "done" else "It is on its way; its state here says what became of it."
    )
