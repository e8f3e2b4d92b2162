"""What a stand-in was asked, kept for the tests that want to see it: bounded, and without secrets."""

import io
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT_REQUESTS = 1000  # the longest journey of the test suite asks a few hundred times
KEPT_BODY = 16_384  # characters; the largest body the shop sends to a neighbour is far smaller
NOT_RECORDED = ("/standin/", "/health/")
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization"})
# A run of 13 to 19 digits, grouped or not, may be a card number: it is never kept, not even by mistake.
CARD_NUMBER = re.compile(r"(?<!\d)\d(?:[ +-]?\d){12,18}(?!\d)")


class Recorder:
    """The newest requests and what became of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)

    def newest_first(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(kept) for kept in reversed(self._requests)]

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()

    def around(self, app: "WSGIApplication") -> "WSGIApplication":
        """Return `app` with every request recorded as it arrives; status and fault are added when it ends."""

        def recorded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            if str(environ["PATH_INFO"]).startswith(NOT_RECORDED):
                return app(environ, start_response)
            entry = _entry(environ)
            with self._lock:
                self._requests.append(entry)
            try:
                return app(environ, _noting_status(entry, start_response))
            finally:
                entry["fault"] = environ.get("standin.fault")

        return recorded


def _entry(environ: "WSGIEnvironment") -> dict[str, Any]:
    body = _read_body(environ).decode("utf-8", "replace")
    return {
        "at": datetime.now(UTC).isoformat(),
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": _without_cards(str(environ.get("QUERY_STRING", ""))),
        "headers": _headers(environ),
        "body": _without_cards(body[:KEPT_BODY]),
        "status": None,
        "fault": None,
    }


def _read_body(environ: "WSGIEnvironment") -> bytes:
    """Read the body once and put it back, so that the application can read it too."""
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _headers(environ: "WSGIEnvironment") -> dict[str, str]:
    names = {key: key.removeprefix("HTTP_").replace("_", "-").lower() for key in environ if key.startswith("HTTP_")}
    names |= {"CONTENT_TYPE": "content-type"} if environ.get("CONTENT_TYPE") else {}
    return {name: "[redacted]" if name in SECRET_HEADERS else str(environ[key]) for key, name in names.items()}


def _without_cards(text: str) -> str:
    return CARD_NUMBER.sub(lambda found: "[digits]" if _is_card(found[0]) else found[0], text)


def _is_card(text: str) -> bool:
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _noting_status(entry: dict[str, Any], start_response: "StartResponse") -> "StartResponse":
    def noting(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        entry["status"] = int(status.split(" ", 1)[0])
        return start_response(status, headers, exc_info)

    return noting
