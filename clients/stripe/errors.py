"""Stripe's errors in our words, by one question: can it have happened, or can it not?"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import stripe

from clients.retry_after import wished_wait_s
from clients.stripe import reading
from shop.errors import ShopError
from shop.ports.gateway import (
    CardDeclined,
    Decline,
    GatewayMisconfigured,
    GatewayRefused,
    GatewayUnavailable,
    OutcomeUnknown,
)


@contextmanager
def moving() -> Generator[None]:
    """Around a call that moves something: a lost answer is an unknown outcome."""
    try:
        yield
    except stripe.StripeError as error:
        raise _ours(error) from error


@contextmanager
def looking() -> Generator[None]:
    """Around a call that only looks: a lost answer costs nothing but another look."""
    try:
        yield
    except stripe.StripeError as error:
        ours = _ours(error)
        if isinstance(ours, OutcomeUnknown):
            ours = GatewayUnavailable(str(ours))
        raise ours from error


def _ours(error: stripe.StripeError) -> ShopError:
    if isinstance(error, stripe.CardError):
        return _declined(error)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return GatewayMisconfigured(f"Stripe does not accept our key for this call (HTTP {error.http_status})")
    if isinstance(error, stripe.RateLimitError):
        return GatewayUnavailable("Stripe asks us to slow down", retry_after_s=_wait(error), spends_attempt=False)
    if error.http_status == 409:
        return GatewayUnavailable(f"Stripe is busy with this object or key ({error.code})", retry_after_s=_wait(error))
    if isinstance(error, stripe.InvalidRequestError):
        return GatewayRefused(error.code or "invalid_request", error.user_message or "no reason given")
    return _without_verdict(error)


def _without_verdict(error: stripe.StripeError) -> ShopError:
    if isinstance(error, stripe.APIConnectionError) and _never_sent(error.__cause__):
        return GatewayUnavailable("Stripe cannot be reached")
    # A key that is refused for another body has done something already; what, only a look can tell.
    kept = str(_headers(error).get("idempotent-replayed", "")).lower() == "true"
    replayed = kept or isinstance(error, stripe.IdempotencyError)
    return OutcomeUnknown(f"Stripe gave no verdict (HTTP {error.http_status or 'none'})", replayed=replayed)


def _declined(error: stripe.CardError) -> CardDeclined:
    body: Any = error.json_body or {}
    told: Mapping[str, Any] = body.get("error") or {}
    intent = told.get("payment_intent")
    decline = reading.decline(told) or Decline("generic_decline", "The card was declined.")
    return CardDeclined(decline, reading.payment(intent) if intent else None)


def _never_sent(cause: BaseException | None) -> bool:
    # A connection that was not made is certain; one that broke may have carried the request before.
    if isinstance(cause, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    return isinstance(cause, requests.exceptions.ConnectionError) and "NewConnectionError" in repr(cause)


def _wait(error: stripe.StripeError) -> float | None:
    return wished_wait_s(str(_headers(error).get("retry-after", "")))


def _headers(error: stripe.StripeError) -> Mapping[str, str]:
    return {name.lower(): value for name, value in (error.headers or {}).items()}
