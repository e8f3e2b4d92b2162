"""How a job gets its door: `@performs(job)` names the function that does it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec

from boot.services import Services
from db import job_runs
from db.outbox import Job
from shop.progress import Interrupted

P = ParamSpec("P")
Result = dict[str, Any] | None
Door = Callable[Concatenate[Services, "Run", P], Result]

PROGRESS_EVERY_S = 0.5
"""People look at progress with their eyes; twice a second is enough and costs one small UPDATE."""


@dataclass(slots=True)
class Run:
    """One run of one job, as its door sees it. `attempt` counts from 1."""

    services: Services
    job_id: str
    fence: int
    attempt: int
    max_attempts: int
    stopping: threading.Event
    _told_at: float = field(default=0.0, init=False)

    @property
    def last_attempt(self) -> bool:
        return self.attempt >= self.max_attempts

    def progress(self, done: int, total: int | None) -> None:
        """Tell how far the job is. Raises Interrupted when the process is about to stop."""
        if self.stopping.is_set():
            raise Interrupted
        now = time.monotonic()
        if now - self._told_at < PROGRESS_EVERY_S and done != total:
            return
        self._told_at = now
        with self.services.db.transaction() as tx:
            job_runs.tell_progress(tx, self.job_id, self.fence, done=done, total=total)


@dataclass(frozen=True, slots=True)
class Performer:
    job: Job
    door: Callable[..., Result]


performers: dict[str, Performer] = {}
"""By job name; filled by importing the files of `tasks/`."""


def performs(job: Job) -> Callable[[Door[P]], Door[P]]:
    """The decorated function runs the job. It is called with the services, the run, and the job's arguments by name.

    What it returns is the job's result. Rejected ends the job as failed, NotYet brings it back later, any other
    exception is a bug: tried again, then dead.
    """

    def register(door: Door[P]) -> Door[P]:
        if job.name in performers:
            raise ValueError(f"{job.name} has two doors")
        performers[job.name] = Performer(job, door)
        return door

    return register
