"""Refunds that wait for a second person, who agrees or declines."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Refunds", "/refunds", "Money")


@SECTION.page("/refunds")
def refunds(visit: Visit) -> Response:
    """What was asked for and is not decided, newest first."""
    page = visit.api.get("/v1/refunds", cursor=visit.asked("cursor"), limit=50)
    return visit.show("refunds.html", title="Refunds", page=page)


@SECTION.action("/refunds/<refund_id>/approve", role="admin")
def approve(visit: Visit, refund_id: str) -> Done:
    """Agree: the money goes out now."""
    reason = visit.typed("reason")
    visit.api.send("POST", at("/v1/refunds/{}/approve", refund_id), {"reason": reason} if reason else {})
    return Done(visit.typed("back", SECTION.home), "Agreed. The money goes out now.")


@SECTION.action("/refunds/<refund_id>/decline", role="admin")
def decline(visit: Visit, refund_id: str) -> Done:
    """Say no: what it had reserved is free again."""
    visit.api.send("POST", at("/v1/refunds/{}/decline", refund_id), {"reason": visit.typed("reason")})
    return Done(visit.typed("back", SECTION.home), "Declined. Its amount can be refunded otherwise.")
