"""What the shop needs of whoever counts requests."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after this request. Seconds are whole and rounded up; `retry_after_s` is 0 when allowed."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int


class Limits(Protocol):
    """Counts per bucket over all processes. When it cannot count, it allows: a shop without Redis still sells."""

    def take(self, bucket: str, *, limit: int, per_s: int) -> Allowance:
        """Count one request in the bucket of `limit` per `per_s` seconds."""
        ...

    def alive(self) -> bool:
        """Whether the counter answers now."""
        ...
