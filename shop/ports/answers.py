"""What the shop needs of whoever remembers answers for a while, so that a repeat is answered without the database."""

from typing import Protocol

KEPT_S = 600
"""Retries come within seconds; after ten minutes PostgreSQL is quick enough. An answer may hold a client secret, so it
lies there no longer than it is of use.
"""


class Answers(Protocol):
    """It may forget anything at any time, and never says what nobody kept. When it is away it knows nothing."""

    def find(self, name: str) -> bytes | None:
        """What was kept under that name within the last minutes."""
        ...

    def keep(self, name: str, answer: bytes, *, for_s: int = KEPT_S) -> None:
        """Remember it for so many seconds; nothing is raised when that does not work."""
        ...
