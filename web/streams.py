"""Server-sent events: a source that is asked again and again, a heartbeat, and an end before anybody minds."""

import json
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Protocol

from flask import Response
from pydantic import BaseModel

from shop.errors import NotYet
from web.call import Call

PAUSE_S = 0.5
"""Between two looks at the source: a person sees a change at once, the database hears two light queries a second."""

HEARTBEAT_S = 15.0
"""Proxies close a connection that is silent for a minute; the heartbeat also finds out that the reader has left."""

LIFE_S = 240.0
"""Then the stream ends and the browser opens it anew, so that a deploy never waits for one."""


class TooManyStreams(NotYet):
    """All seats for open streams and waiting requests of this process are taken."""

    code = "too_many_streams"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its body, and an id that the browser sends back as Last-Event-ID."""

    name: str
    body: BaseModel
    id: str | None = None


class Source(Protocol):
    """What is new since the last look; called twice a second, so with one light query. An empty answer is fine.

    Raising StopIteration is not needed: `ended` tells that nothing will come any more.
    """

    ended: bool

    def news(self) -> Iterable[Event]:
        """Events since the last call, oldest first."""
        ...


def stream(call: Call, source: Source) -> Response:
    """A `text/event-stream` answer fed by `source`. Raises TooManyStreams when no seat is free."""
    waiters = call.waiting.waiters
    if not waiters.sit():
        raise TooManyStreams("too many open streams; try again in a moment", retry_after_s=5)
    response = Response(_lines(source), content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
    response.call_on_close(waiters.leave)
    return response


def _lines(source: Source) -> Generator[str]:
    ends = time.monotonic() + LIFE_S
    spoken = time.monotonic()
    yield "retry: 2000\n\n"
    while time.monotonic() < ends:
        for event in source.news():
            spoken = time.monotonic()
            yield _written(event)
        if source.ended:
            return
        if time.monotonic() - spoken > HEARTBEAT_S:
            spoken = time.monotonic()
            yield ": still here\n\n"
        time.sleep(PAUSE_S)


def _written(event: Event) -> str:
    # JSON has no raw line breaks, so one data line is enough.
    lines = [f"event: {event.name}", f"data: {json.dumps(event.body.model_dump(mode='json'), separators=(',', ':'))}"]
    if event.id is not None:
        lines.insert(0, f"id: {event.id}")
    return "\n".join(lines) + "\n\n"
