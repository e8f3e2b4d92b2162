"""Lists as Stripe gives them: newest first, with a cursor at either end."""

from dataclasses import dataclass

from devstack.stand_ins.stripe.errors import ParameterError, no_such
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.wire import Json

LIMIT, LIMIT_MAX = 10, 100


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for."""

    limit: int
    after: str | None
    before: str | None


def read_window(params: Params) -> Window:
    limit = params.whole("limit", least=1, most=LIMIT_MAX)
    window = Window(limit or LIMIT, params.text("starting_after"), params.text("ending_before"))
    if window.after and window.before:
        message = "You can only provide one of: starting_after, ending_before."
        raise ParameterError(message, code="parameters_exclusive")
    return window


def page(objects: list[Json], window: Window, url: str, kind: str) -> Json:
    """Return the asked part of `objects`, which come oldest first."""
    newest_first = objects[::-1]
    if window.after:
        rest = newest_first[_place(newest_first, window.after, kind, "starting_after") + 1 :]
        data, more = rest[: window.limit], len(rest) > window.limit
    elif window.before:
        rest = newest_first[: _place(newest_first, window.before, kind, "ending_before")]
        data, more = rest[-window.limit :], len(rest) > window.limit
    else:
        data, more = newest_first[: window.limit], len(newest_first) > window.limit
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _place(objects: list[Json], cursor: str, kind: str, param: str) -> int:
    for place, found in enumerate(objects):
        if found["id"] == cursor:
            return place
    raise no_such(kind, cursor, param=param, status=400)
