"""The Flask application: every group of routes on one desk, and nothing opened before the first request."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

from boot.services import Services
from web import cross_origin, problems, tracing
from web.admin import frame
from web.admin.sections import SECTIONS
from web.areas import groups_of
from web.perform import Desk, perform
from web.routes import Group, Route
from web.tokens import Tokens
from web.waiting import Waiters

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Answers are one caller's own; a shared cache must never keep one. Routes that may be cached say so.
    "Cache-Control": "no-store",
}


def create_app(services: Services, groups: Iterable[Group] | None = None) -> Flask:
    """Build the application: with the routes and pages of the setting AREAS, or with these routes alone.

    Opens no connection: safe to call before a fork.
    """
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    settings = services.settings
    desk = Desk(services, Tokens(services.db, settings), Waiters(max(1, settings.web_threads * 2 // 3)))
    served = tuple(groups_of(settings.areas) if groups is None else groups)
    app.extensions["groups"] = served
    for group in served:
        for route in group.routes:
            app.add_url_rule(
                route.rule,
                endpoint=route.name,
                view_func=_view(desk, route),
                # What a browser asks before a call from another site, see web/cross_origin.py; otherwise nobody asks.
                methods=[route.method, *(["OPTIONS"] if settings.cors_origins else [])],
                provide_automatic_options=bool(settings.cors_origins),
            )
    if groups is None and "admin" in settings.areas:
        frame.install(app, desk.tokens, settings, SECTIONS)
    app.before_request(tracing.begin)
    app.after_request(_dress)
    cross_origin.install(app, settings.cors_origins)
    problems.install(app)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # pyright: ignore[reportAttributeAccessIssue]
    return app


def _view(desk: Desk, route: Route) -> Callable[..., Response]:
    def view(**path: Any) -> Response:
        return perform(desk, route, path)

    return view


def _dress(response: Response) -> Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    for name, value in (g.get("limit_headers") or {}).items():
        response.headers.setdefault(name, value)
    return tracing.finish(response)
