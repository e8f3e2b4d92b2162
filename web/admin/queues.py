"""Queues: how each stands, what runs in it now, and holding one back."""

from flask import Response

from web.admin.inside import at
from web.admin.section import Done, Section, Visit

SECTION = Section("Queues", "/queues", "Machine room")


@SECTION.page("/queues")
def queues(visit: Visit) -> Response:
    """Every queue, and every job that runs."""
    return visit.show(
        "queues.html",
        title="Queues",
        queues=visit.api.get("/v1/queues")["data"],
        running=visit.api.get("/v1/jobs", state="running", limit=100)["data"],
    )


@SECTION.action("/queues/<name>/pause", role="admin")
def pause(visit: Visit, name: str) -> Done:
    """Start nothing more of it."""
    visit.api.send("POST", at("/v1/queues/{}/pause", name))
    return Done(SECTION.home, f"The queue {name} is paused. What runs goes on to its end; nothing new starts.")


@SECTION.action("/queues/<name>/resume", role="admin")
def resume(visit: Visit, name: str) -> Done:
    """Start jobs again."""
    visit.api.send("POST", at("/v1/queues/{}/resume", name))
    return Done(SECTION.home, f"The queue {name} goes on.")
