"""Asks the API from inside the process with the reader's own token: a page may no more than who reads it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

Plain = str | int | float | bool | Sequence[str] | None
"""A sequence is said several times."""

WAIT_S = 5
"""How long an action waits for its end: most are done by then, and nobody stares at a blank page for longer."""


def at(path: str, *parts: str) -> str:
    """A path with its parts, each quoted: `at("/v1/orders/{}", order_id)`."""
    return path.format(*(quote(part, safe="") for part in parts))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that went well."""

    status: int
    headers: Headers
    content: bytes

    @property
    def data(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.content) if self.content else None


class Refused(Exception):
    """The API said no: `code` and `detail` as in its problem, `faults` by JSON pointer."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "error"))
        self.detail = str(problem.get("detail") or problem.get("title") or HTTPStatus(status).phrase)
        self.faults = {str(fault["pointer"]): str(fault["detail"]) for fault in problem.get("errors", ())}
        super().__init__(f"{status} {self.code}: {self.detail}")

    @property
    def sentence(self) -> str:
        """The detail as a sentence."""
        return f"{self.detail[:1].upper()}{self.detail[1:].rstrip('.')}."

    @property
    def whole(self) -> str:
        """The sentence and what is wrong with which field, for a place without fields."""
        named = "; ".join(f"{pointer.strip('/').replace('_', ' ')} {fault}" for pointer, fault in self.faults.items())
        return f"{self.sentence[:-1]}: {named}." if named else self.sentence


@dataclass(frozen=True, slots=True)
class Inside:
    """The API as one person may use it, within one request of a page."""

    app: Flask
    token: str
    request_id: str

    def get(self, path: str, /, **query: Plain) -> Any:
        """The JSON of a GET. Values that are None or "" are left out, True becomes `true`. Raises Refused."""
        return self.fetch(path, **query).data

    def fetch(self, path: str, /, **query: Plain) -> Reply:
        """The same with its headers, for papers and downloads. Raises Refused."""
        return self._ask(EnvironBuilder(path, method="GET", query_string=_query(query)))

    def delete(self, path: str, /, **query: Plain) -> None:
        """Take back what the query names. Raises Refused."""
        self._ask(EnvironBuilder(path, method="DELETE", query_string=_query(query)))

    def send(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        """Change something; `key` makes it happen once however often the form is sent. Waits a little for its end.

        Raises Refused.
        """
        builder = (
            EnvironBuilder(path, method=method, json=body) if body is not None else EnvironBuilder(path, method=method)
        )
        builder.headers["Prefer"] = f"wait={WAIT_S}"
        if key:
            builder.headers["Idempotency-Key"] = key
        return self._ask(builder).data

    def _ask(self, builder: EnvironBuilder) -> Reply:
        builder.headers["Authorization"] = f"Bearer {self.token}"
        builder.headers["X-Request-Id"] = self.request_id
        # In a context of its own: what is noted of this request must not be taken for what was noted of the page.
        with self.app.app_context():
            response = Response.from_app(self.app.wsgi_app, builder.get_environ(), buffered=True)
            content = response.get_data()
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise Refused(response.status_code, _problem(content))
        return Reply(response.status_code, response.headers, content)


def _query(query: Mapping[str, Plain]) -> str:
    said = {name: _said(value) for name, value in query.items() if value not in (None, "", False, [], ())}
    return urlencode(said, doseq=True)


def _said(value: Plain) -> str | list[str]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return "true" if value is True else str(value)


def _problem(content: bytes) -> Mapping[str, Any]:
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
