"""How a customer's browser, a colleague or a machine speaks to the shop: HTTP, a token, and patience."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

Json = dict[str, Any]

WAIT_S = 20
"""`Prefer: wait`: as long as a person would look at a spinner."""

TIMEOUT_S = 60

PATIENCE_S = 15.0
"""A 503 that says when to come again is followed that long, with the same key, as a good client does."""

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Backroom-Day/1.0"
"""As a browser names itself; a crawler's name would be counted apart from people."""


class Unexpected(Exception):
    """The shop gave an answer that this story has no place for."""


class Api:
    """One caller. Every call raises Unexpected unless the status is one of `expect`."""

    def __init__(self, base: str, *, token: str = "", visitor: str = "") -> None:
        self._base = base.rstrip("/")
        self._http = requests.Session()
        self._http.headers["User-Agent"] = AGENT
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"
        if visitor:
            self._http.headers["X-Visitor-Id"] = visitor

    def get(self, path: str, *, expect: tuple[int, ...] = (200,), wait: int = 0, **query: Any) -> Json:
        return self._send("GET", path, None, expect, wait=wait, params=query)

    def post(
        self, path: str, body: Json | None = None, *, expect: tuple[int, ...] = (200, 201), wait: int = 0, key: str = ""
    ) -> Json:
        return self._send("POST", path, body, expect, wait=wait, key=key or str(uuid.uuid4()))

    def put(self, path: str, body: Json, *, expect: tuple[int, ...] = (200, 201)) -> Json:
        return self._send("PUT", path, body, expect)

    def patch(self, path: str, body: Json, *, expect: tuple[int, ...] = (200,)) -> Json:
        return self._send("PATCH", path, body, expect)

    def form(self, path: str, fields: dict[str, str], *, expect: tuple[int, ...] = (200,)) -> Json:
        """Form-encoded, as Stripe.js speaks."""
        answer = self._http.post(self._base + path, data=fields, timeout=TIMEOUT_S)
        return _checked(answer, expect)

    def raw(self, path: str) -> bytes:
        """A file's bytes. A 503 means that it is still being drawn: come again."""
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            answer = self._http.get(self._base + path, timeout=TIMEOUT_S)
            if answer.status_code == 200:
                return answer.content
            if answer.status_code != 503 or time.monotonic() > deadline:
                raise Unexpected(f"GET {path} answered {answer.status_code}: {answer.text[:300]}")
            time.sleep(0.5)

    def until(self, path: str, condition: Callable[[Json], bool], *, seconds: float = 60, every: float = 0.3) -> Json:
        """Read again until the condition holds; Unexpected with the last answer when it never does."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if condition(answer):
                return answer
            if time.monotonic() > deadline:
                raise Unexpected(f"after {seconds:.0f} s, {path} still says {str(answer)[:400]}")
            time.sleep(every)

    def _send(
        self,
        verb: str,
        path: str,
        body: Json | None,
        expect: tuple[int, ...],
        *,
        wait: int = 0,
        key: str = "",
        params: Json | None = None,
    ) -> Json:
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        if key:
            headers["Idempotency-Key"] = key
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            answer = self._http.request(
                verb, self._base + path, json=body, headers=headers, params=params, timeout=TIMEOUT_S
            )
            again_s = answer.headers.get("Retry-After", "") if answer.status_code == 503 else ""
            if not again_s.isdecimal() or time.monotonic() > give_up_at:
                return _checked(answer, expect)
            time.sleep(min(float(again_s), 2.0))


def _checked(answer: requests.Response, expect: tuple[int, ...]) -> Json:
    if answer.status_code not in expect:
        raise Unexpected(f"{answer.request.method} {answer.url} answered {answer.status_code}: {answer.text[:600]}")
    return answer.json() if answer.content else {}
