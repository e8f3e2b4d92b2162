"""Alerts: what is out of the ordinary, who looks after it, and what is watched."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Alerts", "/alerts", "Analytics")

STATES = (("", "All"), ("open", "Open"), ("acknowledged", "Acknowledged"), ("resolved", "Over"))


@SECTION.page("/alerts")
def alerts(visit: Visit) -> Response:
    """Incidents, newest first, and the last look at everything that is watched."""
    page = visit.api.get("/v1/alerts", status=visit.asked("status"), cursor=visit.asked("cursor"), limit=20)
    watched = visit.api.get("/v1/alerts/watched")["data"]
    return visit.show("analytics/alerts.html", title="Alerts", page=page, states=STATES, watched=watched)


@SECTION.page("/alerts/<alert_id>")
def alert(visit: Visit, alert_id: str) -> Response:
    """One incident from its beginning to its end."""
    found = visit.api.get(at("/v1/alerts/{}", alert_id))
    return visit.show("analytics/alert.html", title=found["title"], alert=found)


@SECTION.action("/alerts/<alert_id>/acknowledge", again=alert)
def acknowledge(visit: Visit, alert_id: str) -> Done:
    """Say that you look after it."""
    note = visit.typed("note")
    visit.api.send("POST", at("/v1/alerts/{}/acknowledge", alert_id), {"note": note} if note else {})
    return Done(at("/admin/alerts/{}", alert_id), "You look after it; it ends by itself when things are right again.")
