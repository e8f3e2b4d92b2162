"""Jobs and queues over HTTP: what became of a request's work, and what people do about it."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shop.operations import jobs
from shop.operations.jobs import JobRow, QueueRow, TimetableRow
from web.access import ADMIN, OWNER_OR_SUPPORT, SUPPORT
from web.answers import Answer, Settling
from web.call import Call
from web.models import Maybe, Out, Time
from web.paging import Page, Paged, page_of
from web.routes import Group

GROUP = Group("Jobs", "Work that goes on after the answer: its state, its outcome, and what people can do about it.")

State = Literal["staged", "queued", "running", "done", "failed", "dead"]


class ProgressBody(Out):
    """Both are null until the job tells how far it is; `total` may stay null where nobody knows."""

    done: int | None
    total: int | None


class JobError(Out):
    """Why the job failed, or why it waits for its next attempt."""

    code: str
    detail: str


class Timestamps(Out):
    created_at: Time
    run_after: Time
    queued_at: Maybe[Time] = None
    started_at: Maybe[Time] = None
    finished_at: Maybe[Time] = None


class JobBody(Out):
    id: str
    name: str
    queue: str
    state: State
    progress: ProgressBody
    attempts: int
    max_attempts: int
    error: Maybe[JobError] = None
    result: Maybe[dict[str, Any]] = None
    timestamps: Timestamps


class QueueBody(Out):
    """`depth` counts jobs that have not started; `oldest_s` is the age in seconds of the one due longest."""

    name: str
    paused: bool
    depth: int
    due: int
    running: int
    dead: int
    oldest_s: float
    throughput_per_hour: int


class Queues(Out):
    data: list[QueueBody]
    next_cursor: None = None


class DetailsBody(Out):
    """`arguments` are ids. `error` and `traceback` in the program's own words are shown to admins only, because a bug
    may quote what it worked on. `error_print` is the same for errors of one cause.
    """

    id: str
    arguments: dict[str, Any]
    asked_by: Maybe[str] = None
    request_id: Maybe[str] = None
    dismissed_by: Maybe[str] = None
    error_kind: Maybe[str] = None
    error_print: Maybe[str] = None
    error: Maybe[str] = None
    traceback: Maybe[str] = None


class LastRun(Out):
    """`state` is null once the job's row is pruned."""

    slot: Time
    job_id: str | None
    state: State | None
    started_at: Maybe[Time] = None
    finished_at: Maybe[Time] = None


class ScheduleBody(Out):
    """`cron` in `zone`. `late`: its time has passed and no clock has staged it, so none runs."""

    job: str
    queue: str
    cron: str
    zone: str
    last: LastRun | None
    next_at: Time
    late: bool


class Timetable(Out):
    data: list[ScheduleBody]
    next_cursor: None = None


class JobFilter(Paged):
    state: State | None = None
    queue: str | None = None
    name: str | None = None


@GROUP.route("GET", "/v1/jobs/{job_id}", who=OWNER_OR_SUPPORT, answers={200: JobBody}, waits=True)
def show(call: Call, job_id: str) -> Answer:
    """One job, for support and for whoever asked for it.

    With `Prefer: wait=N` the answer waits until the job is done, failed or dead.
    """
    job = jobs.read(call.db, job_id)
    call.must_own(job.asked_by)
    return call.settled(
        Settling(
            load=lambda db: jobs.read(db, job_id),
            settled=lambda job: job.state in jobs.FINAL,
            answer=lambda job: Answer(job_body(job)),
        ),
        found=job,
    )


@GROUP.route("GET", "/v1/jobs", who=SUPPORT, answers={200: Page[JobBody]})
def listed(call: Call, query: JobFilter) -> Page[JobBody]:
    """Jobs, newest first."""
    rows = jobs.recent(
        call.db,
        state=query.state,
        queue=query.queue,
        name=query.name,
        before=query.after_id(),
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, body=job_body, place=lambda job: (job.id,))


@GROUP.route("GET", "/v1/jobs/{job_id}/details", who=SUPPORT, answers={200: DetailsBody})
def details(call: Call, job_id: str) -> DetailsBody:
    """What a person needs who has to find out why: arguments, who asked, and for admins the error as it was raised."""
    return _details_body(jobs.read(call.db, job_id), whole=call.has("admin"))


