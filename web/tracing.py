"""Every request has an id and one log line, and what it causes carries both the id and the trace."""

import re
import time
from collections.abc import Generator
from contextlib import contextmanager

import structlog
from flask import Request, Response, g, request

from boot.logs import Origin, caused_by
from shop.cards import holds_card_number
from shop.ids import new_id
from web.access import Caller
from web.operations import metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def begin() -> None:
    """Give the request its id; before anything else, so that even a 404 can be found in the log."""
    g.started = time.perf_counter()
    g.request_id = request_id(request)
    g.route = None


def request_id(asked: Request) -> str:
    """The caller's X-Request-Id where it is harmless in a log line, else a new one."""
    given = asked.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) and not holds_card_number(given) else new_id("req")


@contextmanager
def causing(caller: Caller) -> Generator[None]:
    """Within the block, staged jobs carry the request's id, its trace and who asked."""
    parent = request.headers.get("traceparent", "")
    cause = Origin(
        request_id=g.request_id,
        traceparent=parent if _TRACEPARENT.fullmatch(parent) else None,
        asked_by=caller.sub,
    )
    with caused_by(cause):
        yield


def finish(response: Response) -> Response:
    """The canonical line: one per request, at its end, with what a person would look for. No bodies, no names."""
    response.headers["X-Request-Id"] = g.request_id
    seconds = time.perf_counter() - g.started
    metrics.observe(request.method, g.route or "unknown", response.status_code, seconds)
    if g.get("quiet"):
        return response
    structlog.get_logger().info(
        "request",
        method=request.method,
        route=g.route or "unknown",
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        request_id=g.request_id,
        caller=g.get("caller_sub"),
        code=g.get("problem_code"),
        replayed=g.get("replayed") or None,
        waited_ms=round(g.waited_s * 1000) if g.get("waited_s") else None,
        size=response.content_length,
    )
    return response
