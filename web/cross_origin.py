"""Which other sites' pages may call the API from a browser: the storefronts the shop names, and no cookies ever."""

from flask import Flask
from flask_cors import CORS

ROUTES = r"/v1/(?!webhooks/).*"
"""Stripe calls the webhook from its servers; documentation, health and the people's pages are same-origin."""

SENT = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "DNT",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "Sec-GPC",
    "traceparent",
    "X-Request-Id",
    "X-Visitor-Id",
)
READ = (
    "Content-Disposition",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-Id",
)
REMEMBER_S = 7200
"""How long a browser may keep the permission: two hours is the most that Chromium keeps one."""


def install(app: Flask, origins: tuple[str, ...]) -> None:
    """Answer the questions browsers ask before a call from another site; without origins nothing is answered.

    Callers prove themselves by a token in a header, which a foreign page does not have; so cookies stay out of it
    (`Access-Control-Allow-Credentials` is never sent) and a page of an unnamed site reads nothing.
    """
    if not origins:
        return
    CORS(
        app,
        resources={ROUTES: {"origins": list(origins)}},
        allow_headers=list(SENT),
        expose_headers=list(READ),
        max_age=REMEMBER_S,
        supports_credentials=False,
    )
