"""Ids that say what they name and sort by the time they were made."""

import os
import time
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o or u, so an id survives being read aloud."""


def new_id(prefix: str) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 80 random bits."""
    return _written(prefix, (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10)))


def first_id(prefix: str, at: datetime) -> str:
    """What no id made at that moment or later is smaller than: a span of time as a range of the primary key."""
    return _written(prefix, max(int(at.timestamp() * 1000), 0) << 80)


def _written(prefix: str, number: int) -> str:
    characters = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(characters)}"
