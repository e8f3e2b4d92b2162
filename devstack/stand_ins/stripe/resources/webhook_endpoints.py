"""Webhook endpoints: where events are sent, each with a secret of its own."""

import re
import secrets
from urllib.parse import urlsplit

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import ParameterError
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.routes import Route, assign
from devstack.stand_ins.stripe.wire import Json

VERSION = re.compile(r"^20\d\d-\d\d-\d\d(\.[a-z]+)?$")


def create(account: Account, params: Params) -> Json:
    url, enabled = _read_url(params), params.texts("enabled_events")
    if url is None or not enabled:
        raise params.missing("url" if url is None else "enabled_events")
    version = _read_version(params)
    params.text("description", clearable=True)
    params.metadata()
    params.close()
    endpoint = account.new(
        "webhook_endpoint",
        "we",
        api_version=version,
        application=None,
        description=None,
        enabled_events=enabled,
        metadata=merged({}, params),
        status="enabled",
        url=url,
    )
    assign(endpoint, params, "description")
    secret = "whsec_" + secrets.token_hex(16)
    account.store.hidden(endpoint)["secret"] = secret
    account.deliveries.add(endpoint["id"], url, secret)
    return endpoint | {"secret": secret}


def retrieve(account: Account, params: Params, endpoint_id: str) -> Json:
    params.close()
    return account.store.get("webhook_endpoint", endpoint_id)


def update(account: Account, params: Params, endpoint_id: str) -> Json:
    endpoint = account.store.get("webhook_endpoint", endpoint_id)
    url, enabled, disabled = _read_url(params), params.texts("enabled_events"), params.flag("disabled")
    params.text("description", clearable=True)
    params.metadata()
    params.close()
    endpoint |= {"enabled_events": enabled} if enabled else {}
    endpoint |= {"status": "disabled" if disabled else "enabled"} if disabled is not None else {}
    assign(endpoint, params, "description")
    endpoint["metadata"] = merged(endpoint["metadata"], params)
    if url is not None and url != endpoint["url"]:
        endpoint["url"] = url
        account.deliveries.drop(endpoint_id)
        account.deliveries.add(endpoint_id, url, account.store.hidden(endpoint)["secret"])
    return endpoint


def delete(account: Account, params: Params, endpoint_id: str) -> Json:
    params.close()
    account.store.get("webhook_endpoint", endpoint_id)
    account.store.remove("webhook_endpoint", endpoint_id)
    account.deliveries.drop(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def list_all(account: Account, params: Params) -> Json:
    window = read_window(params)
    params.close()
    endpoints = account.store.all("webhook_endpoint")
    return page(endpoints, window, "/v1/webhook_endpoints", "webhook_endpoint")


def _read_version(params: Params) -> str | None:
    """Return the version under whose name events are sent there; without one it is the account's."""
    version = params.text("api_version")
    if version is not None and not VERSION.match(version):
        raise ParameterError(f"Invalid Stripe API version: {version}", param="api_version")
    return version


def _read_url(params: Params) -> str | None:
    url = params.text("url")
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ParameterError("Invalid URL: An explicit scheme (such as https) must be provided.", param="url")
    return url


ROUTES = (
    Route("POST", "/v1/webhook_endpoints", "webhook_endpoint", create),
    Route("GET", "/v1/webhook_endpoints", "webhook_endpoint", list_all, in_list=True),
    Route("GET", "/v1/webhook_endpoints/<endpoint_id>", "webhook_endpoint", retrieve),
    Route("POST", "/v1/webhook_endpoints/<endpoint_id>", "webhook_endpoint", update),
    Route("DELETE", "/v1/webhook_endpoints/<endpoint_id>", "webhook_endpoint", delete),
)
