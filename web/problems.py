"""Every no is an RFC 9457 problem: which code, which status, what may be said, and nothing else."""

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from flask import Flask, Response, g, json
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed, RequestEntityTooLarge

from shop.errors import NotYet, Rejected
from shop.operations.queries import DatabaseUnavailable
from web.access import Unauthorized

DEFAULT_RETRY_S = 2
"""When nobody knows how long "not yet" lasts: long enough not to hammer, short enough for a person who waits."""

WORDS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: a JSON pointer to it, and why."""

    pointer: str
    detail: str


class Invalid(Rejected):
    """The request has fields that are wrong, missing or unknown; `errors` names each."""

    code = "invalid_request"
    status = 422

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or 'body'}: {fault.detail}" for fault in faults[:3]))
        self.faults = faults


class MalformedJson(Rejected):
    """The body is not JSON in UTF-8."""

    code = "malformed_json"
    status = 400


class TooLarge(Rejected):
    """The body is longer than the route takes."""

    code = "too_large"
    status = 413


class UnsupportedMediaType(Rejected):
    """The body's Content-Type or Content-Encoding is not one the route reads."""

    code = "unsupported_media_type"
    status = 415


class RateLimited(Rejected):
    """Too many requests from this caller; Retry-After says when to come back."""

    code = "rate_limited"
    status = 429

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("too many requests; slow down")
        self.headers = headers


def install(app: Flask) -> None:
    """Answer whatever a request raises with a problem."""
    app.register_error_handler(Exception, answer_for)


def answer_for(error: Exception) -> Response:
    """The problem that stands for `error`. What is not ours to say is logged, not answered."""
    if isinstance(error, Rejected):
        return _rejected(error)
    if isinstance(error, NotYet):
        return problem(503, error.code, str(error), headers=_retry_after(error.retry_after_s))
    if isinstance(error, DatabaseUnavailable):
        structlog.get_logger().error("database_unavailable", error=type(error).__name__, exc_info=error)
        return problem(503, "database_unavailable", "the database does not answer", headers=_retry_after(None))
    if isinstance(error, HTTPException) and not isinstance(error, InternalServerError):
        return _http(error)
    structlog.get_logger().error("internal_error", exc_info=error)
    return problem(500, "internal_error", "something went wrong on our side; the request id helps to find it")


def problem(
    status: int, code: str, detail: str, *, faults: list[Fault] | None = None, headers: dict[str, str] | None = None
) -> Response:
    body: dict[str, Any] = {
        "type": f"/docs#error-{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id"),
    }
    if faults is not None:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    g.problem_code = code
    return Response(json.dumps(body), status, headers, content_type="application/problem+json")


def _rejected(error: Rejected) -> Response:
    faults = error.faults if isinstance(error, Invalid) else None
    headers: dict[str, str] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="backroom"'
    if isinstance(error, RateLimited):
        headers |= error.headers
    return problem(error.status, error.code, str(error), faults=faults, headers=headers)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, RequestEntityTooLarge):
        return problem(413, TooLarge.code, "the body is longer than this route takes")
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if status < 400:  # a redirect is an answer, not a problem
        return Response(status=status, headers=dict(error.get_headers()))
    phrase = HTTPStatus(status).phrase
    return problem(status, WORDS.get(status, phrase.lower().replace(" ", "_")), phrase, headers=headers)


def _retry_after(seconds: float | None) -> dict[str, str]:
    return {"Retry-After": str(max(1, ceil(seconds if seconds is not None else DEFAULT_RETRY_S)))}
