"""What a route is, and the pieces of request and answer that several resources share."""

import hmac
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import StripeError, no_such
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.wire import Json

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@dataclass(frozen=True)
class Route:
    """A method and path of the API, the kind of object it answers with, and what answers.

    `run` takes the account, the parameters and the ids of the path. `publishable` ones may be called from a browser
    with a publishable key and the client secret. `multipart` ones take a file.
    """

    method: str
    path: str
    returns: str
    run: Callable[..., Json]
    publishable: bool = False
    in_list: bool = False
    multipart: bool = False


def read_address(params: Params, name: str = "address") -> Json | None:
    """Return an address with every field, absent ones None; None where none was given."""
    section = params.section(name)
    if section is None:
        return None
    return {field: section.text(field, clearable=True) or None for field in ADDRESS}


def read_shipping(params: Params) -> Json | None:
    section = params.section("shipping")
    if section is None:
        return None
    return {
        "address": read_address(section),
        "carrier": section.text("carrier"),
        "name": section.required("name"),
        "phone": section.text("phone"),
        "tracking_number": section.text("tracking_number"),
    }


def read_redirects(params: Params) -> Json | None:
    """Return `automatic_payment_methods`; it is on by default unless the types are listed one by one."""
    section = params.section("automatic_payment_methods")
    types = params.texts("payment_method_types")
    for kind in types or []:
        if kind != "card":
            message = f'The payment method type "{kind}" is invalid. This stand-in knows cards only.'
            raise StripeError(message, code="payment_intent_invalid_parameter", param="payment_method_types")
    if section is None:
        return None if types else {"allow_redirects": "always", "enabled": True}
    enabled = section.flag("enabled")
    if enabled is None:
        raise section.missing("enabled")
    allowed = section.choice("allow_redirects", "always", "never") or "always"
    if types and enabled:
        message = "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."
        raise StripeError(message, code="parameters_exclusive")
    return {"allow_redirects": allowed, "enabled": True} if enabled else None


def check_return_url(intent: Json, return_url: str | None) -> None:
    """Refuse a confirmation without `return_url` where a payment method might redirect the customer away."""
    automatic = intent["automatic_payment_methods"]
    if return_url is None and automatic and automatic["allow_redirects"] == "always":
        enclosed: dict[str, Any] = {intent["object"]: deepcopy(intent)}
        raise StripeError(
            "This intent is configured to accept payment methods enabled in your Dashboard. Because some of these "
            "payment methods might redirect your customer off of your page, you must provide a `return_url`. If you "
            "don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` "
            "and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
            "Intents.",
            **enclosed,
        )


def check_client_secret(account: Account, params: Params, intent: Json) -> None:
    """Let a browser in only with the right client secret; a server may send it too."""
    given = params.text("client_secret")
    if given is None and account.cause.publishable:
        raise params.missing("client_secret")
    if given is not None and not hmac.compare_digest(given, intent["client_secret"]):
        message = "The client_secret provided does not match the client_secret associated with this intent."
        raise StripeError(message, param="client_secret")


def existing_customer(account: Account, customer_id: str, *, param: str = "id", status: int = 404) -> Json:
    """Return a customer that is not deleted, or refuse."""
    customer = account.store.get("customer", customer_id, param=param, status=status)
    if customer.get("deleted"):
        raise no_such("customer", customer_id, param=param, status=status)
    return customer


def assign(made: Json, params: Params, *fields: str) -> None:
    """Set the text fields that were given; an empty text unsets one."""
    for field in fields:
        if params.has(field):
            made[field] = params.text(field, clearable=True) or None
