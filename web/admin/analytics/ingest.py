"""What became of every event: the conservation ledger, and those in quarantine, to replay or dismiss."""

from collections import Counter

from flask import Response

from web.admin.analytics.span import span
from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Events", "/events", "Analytics")

OUTCOMES = ("stored", "duplicate", "conflict", "rejected", "quarantined")

TABS = (("", "Waiting"), ("1", "Settled"))


@SECTION.page("/events")
def events(visit: Visit) -> Response:
    """received = stored + duplicate + conflict + rejected + quarantined + in flight, or something is wrong."""
    days = span(visit, days=2)
    found = visit.api.get("/v1/analytics/ingest", **days.query)
    senders: dict[str, Counter[str]] = {}
    for minute in found["minutes"]:
        of = senders.setdefault(minute["sender"], Counter())
        of.update({name: minute[name] for name in ("received", *OUTCOMES)})
    page = visit.api.get(
        "/v1/analytics/quarantine", settled=visit.asked("settled") == "1", before=visit.asked("before"), limit=50
    )
    return visit.show(
        "analytics/ingest.html",
        title="Events",
        span=days,
        found=found,
        outcomes=OUTCOMES,
        senders=sorted(senders.items(), key=lambda one: -one[1]["received"]),
        loss=visit.api.get("/v1/analytics/tracking", **days.query),
        page=page,
        tabs=TABS,
    )


@SECTION.page("/events/quarantine/<quarantine_id>", role="admin")
def quarantined(visit: Visit, quarantine_id: str) -> Response:
    """One of them, with what it says."""
    found = visit.api.get(at("/v1/analytics/quarantine/{}", quarantine_id))
    return visit.show("analytics/quarantined.html", title="Event in quarantine", found=found)


@SECTION.action("/events/replay", role="admin")
def replay_all(visit: Visit) -> Done:
    """Try to store all that wait."""
    job = visit.api.send("POST", "/v1/analytics/quarantine/replay")
    return Done(at("/admin/jobs/{}", job["id"]), "They are tried again; the result says how many could be stored.")


@SECTION.action("/events/quarantine/<quarantine_id>/replay", role="admin", again=quarantined)
def replay(visit: Visit, quarantine_id: str) -> Done:
    """Try to store this one."""
    job = visit.api.send("POST", at("/v1/analytics/quarantine/{}/replay", quarantine_id))
    return Done(at("/admin/jobs/{}", job["id"]), "It is tried again; the result says whether it could be stored.")


@SECTION.action("/events/quarantine/<quarantine_id>/dismiss", role="admin", again=quarantined)
def dismiss(visit: Visit, quarantine_id: str) -> Done:
    """Decide that it is not stored."""
    visit.api.send("POST", at("/v1/analytics/quarantine/{}/dismiss", quarantine_id))
    return Done(SECTION.home, "It is not stored, and stays counted as quarantined.")
