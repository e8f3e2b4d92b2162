"""How a stand-in says no: problem documents (RFC 9457) with a code that programs can read."""

from http.client import responses
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException


class ProblemError(Exception):
    """A refusal: HTTP status, a code, a sentence, and further members such as the short lines."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.members = status, code, detail, members


def install_problems(app: Flask) -> None:
    """Answer every ProblemError and every HTTP error of `app` as `application/problem+json`."""

    def refused(problem: ProblemError) -> Response:
        return _answer(problem.status, problem.code, problem.detail, problem.members)

    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        return _answer(status, responses.get(status, "error").lower().replace(" ", "_"), error.name, {})

    app.register_error_handler(ProblemError, refused)
    app.register_error_handler(HTTPException, failed)


def problem_body(status: int) -> dict[str, Any]:
    """Return the body of a planned fault in the same dialect."""
    return _document(status, "injected", f"injected status {status}", {})


def json_object() -> dict[str, Any]:
    """Return the request's JSON object; raises ProblemError 400 `malformed_json` for anything else."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ProblemError(400, "malformed_json", "the body must be a JSON object")
    return body


def _answer(status: int, code: str, detail: str, members: dict[str, Any]) -> Response:
    answer = jsonify(_document(status, code, detail, members))
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def _document(status: int, code: str, detail: str, members: dict[str, Any]) -> dict[str, Any]:
    title = responses.get(status, "Error")
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **members}
