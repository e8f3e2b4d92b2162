"""How long work tells how far it is, without knowing who asked."""

from typing import Protocol


class Progress(Protocol):
    """Called as `progress(done, total)`, as often as wanted; the listener thins it out.

    `total` None means that it is not known yet. The call raises Interrupted when the process is about to stop: what
    is committed stays, the job goes back to the queue without having spent an attempt.
    """

    def __call__(self, done: int, total: int | None) -> None: ...


class Interrupted(BaseException):
    """The process stops; the job goes back. Not an Exception, so that no handler for errors swallows it."""


def unheard(done: int, total: int | None) -> None:
    """For callers who do not want to hear about progress."""
