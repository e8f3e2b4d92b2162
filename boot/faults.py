"""Bugs are told to Sentry where SENTRY_DSN says so, without anything personal; nothing at all without it."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from boot.settings import Settings

KEPT_IDS = ("request_id", "job_id", "job", "route", "queue")
"""Of a log line; none of them says who somebody is."""

LEFT_OUT = ("request", "user", "breadcrumbs", "extra", "server_name", "modules")


class Unequipped(SystemExit):
    """Sentry is wanted and its package is not installed."""


def begin(settings: Settings, *, process: str) -> None:
    """Tell Sentry of every error that is logged with its trace. Raises Unequipped with what to install."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return
    try:
        import sentry_sdk  # noqa: PLC0415 - optional
    except ImportError:
        raise Unequipped("SENTRY_DSN is set, so install the extra: backroom[sentry]") from None
    sentry_sdk.init(
        dsn=dsn,
        default_integrations=False,  # they read requests, environments and other libraries' logs
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        before_send=lambda event, _hint: scrubbed(event),  # pyright: ignore[reportArgumentType]
    )
    sentry_sdk.set_tag("process", process)


def tell(line: MutableMapping[str, Any]) -> None:
    """One log line; told if it is of an error with its exception. Does nothing before `begin`."""
    error = _error_of(line.get("exc_info"))
    if error is None or "sentry_sdk" not in sys.modules:
        return
    import sentry_sdk  # noqa: PLC0415 - `begin` imported it

    with sentry_sdk.new_scope() as scope:
        for name in KEPT_IDS:
            if line.get(name):
                scope.set_tag(name, str(line[name]))
        scope.capture_exception(error)


def _error_of(given: object) -> BaseException | None:
    """As logging writes it down: the error, the triple it comes in, or "the one at hand"."""
    if given is True:
        return sys.exc_info()[1]
    found = cast("tuple[object, ...]", given)[1] if isinstance(given, tuple) else given
    return found if isinstance(found, BaseException) else None


def scrubbed(event: Any) -> Any:
    """What may leave the house: kinds of errors and places in our code. Their words may quote a row or a body."""
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = ""
        exception.pop("mechanism", None)
    return {name: value for name, value in event.items() if name not in LEFT_OUT}
