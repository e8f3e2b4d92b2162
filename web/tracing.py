"""Every request has an id and one log line, and what it causes carries both the id and the trace."""

import re
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

import structlog
from flask import Request, Response, g, request

from boot import traces
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
    g.spans = ExitStack()
    g.span = g.spans.enter_context(traces.span(request.method, kind="server", parent=_parent()))


def request_id(asked: Request) -> str:
    """The caller's X-Request-Id where it is harmless in a log line, else a new one."""
    given = asked.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) and not holds_card_number(given) else new_id("req")


@contextmanager
def causing(caller: Caller) -> Generator[None]:
    """Within the block, staged jobs carry the request's id, its trace and who asked."""
    cause = Origin(request_id=g.request_id, traceparent=g.span.traceparent, asked_by=caller.sub)
    with caused_by(cause):
        yield


def finish(response: Response) -> Response:
    """The canonical line: one per request, at its end, with what a person would look for. No bodies, no names."""
    response.headers["X-Request-Id"] = g.request_id
    seconds = time.perf_counter() - g.started
    metrics.observe(request.method, g.route or "unknown", response.status_code, seconds)
    _end_span(response.status_code)
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


def _parent() -> str | None:
    given = request.headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None


def _end_span(status: int) -> None:
    g.span.name = g.route or f"{request.method} unknown"
    g.span.failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    g.span.told |= {
        "http.route": g.span.name.partition(" ")[2],
        "http.response.status_code": status,
        "request_id": g.request_id,
    }
    g.spans.close()
