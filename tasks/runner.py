"""One run of a job: claim the row, go through its door, record what came of it."""

import hashlib
import json
import random
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from dramatiq.middleware import TimeLimitExceeded

from boot import traces
from boot.logs import caused_by
from boot.services import Services
from boot.traces import Span
from db import job_runs
from db.database import DatabaseUnavailable, Tx
from db.job_runs import Claimed, Failure
from db.outbox import Origin
from shop.errors import NotYet, Rejected
from shop.progress import Interrupted
from tasks.broker import Performer, Run

log = structlog.get_logger()

Write = Callable[[Tx], bool]

BACKOFF_CAP_S = 300.0
"""Five minutes: long enough for an outside service to recover, short enough that nobody asks where an order is."""

MAX_RESULT = 65_536
"""Characters of JSON. A result is an answer to read, not a place to keep data."""

DATABASE_TROUBLE_S = 1.0

FAILURES = frozenset(("dead", "bug", "time_limit"))
"""Outcomes that show a fault of ours. What was refused, or waits for somebody, is the shop at work."""

NEWER_WORKER_S = 30.0
"""During a deployment old workers get jobs they have no door for; new ones are there within a minute or two."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Everything a worker process shares between its runs. `owner` is the process's boot id."""

    services: Services
    owner: str
    stopping: threading.Event

    def run(self, performer: Performer, job_id: str, fence: int) -> None:
        """Run the job behind a message. Late and double messages find no row to claim and change nothing."""
        claimed = self._claim(job_id, fence)
        if claimed is None:
            return
        with _span_of(claimed) as span, caused_by(_cause(claimed, span), job_id=claimed.id, job=claimed.name):
            started = time.monotonic()
            outcome = self._go_through(performer, claimed)
            span.told["outcome"] = outcome
            span.failed = outcome in FAILURES
            log.info(
                "job",
                queue=claimed.queue,
                attempt=claimed.attempts,
                outcome=outcome,
                ms=round((time.monotonic() - started) * 1000),
            )

    def put_off_unknown(self, job_id: str, fence: int) -> None:
        """A job without a door here: it waits, with the reason in its row, for a worker of the version that has one."""
        claimed = self._claim(job_id, fence)
        if claimed is None:
            return
        log.error("no door for this job", job_id=claimed.id, job=claimed.name)
        failure = Failure("not_yet", "unknown_job", f"no worker of this version has a door for {claimed.name}")
        self._put_off(claimed, failure, NEWER_WORKER_S, spends_attempt=False)

    def _claim(self, job_id: str, fence: int) -> Claimed | None:
        """Waits while the database is away: the message is in our hands and of no use in other hands either."""
        unheard = False
        while True:
            try:
                with self.services.db.transaction() as tx:
                    claimed = job_runs.claim(tx, job_id, fence, owner=self.owner)
                    if claimed is None and unheard:
                        claimed = job_runs.claimed_unheard(tx, job_id, fence, owner=self.owner)
                    if claimed is None:
                        job_runs.put_back_if_paused(tx, job_id, fence)
                    return claimed
            except DatabaseUnavailable as error:
                log.warning("claim waits for the database", job_id=job_id, reason=type(error).__name__)
                unheard = True
                if self.stopping.wait(DATABASE_TROUBLE_S):
                    return None

    def _go_through(self, performer: Performer, claimed: Claimed) -> str:
        if claimed.attempts > claimed.max_attempts:
            return self._close(claimed, _poison(claimed), state="dead")
        run = Run(self.services, claimed.id, claimed.fence, claimed.attempts, claimed.max_attempts, self.stopping)
        try:
            result = _fitting(performer.door(self.services, run, **claimed.args))
            # Within the try: a result that cannot be stored is the job's failure, with the reason in its row.
            return self._done(claimed, result)
        except Interrupted:
            return self._interrupted(claimed)
        except BaseException as error:  # noqa: BLE001 - the kind of any error decides, also of a library's SystemExit
            return self._failed(claimed, performer, error)

    def _failed(self, claimed: Claimed, performer: Performer, error: BaseException) -> str:
        """The kind of the error alone decides what follows."""
        if isinstance(error, Rejected):
            return self._close(claimed, _failure("rejected", error, code=error.code), state="failed")
        if isinstance(error, NotYet):
            return self._again(claimed, _failure("not_yet", error, code=error.code), error)
        if isinstance(error, DatabaseUnavailable):
            log.warning("job waits for the database", reason=type(error).__name__)
            return self._again(claimed, _failure("not_yet", error, code="database_unavailable"))
        if isinstance(error, TimeLimitExceeded):
            message = f"ran longer than {performer.job.time_limit_s} s"
            return self._again(claimed, _failure("time_limit", error, message=message))
        log.error("job failed unexpectedly", exc_info=error)
        return self._again(claimed, _failure("bug", error))

    def _done(self, claimed: Claimed, result: dict[str, Any] | None) -> str:
        return self._record("done", lambda tx: job_runs.done(tx, claimed.id, claimed.fence, result=result))

    def _again(self, claimed: Claimed, failure: Failure, error: NotYet | None = None) -> str:
        spends = error is None or error.spends_attempt
        if spends and claimed.attempts >= claimed.max_attempts:
            return self._close(claimed, failure, state="dead")
        wait_s = _backoff(claimed.attempts, error.retry_after_s if error else None)
        return self._put_off(claimed, failure, wait_s, spends_attempt=spends)

    def _interrupted(self, claimed: Claimed) -> str:
        failure = Failure("not_yet", "interrupted", "interrupted by a restart, goes on where it was")
        return self._put_off(claimed, failure, 0, spends_attempt=False)

    def _put_off(self, claimed: Claimed, failure: Failure, wait_s: float, *, spends_attempt: bool) -> str:
        return self._record(
            failure.code if failure.code == "interrupted" else failure.kind,
            lambda tx: job_runs.try_again(
                tx, claimed.id, claimed.fence, failure, wait_s=wait_s, spends_attempt=spends_attempt
            ),
        )

    def _close(self, claimed: Claimed, failure: Failure, *, state: str) -> str:
        return self._record(
            state, lambda tx: job_runs.close_failed(tx, claimed.id, claimed.fence, failure, state=state)
        )

    def _record(self, outcome: str, write: Write) -> str:
        """Write the outcome, however long the database is away: the sibling keeps the lease of a run that has ended
        as well, so nobody else would take the job before its time limit. The limit itself no longer counts here."""
        pause_s = 0.0
        while True:
            try:
                time.sleep(pause_s)
                with self.services.db.transaction() as tx:
                    return outcome if write(tx) else f"{outcome} (too late: the job is somebody else's by now)"
            except (*DatabaseUnavailable, TimeLimitExceeded) as error:
                log.warning("outcome waits for the database", reason=type(error).__name__)
                pause_s = DATABASE_TROUBLE_S


