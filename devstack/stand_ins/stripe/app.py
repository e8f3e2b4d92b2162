"""The stand-in as a Flask application: Stripe's routes and the doors, over one account."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from devstack.stand_ins.doors import install_doors, serving
from devstack.stand_ins.stripe import disputing, ledger, paying
from devstack.stand_ins.stripe.account import API_VERSION, Account
from devstack.stand_ins.stripe.answering import answer, check_secret_key
from devstack.stand_ins.stripe.doors import add_doors
from devstack.stand_ins.stripe.errors import StripeError, injected
from devstack.stand_ins.stripe.resources import (
    balance,
    charges,
    customers,
    disputes,
    events,
    files,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
    webhook_endpoints,
)
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import encode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RESOURCES = (
    balance, charges, customers, disputes, events, files, payment_intents, payment_methods, payouts, refunds,
    setup_intents, webhook_endpoints,
)  # fmt: skip
WHEN_DUE = ledger.WHEN_DUE | paying.WHEN_DUE | refunds.WHEN_DUE | disputing.WHEN_DUE | payouts.WHEN_DUE
ROUTES: tuple[Route, ...] = tuple(route for resource in RESOURCES for route in resource.ROUTES)
REQUEST_ID_LENGTH = 14
# As at Stripe, browsers may call with a publishable key.
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Stripe-Version",
    "Access-Control-Expose-Headers": "Request-Id, Stripe-Should-Retry, Idempotent-Replayed",
    "Access-Control-Max-Age": "300",
}


@dataclass(frozen=True)
class Running:
    """A stand-in being served: where, and the account behind it for a test to look into."""

    url: str
    account: Account


@contextmanager
def running(
    *,
    port: int = 0,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    api_version: str = API_VERSION,
    seed: str | None = None,
    state: Path | None = None,
) -> Generator[Running]:
    """Serve a stand-in with an account of its own from a thread while the block lasts."""
    account = Account(
        webhook_url=webhook_url, webhook_secret=webhook_secret, api_version=api_version, seed=seed, state=state
    )
    try:
        with serving(create_app(account), port) as served:
            yield Running(served.url, account)
    finally:
        account.close()


def create_app(account: Account) -> Flask:
    """Make the application that answers for `account`, whose time begins to pass with it."""
    account.begin(WHEN_DUE)
    app = Flask("stripe-stand-in", static_folder=None)
    for route in ROUTES:
        app.add_url_rule(route.path, f"{route.method} {route.path}", _view(account, route), methods=[route.method])
    app.add_url_rule("/v1/files/<file_id>/contents", "contents", lambda file_id: _contents(account, file_id))
    add_doors(app, account)
    app.register_error_handler(404, lambda _error: _unknown_url(account))
    app.register_error_handler(405, lambda _error: _unknown_url(account))
    install_doors(app, account.reset, injected, keeps_failures=True)
    app.wsgi_app = _with_headers(app.wsgi_app, account)  # pyright: ignore[reportAttributeAccessIssue]
    return app


def _view(account: Account, route: Route) -> Callable[..., Response]:
    return lambda **ids: answer(account, route, ids)


def _contents(account: Account, file_id: str) -> Response:
    try:
        check_secret_key()
        with account.lock:
            content, kind = files.content_of(account, file_id)
    except StripeError as refused:
        return _refusal(refused, account)
    return Response(content, content_type=kind)


def _unknown_url(account: Account) -> Response:
    refused = StripeError(
        f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs or we can "
        "help at https://support.stripe.com/.",
        status=404,
    )
    return _refusal(refused, account)


def _refusal(refused: StripeError, account: Account) -> Response:
    body = refused.as_json(request.environ["stripe.request_id"], account.clock.now())
    return Response(encode(body), refused.status, content_type="application/json")


def _with_headers(app: "WSGIApplication", account: Account) -> "WSGIApplication":
    """Give every answer, injected ones too, the headers that Stripe puts on all of them."""

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with account.lock:
            request_id = account.store.new_id("req", REQUEST_ID_LENGTH)
        environ["stripe.request_id"] = request_id

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            if str(environ["PATH_INFO"]).startswith("/v1/"):
                own = {"Request-Id": request_id, "Stripe-Version": account.api_version}
                headers = [*headers, *own.items(), *CROSS_ORIGIN.items()]
            return start_response(status, headers, exc_info)

        return app(environ, start)

    return answering
