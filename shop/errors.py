"""The two kinds of no: Rejected is final, NotYet is worth another try. Anything else that is raised is a bug."""

from typing import ClassVar


class ShopError(Exception):
    """Base of both kinds. `code` is the machine-readable word of the HTTP contract."""

    code: ClassVar[str] = "error"


class Rejected(ShopError):
    """No, and asking again will not help. HTTP answers `status`, a job ends as failed."""

    code: ClassVar[str] = "rejected"
    status: ClassVar[int] = 409


class NotFound(Rejected):
    """There is no such thing, or it belongs to somebody else: the caller cannot tell which."""

    code = "not_found"
    status = 404


class NotYet(ShopError):
    """Not now. HTTP answers 503, a job is tried again later.

    `spends_attempt` is False where the other side asked us to wait (a rate limit): waiting is not failing.
    `retry_after_s` is the other side's own wish, None when it said nothing.
    """

    code: ClassVar[str] = "not_yet"

    def __init__(self, message: str, *, retry_after_s: float | None = None, spends_attempt: bool = True) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.spends_attempt = spends_attempt
