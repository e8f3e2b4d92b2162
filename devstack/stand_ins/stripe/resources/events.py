"""The events of the last 30 days, as a poller reads them."""

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import ParameterError, no_such
from devstack.stand_ins.stripe.events import KEPT_S
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

TYPES_MAX = 20  # docs.stripe.com/api/events/list


def retrieve(account: Account, params: Params, event_id: str) -> Json:
    params.close()
    event = account.store.get("event", event_id)
    if event["created"] < account.clock.now() - KEPT_S:
        raise no_such("event", event_id)
    return event


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    kind, kinds = params.text("type"), params.texts("types", most=TYPES_MAX)
    delivered = params.flag("delivery_success")
    params.close()
    if kind and kinds:
        message = "You may only specify one of these parameters: type, types."
        raise ParameterError(message, code="parameters_exclusive")
    first = max(first, account.clock.now() - KEPT_S)
    wanted = [kind] if kind else kinds
    found = [
        event
        for event in account.store.all("event")
        if first <= event["created"] <= last
        and (wanted is None or _matches(event["type"], wanted))
        and delivered in {None, event["pending_webhooks"] == 0}
    ]
    return page(found, window, "/v1/events", "event")


def _matches(kind: str, wanted: list[str]) -> bool:
    """Say whether a type is asked for, by name or by a family such as `charge.*`."""
    return any(kind == name or (name.endswith(".*") and kind.startswith(name[:-1])) for name in wanted)


ROUTES = (
    Route("GET", "/v1/events", "event", list_all, in_list=True),
    Route("GET", "/v1/events/<event_id>", "event", retrieve),
)
