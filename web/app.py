"""The Flask application: every group of routes on one desk, and nothing opened before the first request."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

from boot.services import Services
from web import cross_origin, problems, tracing
from web.admin import frame, home
from web.admin import orders as order_pages
from web.admin.section import Section
from web.analytics import (
    alerts,
    attribution,
    events,
    experiments,
    figures,
    funnel,
    live,
    privacy,
    readout,
    reports,
    retention,
    tracker,
    trending,
)
from web.operations import docs, health, jobs
from web.payments import (
    deliveries,
    disputes,
    documents,
    evidence,
    ledger,
    mails,
    orders,
    payment_methods,
    reconciliations,
    refunds,
    webhooks,
)
from web.perform import Desk, perform
from web.routes import Group, Route
from web.search import analytics as search_analytics
from web.search import catalog, merchandising, recommendations, searches, suggest
from web.search import learning as search_learning
from web.tokens import Tokens
from web.waiting import Waiters

# One line per file of routes; the order is that of the documentation.
GROUPS: tuple[Group, ...] = (
    orders.GROUP,
    refunds.GROUP,
    disputes.GROUP,
    evidence.GROUP,
    payment_methods.GROUP,
    webhooks.GROUP,
    deliveries.GROUP,
    ledger.GROUP,
    reconciliations.GROUP,
    documents.GROUP,
    mails.GROUP,
    catalog.GROUP,
    searches.GROUP,
    suggest.GROUP,
    merchandising.GROUP,
    search_analytics.GROUP,
    search_learning.GROUP,
    recommendations.GROUP,
    events.GROUP,
    tracker.GROUP,
    trending.GROUP,
    figures.GROUP,
    funnel.GROUP,
    attribution.GROUP,
    retention.GROUP,
    experiments.GROUP,
    readout.GROUP,
    live.GROUP,
    alerts.GROUP,
    reports.GROUP,
    privacy.GROUP,
    jobs.GROUP,
    health.GROUP,
    docs.GROUP,
)

# The admin pages, in the order of their navigation.
SECTIONS: tuple[Section, ...] = (
    home.SECTION,
    order_pages.SECTION,
)

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Answers are one caller's own; a shared cache must never keep one. Routes that may be cached say so.
    "Cache-Control": "no-store",
}


def create_app(services: Services, groups: Iterable[Group] = GROUPS) -> Flask:
    """Build the application. Opens no connection: safe to call before a fork."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    settings = services.settings
    desk = Desk(services, Tokens(services.db, settings), Waiters(max(1, settings.web_threads * 2 // 3)))
    groups = tuple(groups)
    app.extensions["groups"] = groups
    for group in groups:
        for route in group.routes:
            app.add_url_rule(
                route.rule,
                endpoint=route.name,
                view_func=_view(desk, route),
                # What a browser asks before a call from another site, see web/cross_origin.py; otherwise nobody asks.
                methods=[route.method, *(["OPTIONS"] if settings.cors_origins else [])],
                provide_automatic_options=bool(settings.cors_origins),
            )
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
