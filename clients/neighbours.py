"""How all three neighbours are spoken to: one session, time-outs, our token, and their answers as our errors."""

import json
import secrets
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import structlog
from requests.adapters import HTTPAdapter

from clients.retry_after import wished_wait_s
from shop.ports.neighbours import NeighbourAway, NeighbourRefused

CONNECT_TIMEOUT_S = 3.05
"""Just over three seconds, the time TCP waits before it sends a lost first packet again."""

READ_TIMEOUT_S = 10.0
"""They answer from their own database; one that needs longer is in trouble, and the job comes back later."""

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes, unpacked. A page of the catalogue has a few hundred thousand; more would only fill our memory."""

CHUNK = 64 * 1024

POOL_SIZE = 16
"""As many kept connections as a worker process has threads; more would only be thrown away again."""

Json = Mapping[str, Any]


class Neighbour:
    """One service at one address. Thread-safe as far as `requests` is: cookies are refused, nothing else is shared."""

    def __init__(self, name: str, url: str, token: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._timeout = (CONNECT_TIMEOUT_S, read_timeout_s)
        self._session = requests.Session()
        # A session is shared by threads that act for different people.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.headers.update({"Accept": "application/json", "User-Agent": "backroom"})
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        adapter = HTTPAdapter(pool_maxsize=POOL_SIZE)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Mapping[str, str | None] | None = None,
        key: str | None = None,
        expected: tuple[int, ...] = (),
    ) -> tuple[int, Json]:
        """The status and JSON of an answer below 400 or `expected`.

        Raises NeighbourAway for no answer, 408, 425, 429 and 5xx; NeighbourRefused for every other 4xx.
        """
        headers = {"X-Request-Id": _request_id()} | ({"Idempotency-Key": key} if key else {})
        try:
            with self._session.request(
                method,
                f"{self._url}{path}",
                json=body,
                params=query,
                headers=headers,
                timeout=self._timeout,
                # Whoever the redirect points to is not the one our token is for.
                allow_redirects=False,
                stream=True,
            ) as answer:
                content = self._content(method, path, answer)
        except requests.RequestException as error:
            raise NeighbourAway(f"{self._name}: {method} {path}: {type(error).__name__}") from error
        return self._read(method, path, answer, content, expected)

    def _content(self, method: str, path: str, answer: requests.Response) -> bytes:
        content = bytearray()
        for chunk in answer.iter_content(CHUNK):
            content += chunk
            if len(content) > MAX_ANSWER:
                raise NeighbourRefused(f"{self._name}: {method} {path} answered more than {MAX_ANSWER} bytes")
        return bytes(content)

    def _read(
        self, method: str, path: str, answer: requests.Response, content: bytes, expected: tuple[int, ...]
    ) -> tuple[int, Json]:
        status = answer.status_code
        where = f"{self._name}: {method} {path} answered {status}"
        if status >= 500 or status in {408, 425, 429}:
            raise NeighbourAway(where, retry_after_s=wished_wait_s(answer.headers.get("Retry-After", "")))
        if status >= 300 and status not in expected:
            raise NeighbourRefused(where)
        if status == 204 or not content:
            return status, {}
        try:
            told = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise NeighbourAway(f"{where} without JSON") from error
        if not isinstance(told, dict):
            raise NeighbourRefused(f"{where} with JSON that is no object")
        return status, told


def _request_id() -> str:
    """That of the request or job which caused the call, so that one id finds all its traces."""
    return structlog.contextvars.get_contextvars().get("request_id") or f"req_{secrets.token_hex(12)}"


def shaped(name: str, told: Json, field: str, kind: type | tuple[type, ...]) -> Any:
    """A field that must be there and of its kind. Raises NeighbourRefused, which names it."""
    value = told.get(field)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise NeighbourRefused(f"{name}: the field {field} is missing or of another kind than agreed")
    return value
