"""Events: what happened, as a snapshot of the object, kept for 30 days and handed to the deliveries."""

from copy import deepcopy
from typing import Any, cast

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.wire import Json

KEPT_S = 30 * 24 * 3600  # docs.stripe.com/api/events: events of the last 30 days can be listed


def emit(account: Account, kind: str, about: Json, before: Json | None = None) -> Json:
    """Record that `kind` happened to `about`; `before` is a copy from earlier, for `previous_attributes`."""
    data: Json = {"object": deepcopy(about)}
    if before is not None:
        data["previous_attributes"] = previous(before, about)
    event = account.new(
        "event",
        "evt",
        api_version=account.api_version,
        data=data,
        pending_webhooks=0,
        request={"id": account.cause.request_id, "idempotency_key": account.cause.idempotency_key},
        type=kind,
    )
    endpoints = [endpoint["id"] for endpoint in account.store.all("webhook_endpoint") if _wants(endpoint, kind)]
    event["pending_webhooks"] = len(endpoints)
    account.deliveries.send(event, endpoints)
    return event


def previous(before: Json, after: Json) -> Json:
    """Return the earlier values of what differs, for nested objects only of the parts that differ."""
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return {name: _earlier(before.get(name), after.get(name)) for name in names}


def _earlier(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return previous(cast("Json", old), cast("Json", new))
    return deepcopy(old)


def _wants(endpoint: Json, kind: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)