@contextmanager
def _span_of(claimed: Claimed) -> Generator[Span]:
    """Two spans, one after the other: how long the job waited since it was due, and its run."""
    told = {"job_id": claimed.id, "queue": claimed.queue, "attempt": claimed.attempts}
    due = max(claimed.created_at, claimed.run_after)
    with traces.span(
        f"outbox {claimed.name}", kind="producer", parent=claimed.traceparent, since=due, told=told
    ) as waited:
        pass
    with traces.span(claimed.name, kind="consumer", parent=waited.traceparent, told=told) as span:
        yield span


def _cause(claimed: Claimed, span: Span) -> Origin:
    return Origin(claimed.request_id, span.traceparent, claimed.asked_by)


def _fitting(result: dict[str, Any] | None) -> dict[str, Any] | None:
    size = len(json.dumps(result))
    if size > MAX_RESULT:
        raise ValueError(f"the result has {size} characters of JSON, more than {MAX_RESULT}")
    return result


def _backoff(attempts: int, wished_s: float | None) -> float:
    """Exponential with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015), never sooner than
    the other side wished."""
    jittered = random.uniform(0.2, min(BACKOFF_CAP_S, 2.0 ** min(attempts, 9)))  # noqa: S311 - spreads load, guards nothing
    return max(jittered, wished_s or 0.0)


def _failure(kind: str, error: BaseException, *, code: str | None = None, message: str | None = None) -> Failure:
    expected = isinstance(error, Rejected | NotYet)
    trace = None if expected else "".join(traceback.format_exception(error))
    return Failure(kind, code, message or str(error) or type(error).__name__, trace, _print_of(error))


def _poison(claimed: Claimed) -> Failure:
    return Failure(
        "poison",
        None,
        f"its process died or was lost in each of {claimed.max_attempts} attempts",
        None,
        _digest(f"poison {claimed.name}"),
    )


def _print_of(error: BaseException) -> str:
    """Equal for failures with one cause: the error's type and the innermost line of ours, without ids and texts."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].name}" if frames else ""
    return _digest(f"{type(error).__qualname__} {place}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
