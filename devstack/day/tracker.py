"""What the shop's pages report about a visit: events with ids and times of the browser, sent in batches."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from devstack.day.api import Api


class Tracker:
    """One visit. Events are kept until `flush`, as a browser does."""

    def __init__(self, api: Api, visitor: str) -> None:
        self._api = api
        self._visitor = visitor
        self._session = uuid7()
        self._events: list[dict[str, Any]] = []
        self.sent = 0

    def saw(self, name: str, **facts: Any) -> None:
        self._events.append(
            {
                "id": uuid7(),
                "name": name,
                "ts": _now(),
                "visitor_id": self._visitor,
                "session_id": self._session,
                **{key: value for key, value in facts.items() if value is not None},
            }
        )

    def flush(self, *, twice: bool = False) -> None:
        """Send what was seen; `twice` as a browser does that did not get the first answer."""
        if not self._events:
            return
        for _ in range(2 if twice else 1):
            self._api.post("/v1/events", {"sent_at": _now(), "events": self._events}, expect=(202,))
        self.sent += len(self._events)
        self._events = []


def uuid7() -> str:
    """A version 7 UUID (RFC 9562, section 5.7), which Python's own library lacks before 3.14."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
