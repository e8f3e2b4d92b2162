"""One thing that happened to an order: the row of its log from which its state is computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `subject` is the provider's id of what it is about, `seen_at` when we looked.

    `fleeting` is what a browser needs to go on and the log must never hold: the log is for ever.
    """

    kind: str
    source: str
    source_key: str
    seen_at: datetime
    subject: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    actor: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fleeting: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)


class UnknownWord(Exception):
    """The provider used a status this version does not know."""
