"""One thing that was looked at: how it is, and what to do where it is not well."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`part` is what was looked at. `bad`: something does not work; `warn`: it will hurt later."""

    part: str
    grade: Grade
    sentence: str


def well(part: str, sentence: str) -> Finding:
    return Finding(part, "ok", sentence)


def warning(part: str, sentence: str) -> Finding:
    return Finding(part, "warn", sentence)


def broken(part: str, sentence: str) -> Finding:
    return Finding(part, "bad", sentence)
