"""One API request from its headers to its answer: key, version, idempotency, work, expansion."""

import base64
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Response, request

from devstack.stand_ins.faults import sleep_if_planned, stored_status
from devstack.stand_ins.stripe.account import Account, Cause
from devstack.stand_ins.stripe.errors import ParameterError, StripeError, injected
from devstack.stand_ins.stripe.expand import check_paths, expand
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json, decode, encode

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
SECRET_PREFIXES, PUBLISHABLE_PREFIX = ("sk_test_", "rk_test_"), "pk_test_"


@dataclass(frozen=True)
class Answer:
    """A status and a body on their way out; `stored` says whether an idempotency key keeps them."""

    status: int
    body: bytes
    stored: bool = True
    replayed_from: str | None = None


def answer(account: Account, route: Route, ids: dict[str, str]) -> Response:
    """Answer the request at hand."""
    cause = Cause(
        request.environ["stripe.request_id"], request.headers.get("Idempotency-Key"), request.host_url.rstrip("/")
    )
    try:
        cause = replace(cause, publishable=_check_key(route))
        _check_version(account)
        params = _read_upload() if route.multipart else _read_params()
        answered = _once(account, route, ids, params, cause)
    except StripeError as refused:
        answered = _refusal(account, refused, cause)
    return _response(answered, cause)


def check_secret_key() -> None:
    """Refuse whoever comes without a secret key."""
    if not _given_key().startswith(SECRET_PREFIXES):
        raise StripeError("A secret API key is needed for this.", status=401)


def _check_key(route: Route) -> bool:
    """Return whether the key is a publishable one; refuse keys that may not call this route."""
    given = _given_key()
    if not given:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise StripeError(message, status=401)
    if given.startswith(SECRET_PREFIXES):
        return False
    if not given.startswith(PUBLISHABLE_PREFIX):
        hidden = f"{given[:8]}{'*' * max(0, len(given) - 12)}{given[-4:]}" if len(given) > 12 else "***"
        raise StripeError(f"Invalid API Key provided: {hidden}", status=401)
    if not route.publishable:
        message = "This API call cannot be made with a publishable API key. Please use a secret API key."
        raise StripeError(message, status=403, code="secret_key_required")
    return True


def _given_key() -> str:
    """The key of the Authorization header, or the publishable one that Stripe's own script puts among the fields."""
    authorization = request.authorization
    if authorization:
        return authorization.token or authorization.username or ""
    key = _fields().get("key")
    return key if isinstance(key, str) and key.startswith(PUBLISHABLE_PREFIX) else ""


def _check_version(account: Account) -> None:
    """Refuse a version other than the one this stand-in speaks, rather than answer in the wrong dialect."""
    wanted = request.headers.get("Stripe-Version", account.api_version)
    if wanted != account.api_version:
        message = f"Invalid Stripe API version: {wanted}. This stand-in speaks {account.api_version} only."
        raise ParameterError(message)


def _read_upload() -> Json:
    """Read a multipart form; the file in it counts as a section, its bytes in Base64."""
    if request.mimetype != MULTIPART:
        raise ParameterError(f"Invalid request (check that your POST content type is {MULTIPART}).")
    params = decode(urlencode(list(request.form.items(multi=True))))
    if uploaded := request.files.get("file"):
        content = base64.b64encode(uploaded.stream.read()).decode()
        params["file"] = {"filename": uploaded.filename or "blob", "content": content}
    return params


def _read_params() -> Json:
    if request.method == "POST" and request.get_data() and request.mimetype != FORM:
        raise ParameterError(f"Invalid request (check that your POST content type is {FORM}).")
    params = _fields()
    if not request.authorization:
        del params["key"]  # it said who asks
    return params


def _fields() -> Json:
    return decode(request.get_data(as_text=True) if request.method == "POST" else request.query_string.decode())


def _once(account: Account, route: Route, ids: dict[str, str], params: Json, cause: Cause) -> Answer:
    """Do the work, or give the first answer again where the idempotency key was used for the same request."""
    key = cause.idempotency_key
    if key is None or route.method != "POST":
        sleep_if_planned()
        return _work(account, route, ids, params, cause)
    kept = account.keys.claim(key, request.path, params, str(cause.request_id))
    if kept.status is not None:
        return Answer(kept.status, kept.body.encode(), replayed_from=kept.request_id)
    sleep_if_planned()
    answered = None
    try:
        with account.lock:  # what was done and that it was done under this key are one
            answered = _work(account, route, ids, params, cause)
            if answered.stored:
                account.keys.keep(key, kept, answered.status, answered.body)
        return answered
    finally:
        if answered is None or not answered.stored:
            account.keys.forget(key, kept)


def _work(account: Account, route: Route, ids: dict[str, str], params: Json, cause: Cause) -> Answer:
    if planned := stored_status():
        return Answer(planned, encode(injected(planned)))
    given = dict(params)
    with account.lock:
        account.cause = cause
        account.clock.run_due()
        try:
            paths = Params({"expand": given.pop("expand", None)}).texts("expand") or []
            check_paths(route.returns, paths, in_list=route.in_list)
            made = route.run(account, Params(given), **ids)
            return Answer(200, encode(expand(account.store, made, paths)))
        except StripeError as refused:
            return _refusal(account, refused, cause)
        finally:
            account.cause = Cause()


def _refusal(account: Account, refused: StripeError, cause: Cause) -> Answer:
    body = refused.as_json(str(cause.request_id), account.clock.now())
    return Answer(refused.status, encode(body), stored=refused.stored)


def _response(answered: Answer, cause: Cause) -> Response:
    made = Response(answered.body, answered.status, content_type="application/json")
    if cause.idempotency_key is not None:
        made.headers["Idempotency-Key"] = cause.idempotency_key
        made.headers["Original-Request"] = answered.replayed_from or str(cause.request_id)
    if answered.replayed_from is not None:
        made.headers["Idempotent-Replayed"] = "true"
    if answered.status >= 400:
        made.headers["Stripe-Should-Retry"] = "true" if answered.status == 409 else "false"
    return made
