"""Disputes: what banks take back, until when each can be answered, and the answer."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Disputes", "/disputes", "Money")

STATES = (
    ("", "All"),
    ("needs_response", "To be answered"),
    ("warning_needs_response", "Inquiries"),
    ("under_review", "At the bank"),
    ("won", "Won"),
    ("lost", "Lost"),
)

ANSWERABLE = frozenset({"needs_response", "warning_needs_response", "appeal_needs_response"})


@SECTION.page("/disputes")
def disputes(visit: Visit) -> Response:
    """All of them, or those of a state; `due` those that can be answered for no longer than that many days."""
    due = visit.asked("due")
    page = visit.api.get(
        "/v1/disputes",
        status=visit.asked("status"),
        due_within_days=due if due.isdigit() else "",
        cursor=visit.asked("cursor"),
        limit=50,
    )
    return visit.show("disputes.html", title="Disputes", page=page, states=STATES, answerable=ANSWERABLE)


@SECTION.page("/disputes/<dispute_id>")
def dispute(visit: Visit, dispute_id: str) -> Response:
    """One dispute: its money, its deadline, the packets of evidence, and the form for another."""
    found = visit.api.get(at("/v1/disputes/{}", dispute_id))
    return visit.show(
        "dispute.html",
        title=f"Dispute {found['provider_id']}",
        dispute=found,
        order=visit.api.get(at("/v1/orders/{}", found["order_id"])),
        packets=visit.api.get(at("/v1/disputes/{}/evidence", dispute_id), limit=100)["data"],
        answerable=found["status"] in ANSWERABLE and not found["evidence_submitted"],
    )


@SECTION.page("/disputes/<dispute_id>/evidence.pdf")
def packet(visit: Visit, dispute_id: str) -> Response:
    """The newest packet, as the bank gets it."""
    return visit.paper(at("/v1/disputes/{}/evidence.pdf", dispute_id))


@SECTION.action("/disputes/<dispute_id>/evidence", again=dispute)
def draw_packet(visit: Visit, dispute_id: str) -> Done:
    """Draw a packet of evidence; with `submit` it goes to the bank once it is drawn."""
    parcel = {name: visit.typed(name) for name in ("carrier", "tracking_number", "shipped_on") if visit.typed(name)}
    submit = visit.typed("submit") == "yes"
    body: dict[str, object] = {"submit": submit}
    if visit.typed("note"):
        body["note"] = visit.typed("note")
    if parcel:
        body["shipping"] = parcel
    job = visit.api.send("POST", at("/v1/disputes/{}/evidence", dispute_id), body)
    to = at("/admin/disputes/{}", dispute_id)
    if job["state"] == "failed":
        return Done(to, f"The packet could not be drawn: {job['error']['detail']}.", "problem")
    if job["state"] != "done":
        return Done(to, "The packet is being drawn; it is listed below in a moment.")
    return Done(to, "The packet is drawn and on its way to the bank." if submit else "The packet is drawn. Read it.")