@GROUP.route("GET", "/v1/timetable", who=SUPPORT, answers={200: Timetable})
def timetable(call: Call) -> Timetable:
    """What runs by the clock: when it ran last, what became of it, and when it runs next.

    Empty until a clock has run for the first time.
    """
    now = datetime.now(UTC)
    return Timetable(data=[_schedule(row, now) for row in jobs.timetable(call.db)])


@GROUP.route("POST", "/v1/jobs/{job_id}/retry", who=ADMIN, answers={200: JobBody}, errors=(jobs.NotRetriable,))
def retry(call: Call, job_id: str) -> JobBody:
    """Try a failed or dead job again, with fresh attempts."""
    return job_body(jobs.retry(call.db, job_id))


@GROUP.route("DELETE", "/v1/jobs/{job_id}", who=ADMIN, answers={200: JobBody}, errors=(jobs.NotDismissible,))
def dismiss(call: Call, job_id: str) -> JobBody:
    """Dismiss a waiting or dead job for good; its row stays, with the name of who decided."""
    return job_body(jobs.dismiss(call.db, job_id, by=call.customer_id))


@GROUP.route("GET", "/v1/queues", who=SUPPORT, answers={200: Queues})
def queues(call: Call) -> Queues:
    """How each queue stands."""
    return Queues(data=[_queue(row) for row in jobs.queues(call.db)])


@GROUP.route("POST", "/v1/queues/{name}/pause", who=ADMIN, answers={200: QueueBody})
def pause(call: Call, name: str) -> QueueBody:
    """Start nothing more of this queue until it is resumed; what runs goes on to its end."""
    return _queue(jobs.pause(call.db, name, by=call.customer_id))


@GROUP.route("POST", "/v1/queues/{name}/resume", who=ADMIN, answers={200: QueueBody})
def resume(call: Call, name: str) -> QueueBody:
    """Start jobs of this queue again."""
    return _queue(jobs.resume(call.db, name, by=call.customer_id))


def job_body(job: JobRow) -> JobBody:
    """A job as every route shows it."""
    error = None
    if job.error_kind is not None:
        error = JobError(code=job.error_code or job.error_kind, detail=_detail(job))
    return JobBody(
        id=job.id,
        name=job.name,
        queue=job.queue,
        state=_STATES[job.state],
        progress=ProgressBody(done=job.progress_done, total=job.progress_total),
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        error=error,
        result=job.result,
        timestamps=Timestamps.model_validate(job),
    )


def _details_body(job: JobRow, *, whole: bool) -> DetailsBody:
    return DetailsBody(
        id=job.id,
        arguments=job.args,
        asked_by=job.asked_by,
        request_id=job.request_id,
        dismissed_by=job.dismissed_by,
        error_kind=job.error_kind,
        error_print=job.error_print,
        error=job.error if whole else None,
        traceback=job.traceback if whole else None,
    )


LATE_AFTER = timedelta(seconds=30)
"""A new clock leads 15 seconds after the last one fell silent; twice that is nobody's."""


def _schedule(row: TimetableRow, now: datetime) -> ScheduleBody:
    last = None
    if row.last_slot is not None:
        state = _STATES[row.state] if row.state else None
        last = LastRun(
            slot=row.last_slot, job_id=row.job_id, state=state, started_at=row.started_at, finished_at=row.finished_at
        )
    return ScheduleBody(
        job=row.job,
        queue=row.queue,
        cron=row.cron,
        zone=row.zone,
        last=last,
        next_at=row.next_slot,
        late=row.next_slot + LATE_AFTER < now,
    )


_STATES: dict[str, State] = {
    "staged": "staged",
    "queued": "queued",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "dead": "dead",
}


def _detail(job: JobRow) -> str:
    # What a refusal says is meant for the caller; what a bug says is for the log.
    if job.error_kind in {"rejected", "not_yet", "dismissed"}:
        return job.error or ""
    return "something went wrong on our side; the job's id helps to find it"


def _queue(row: QueueRow) -> QueueBody:
    return QueueBody(
        name=row.name,
        paused=row.paused,
        depth=row.waiting,
        due=row.due,
        running=row.running,
        dead=row.dead,
        oldest_s=round(row.oldest_s, 1),
        throughput_per_hour=row.done_last_hour,
    )
