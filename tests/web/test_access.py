"""No route without a guard: each declares who may call, and the declaration is what is enforced."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from web.access import PUBLIC, Access
from web.app import create_app
from web.areas import GROUPS
from web.call import Call
from web.routes import Group, Route

ROUTES = [route for group in GROUPS for route in group.routes]
GUARDED = [route for route in ROUTES if route.who.identity == "token"]

OPEN_TO_ALL = {
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/style.css",
    "GET /track.js",
    "POST /v1/webhooks/stripe",
}
"""The only routes where nobody is asked who they are; what protects the others is their Access."""


def path(route: Route) -> str:
    return re.sub(r"{\w+}", "x", route.path)


def test_every_rule_of_the_application_but_the_admin_pages_is_a_declared_route(services: Services) -> None:
    app = create_app(services)
    rules = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method != "HEAD" and not rule.rule.startswith("/admin")
    }
    assert rules == {f"{route.method} {route.rule}" for route in ROUTES}
    assert all(isinstance(route.who, Access) for route in ROUTES)


def test_only_these_routes_ask_nobody_who_they_are() -> None:
    assert {route.name for route in ROUTES if route.who is PUBLIC} <= OPEN_TO_ALL


def test_names_are_given_once() -> None:
    assert len({route.operation_id for route in ROUTES}) == len({route.name for route in ROUTES}) == len(ROUTES)


def test_what_is_made_by_customers_and_staff_is_keyed() -> None:
    keyed = {route.name for route in ROUTES if route.keyed}
    promised = {
        "POST /v1/orders",
        "POST /v1/orders/{order_id}/confirm",
        "POST /v1/orders/{order_id}/cancel",
        "POST /v1/orders/{order_id}/capture",
        "POST /v1/orders/{order_id}/refunds",
    }
    assert promised & {route.name for route in ROUTES} <= keyed


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_without_a_token_nobody_gets_in(client: FlaskClient, route: Route) -> None:
    assert client.open(path(route), method=route.method).status_code == 401


@pytest.mark.parametrize("route", [route for route in GUARDED if route.who.roles], ids=lambda route: route.name)
def test_with_every_other_role_nobody_gets_in(
    client: FlaskClient, signed_in: Callable[..., dict[str, str]], route: Route
) -> None:
    others = {"customer", "support", "service"} - route.who.roles
    assert (
        client.open(path(route), method=route.method, headers=signed_in("usr_1", *(others or {"none"}))).status_code
        == 403
    )


def test_a_handler_that_misses_a_path_parameter_is_found_at_import() -> None:
    with pytest.raises(TypeError, match="order_id"):

        @Group("x", "y").route("GET", "/x/{order_id}", who=PUBLIC, answers={})
        def handler(_call: Call) -> None:
            """Nothing."""
