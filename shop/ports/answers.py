"""What the shop needs of whoever remembers answers for a while, so that a repeat is answered without the database."""

from typing import Protocol


class Answers(Protocol):
    """It may forget anything at any time, and never says what nobody kept. When it is away it knows nothing."""

    def find(self, name: str) -> bytes | None:
        """What was kept under that name within the last minutes."""
        ...

    def keep(self, name: str, answer: bytes) -> None:
        """Remember it for some minutes; nothing is raised when that does not work."""
        ...
