"""Jobs: found by state, queue and kind, read with their errors, tried again or dismissed, one or many."""

from collections.abc import Callable
from datetime import datetime

from flask import Response

from web.admin.inside import Refused, at
from web.admin.section import Done, Section, Visit

SECTION = Section("Jobs", "/jobs", "Machine room")

STATES = (
    ("", "All"),
    ("running", "Running"),
    ("queued", "Handed over"),
    ("staged", "Waiting"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("dead", "Dead"),
)

STEPS = (
    ("created_at", "Staged"),
    ("run_after", "Due"),
    ("queued_at", "Handed to the broker"),
    ("started_at", "Started"),
    ("finished_at", "Finished"),
)

RETRIABLE = frozenset({"failed", "dead"})
DISMISSIBLE = frozenset({"staged", "queued", "dead"})


@SECTION.page("/jobs")
def jobs(visit: Visit) -> Response:
    """Newest first."""
    page = visit.api.get(
        "/v1/jobs",
        state=visit.asked("state"),
        queue=visit.asked("queue"),
        name=visit.asked("name"),
        cursor=visit.asked("cursor"),
        limit=50,
    )
    return visit.show(
        "jobs.html",
        title="Jobs",
        page=page,
        states=STATES,
        queues=visit.api.get("/v1/queues")["data"],
        open_to_decide=RETRIABLE | DISMISSIBLE,
        tickable=visit.person.is_admin and any(job["state"] in RETRIABLE | DISMISSIBLE for job in page["data"]),
    )


@SECTION.page("/jobs/<job_id>")
def job(visit: Visit, job_id: str) -> Response:
    """One job: how far it is, what it was given, why it failed, and when it did what."""
    found = visit.api.get(at("/v1/jobs/{}", job_id))
    times = found["timestamps"]
    return visit.show(
        "job.html",
        title=f"Job {found['name']}",
        job=found,
        details=visit.api.get(at("/v1/jobs/{}/details", job_id)),
        steps=[(words, times[name]) for name, words in STEPS if times.get(name)],
        took_s=_seconds(times.get("started_at"), times.get("finished_at")),
        waited_s=_seconds(times["run_after"], times.get("started_at")),
        retriable=found["state"] in RETRIABLE,
        dismissible=found["state"] in DISMISSIBLE,
    )


@SECTION.action("/jobs/retry", role="admin")
def retry(visit: Visit) -> Done:
    """Try the ticked jobs again, with fresh attempts."""
    return _each(visit, "tried again", lambda job_id: visit.api.send("POST", at("/v1/jobs/{}/retry", job_id)))


@SECTION.action("/jobs/dismiss", role="admin")
def dismiss(visit: Visit) -> Done:
    """Close the ticked jobs for good."""
    return _each(visit, "dismissed", lambda job_id: visit.api.send("DELETE", at("/v1/jobs/{}", job_id)))


def _each(visit: Visit, done: str, act: Callable[[str], object]) -> Done:
    """Each for itself: one that moved on meanwhile does not keep the others from it."""
    wanted, refusals = dict.fromkeys(visit.ticked("job")), list[str]()
    for job_id in wanted:
        try:
            act(job_id)
        except Refused as refusal:
            refusals.append(refusal.sentence)
    to = visit.typed("back", SECTION.home)
    if not wanted:
        return Done(to, "No job was ticked; nothing was done.", "problem")
    went = len(wanted) - len(refusals)
    words = f"{went} {'job was' if went == 1 else 'jobs were'} {done}."
    if refusals:
        return Done(to, f"{words} {len(refusals)} refused: {refusals[0]}", "problem")
    return Done(to, words)


def _seconds(start: str | None, end: str | None) -> float | None:
    if start is None or end is None:
        return None
    return max((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 0.0)
