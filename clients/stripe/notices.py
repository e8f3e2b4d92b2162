"""Stripe's events, read into notices: whatever shape they come in, nothing in them can stop the reading."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shop.ports.notices import Event

API_VERSION = "2026-10-28.endive"
"""The version this code was written against, which is also that of the installed library's types."""

LONGEST_ID = 255
"""Characters Stripe promises its ids stay within."""

LONGEST_EVENT_ID = 100
"""Characters of an event's id that are believed: today's have 28, and facts are named by it."""

LONGEST_WORD = 120
"""Characters of a type, a kind or a version; Stripe's longest type today has 60."""


def event(found: Mapping[str, Any], *, body: str) -> Event:
    """An event, of which only the names are taken: the object itself is asked for again."""
    thing = _mapping(_mapping(found.get("data")).get("object"))
    kind = _word(thing.get("object"))
    object_id = _id(thing.get("id"))
    event_id = _id(found.get("id"), at_most=LONGEST_EVENT_ID)
    type_ = _word(found.get("type"))
    return Event(
        id=event_id or made_id(body),
        type=type_ or "unknown",
        object_id=object_id,
        object_kind=kind[:60] if kind else None,
        payment_id=object_id if kind == "payment_intent" else _id(thing.get("payment_intent")),
        at=_time(found.get("created")) or datetime.now(UTC),
        api_version=(_word(found.get("api_version")) or "")[:60] or None,
        body=storable(body),
        fault=None if object_id else "it names no object",
        foreign=_account(found.get("account")),
    )


def posted(body: bytes, *, live: bool | None) -> Event:
    """An event as it was posted. `live` is the mode of our own key, None where it does not say.

    What cannot be read at all becomes a notice with a fault: it was signed, so somebody should know of it.
    """
    text = storable(body.decode("utf-8", "replace"))
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return _unreadable(text, "it is no JSON")
    if not isinstance(found, Mapping):
        return _unreadable(text, "it is no object")
    read = event(found, body=text)
    mode = found.get("livemode")
    if read.foreign is None and live is not None and isinstance(mode, bool) and mode != live:
        return replace(read, foreign=f"it is of {_mode(mode)} mode, our key of {_mode(live)} mode")
    return read


def made_id(body: str) -> str:
    """A name for what has none: of the body, so that a repeat has the same."""
    return f"body:{hashlib.sha256(body.encode()).hexdigest()}"


def storable(text: str) -> str:
    """Text that PostgreSQL keeps: without NUL, and without halves of characters that JSON can spell."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _unreadable(text: str, why: str) -> Event:
    return Event(made_id(text), "unknown", None, None, None, datetime.now(UTC), None, text, fault=why)


def _account(value: Any) -> str | None:
    # Only Connect writes it: the event is of an account that is connected to ours, not of ours.
    if value is None:
        return None
    return f"it is of the connected account {(_id(value) or 'without a name')[:60]}"


def _mode(live: bool) -> str:
    return "live" if live else "test"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _id(value: Any, *, at_most: int = LONGEST_ID) -> str | None:
    if isinstance(value, Mapping):
        value = value.get("id")
    if not isinstance(value, str) or not value.strip() or len(value) > at_most:
        return None
    return value if storable(value) == value else None


def _word(value: Any) -> str | None:
    return storable(value)[:LONGEST_WORD] if isinstance(value, str) and value.strip() else None


def _time(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
