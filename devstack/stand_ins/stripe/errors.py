"""Refusals in Stripe's own shape: type, code, message and HTTP status."""

from typing import Any

LABELS = {
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    "balance_transaction": "balance transaction",
    "webhook_endpoint": "webhook endpoint",
}
OUTAGE = "An unknown error occurred. If you need help, please contact support."
RATE_LIMIT = "Request rate limit exceeded."
LOCK_TIMEOUT = (
    "This object cannot be accessed right now because another API request or Stripe process is currently accessing it."
)


class StripeError(Exception):
    """A refused request. `stored` says whether an idempotency key keeps it, as of every endpoint that ran."""

    stored = True

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "type": kind}
        self.error |= {name: value for name, value in more.items() if value is not None}
        if code := self.error.get("code"):
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{str(code).replace('_', '-')}"

    def as_json(self, request_id: str, at: int) -> dict[str, Any]:
        log = f"https://dashboard.stripe.com/test/logs/{request_id}?t={at}"
        return {"error": dict(sorted((self.error | {"request_log_url": log}).items()))}


class ParameterError(StripeError):
    """The parameters do not make sense: no endpoint ran, so no idempotency key keeps this answer."""

    stored = False


class CardError(StripeError):
    """The card was refused; the payment is the customer's to mend."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, status=402, kind="card_error", **more)


def no_such(kind: str, wanted: str, *, param: str = "id", status: int = 404) -> StripeError:
    """Return the refusal for an id that is not there: 404 for a path, 400 for a parameter."""
    label = LABELS.get(kind, kind)
    return StripeError(f"No such {label}: '{wanted}'", code="resource_missing", param=param, status=status)


def injected(status: int) -> dict[str, Any]:
    """Return the body of an answer that a planned fault asked for."""
    if status == 429:
        error = {"message": RATE_LIMIT, "type": "invalid_request_error", "code": "rate_limit"}
    elif status == 409:
        error = {"message": LOCK_TIMEOUT, "type": "invalid_request_error", "code": "lock_timeout"}
    elif status == 402:
        error = {
            "message": "Your card was declined.",
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "generic_decline",
        }
    else:
        kind = "api_error" if status >= 500 else "invalid_request_error"
        error = {"message": OUTAGE, "type": kind}
    return {"error": error}
