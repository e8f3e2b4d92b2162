"""The served document against the running application: whatever is sent, the answer is one that was promised."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from boot.services import connect
from boot.settings import Settings
from web.app import create_app
from web.areas import GROUPS
from web.routes import Route

PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

EXAMPLES = 15
"""A route; with some eighty routes this is the longest test there is, and still below two minutes."""

STREAMS = "text/event-stream"

ROUTES = [route for group in GROUPS for route in group.routes]


@pytest.fixture(name="schema")
def _schema(settings_with: Callable[..., Settings]) -> Any:
    services = connect(settings_with(rate_limit_scale=0), name="test")
    yield schemathesis.openapi.from_wsgi("/openapi.json", create_app(services))
    services.db.close()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_keeps_its_promises(schema: Any, signed_in: Callable[..., dict[str, str]], route: Route) -> None:
    try_out(schema, route, signed_in, GenerationMode.POSITIVE)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.query or route.body], ids=lambda route: route.name
)
def test_every_route_refuses_what_was_not_promised(
    schema: Any, signed_in: Callable[..., dict[str, str]], route: Route
) -> None:
    try_out(schema, route, signed_in, GenerationMode.NEGATIVE)


def try_out(schema: Any, route: Route, signed_in: Callable[..., dict[str, str]], mode: GenerationMode) -> None:
    headers = signed_in("usr_1", "customer", "support", "admin", "service")

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=schema[route.path][route.method].as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        # An open stream would be read until it ends, which it does not.
        if STREAMS in str(case.headers.get("Accept", "")):
            case.headers["Accept"] = "application/json"
        # Waiting for a job that nobody performs here is waiting for nothing.
        case.headers.pop("Prefer", None)
        case.call_and_validate(headers=headers, checks=PROMISES)

    keeps()
