"""What a question about ways asks for: from where, in which direction, how far."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shop.analytics.behaviour.steps import NO_STEPS, STEPS, Match

Direction = Literal["after", "before"]
Nodes = Literal["events", "pages"]

STATIONS = sorted((STEPS - NO_STEPS) | {"page_view"})
"""What is a station of a way. What a page reports of itself is none."""


@dataclass(frozen=True, slots=True)
class Paths:
    """From the first event of each visit that matches `anchor` and lies between `start` (included) and `end`: the next
    `length` stations, or with `before` those that led to it, the nearest first.

    A station is an event's name; with `pages` an opened page is its path. The same station again and again is one.
    """

    anchor: Match
    direction: Direction
    nodes: Nodes
    length: int
    start: datetime
    end: datetime
    top: int
