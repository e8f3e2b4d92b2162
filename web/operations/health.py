"""Probes for platforms: alive, ready, and the figures for Prometheus."""

import hmac
from typing import Literal

from flask import Response, g, request

from shop.operations.queries import DatabaseUnavailable
from shop.operations.readiness import Part, Readiness, readiness
from shop.payments.news import endpoint
from web.access import PUBLIC, Forbidden
from web.answers import Answer
from web.call import Call
from web.limiting import UNLIMITED
from web.models import Out
from web.operations import metrics
from web.routes import Group

GROUP = Group("Operation", "Health and figures of the running shop.")

LOOPBACK = frozenset(("127.0.0.1", "::1"))
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


class Alive(Out):
    status: Literal["ok"] = "ok"


class Parts(Out):
    postgresql: Part
    migrations: Part
    redis: Part


class Ready(Out):
    """`degraded` still serves: without Redis, jobs wait in PostgreSQL and nothing is counted.

    `warnings` are words for what a person should look at though the shop works; `backroom doctor` says what to do.
    """

    status: Literal["ok", "degraded", "down"]
    parts: Parts
    warnings: list[str]


@GROUP.route("GET", "/health/live", who=PUBLIC, answers={200: Alive}, limit=UNLIMITED)
def live(_call: Call) -> Alive:
    """Whether the process answers.

    Asks nobody; a platform restarts the process when this fails.
    """
    g.quiet = True
    return Alive()


@GROUP.route("GET", "/health/ready", who=PUBLIC, answers={200: Ready, 503: Ready}, limit=UNLIMITED)
def ready(call: Call) -> Answer:
    """Whether the process can serve, and which part is down.

    503 only when PostgreSQL is not usable (down, or its schema older than this code).
    """
    g.quiet = True
    state = readiness(call.db, call.services.limits)
    status = "ok" if state.whole else "degraded" if state.usable else "down"
    parts = Parts.model_validate(state)
    return Answer(Ready(status=status, parts=parts, warnings=_warnings(call, state)), 200 if state.usable else 503)


@GROUP.route(
    "GET",
    "/metrics",
    who=PUBLIC,
    answers={200: metrics.CONTENT_TYPE},
    errors=(Forbidden,),
    limit=UNLIMITED,
)
def show_metrics(call: Call) -> Response:
    """Figures for Prometheus.

    With METRICS_TOKEN set, for whoever sends it as bearer token; without, for callers on the same machine only.
    """
    g.quiet = True
    _check(call.services.settings.metrics_token.get_secret_value())
    return Response(metrics.exposition(call.services), content_type=metrics.CONTENT_TYPE)


def _warnings(call: Call, state: Readiness) -> list[str]:
    if not state.usable:
        return []
    try:
        return [alert.code for alert in endpoint.alerts(call.db, call.services.notices)]
    except DatabaseUnavailable:
        return []  # away since it was asked a moment ago; the next probe says so


def _check(token: str) -> None:
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), token.encode()):
            return
        raise Forbidden("the metrics token is missing or wrong")
    # Behind a proxy on the same machine everybody comes from the loopback address.
    if request.remote_addr not in LOOPBACK or any(name in request.headers for name in FORWARDED):
        raise Forbidden("without METRICS_TOKEN, figures are shown on this machine only")
