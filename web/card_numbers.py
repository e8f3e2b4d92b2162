"""Card numbers in the head of a request: address, query, headers. Refused before anything is read, kept or logged."""

from collections.abc import Iterable
from urllib.parse import unquote_plus

from flask import Request

from shop.cards import holds_card_number, is_card_number
from web.problems import Fault, Invalid

NAMES_OF_TRACES = frozenset(
    ("traceparent", "tracestate", "b3", "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "x-request-id")
)
PREFIXES_OF_TRACES = ("x-b3-", "x-datadog-", "sentry-")
"""Random numbers of 19 digits that proxies and agents add to a customer's request: one in a hundred looks like a card.
None of them is stored or logged as it came: `web.tracing` takes its two by patterns of its own.
"""

WHY = "holds a card number; the shop takes only what the payment provider makes of it"


def refuse_in_head(request: Request) -> None:
    """Raise Invalid, which names the place and never the number."""
    faults = [Fault(place, WHY) for place, texts in _places(request) if any(map(holds_card_number, texts))]
    faults += [Fault("/headers/Cookie", WHY)] if any(map(is_card_number, request.cookies.values())) else []
    if faults:
        raise Invalid(faults)


def _places(request: Request) -> Iterable[tuple[str, list[str]]]:
    yield "/path", [request.path, unquote_plus(request.path)]
    query = request.query_string.decode("latin-1")
    if query:
        # As it was sent, and each part as it is meant: a number may be cut up by signs that only mean something there.
        yield "/query", [unquote_plus(query), *(unquote_plus(part) for part in query.replace("=", "&").split("&"))]
    for name, value in request.headers.items():
        low = name.lower()
        # A cookie is judged by its whole value: other programs keep long random numbers in theirs.
        if low != "cookie" and low not in NAMES_OF_TRACES and not low.startswith(PREFIXES_OF_TRACES):
            yield f"/headers/{name[:60] if not holds_card_number(name) else 'name'}", [name, value]
