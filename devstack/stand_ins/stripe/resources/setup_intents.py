"""Setup intents: a card saved for later, without a payment."""

from copy import deepcopy

from devstack.stand_ins.stripe import paying
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import CardError, ParameterError, StripeError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.resources import payment_methods
from devstack.stand_ins.stripe.routes import (
    Route,
    assign,
    check_client_secret,
    check_return_url,
    existing_customer,
    read_redirects,
)
from devstack.stand_ins.stripe.wire import Json

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
REASONS = ("abandoned", "duplicate", "requested_by_customer")
SECRET_LENGTH = 25


def create(account: Account, params: Params) -> Json:
    method_id, customer_id = params.text("payment_method"), params.text("customer")
    redirects = read_redirects(params)
    usage = params.choice("usage", "off_session", "on_session") or "off_session"
    description = params.text("description")
    params.metadata()
    confirmed, return_url = params.flag("confirm") or False, params.text("return_url")
    if return_url and not confirmed:
        raise ParameterError("This parameter can only be used with confirm=true.", param="return_url")
    params.flag("use_stripe_sdk")
    params.close()
    method_id = _check_parties(account, method_id, customer_id)
    intent = account.new("setup_intent", "seti", **_blank())
    intent |= {"automatic_payment_methods": redirects, "customer": customer_id, "usage": usage}
    intent |= {"description": description, "metadata": merged({}, params), "payment_method": method_id}
    intent["client_secret"] = f"{intent['id']}_{account.store.new_id('secret', SECRET_LENGTH)}"
    intent["status"] = "requires_payment_method" if method_id is None else "requires_confirmation"
    emit(account, "setup_intent.created", intent)
    return _confirm(account, intent, return_url) if confirmed else intent


def retrieve(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    check_client_secret(account, params, intent)
    params.close()
    return intent


def update(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    method_id, customer_id = params.text("payment_method"), params.text("customer")
    params.metadata()
    assigned = {"description": params.text("description", clearable=True)}
    params.close()
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "updated")
    customer_id = customer_id or intent["customer"]
    method_id = _check_parties(account, method_id, customer_id)
    intent["customer"] = customer_id
    if method_id is not None:
        intent |= {"payment_method": method_id, "status": "requires_confirmation", "next_action": None}
    if assigned["description"] is not None:
        assign(intent, params, "description")
    intent["metadata"] = merged(intent["metadata"], params)
    return intent


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    customer, method = params.text("customer"), params.text("payment_method")
    params.close()
    found = [
        intent
        for intent in account.store.all("setup_intent")
        if first <= intent["created"] <= last
        and customer in {None, intent["customer"]}
        and method in {None, intent["payment_method"]}
    ]
    return page(found, window, "/v1/setup_intents", "setup_intent")


def confirm(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    check_client_secret(account, params, intent)
    method_id, return_url = params.text("payment_method"), params.text("return_url")
    params.flag("use_stripe_sdk")
    params.close()
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "confirmed")
    method_id = _check_parties(account, method_id, intent["customer"])
    intent |= {"payment_method": method_id} if method_id else {}
    return _confirm(account, intent, return_url)


def cancel(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    reason = params.choice("cancellation_reason", *REASONS)
    params.close()
    if intent["status"] not in OPEN:
        raise _unexpected(intent, "canceled")
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    emit(account, "setup_intent.canceled", intent)
    return intent


def finish_authentication(account: Account, intent: Json, *, succeed: bool) -> Json:
    """End a 3-D Secure challenge as the customer's bank would report it."""
    if intent["status"] != "requires_action":
        raise _unexpected(intent, "authenticated")
    method = account.store.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if succeed:
        return _save(account, intent, method)
    error = {
        "code": "setup_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/setup-intent-authentication-failure",
        "message": paying.NOT_AUTHENTICATED,
        "payment_method": deepcopy(method),
        "type": "invalid_request_error",
    }
    _refuse(account, intent, error)
    return intent


def _get(account: Account, intent_id: str) -> Json:
    return account.store.get("setup_intent", intent_id, param="intent")


def _check_parties(account: Account, method_id: str | None, customer_id: str | None) -> str | None:
    if customer_id is not None:
        existing_customer(account, customer_id, param="customer", status=400)
    if method_id is None:
        return None
    method = payment_methods.resolve(account, method_id)
    payment_methods.check_unused(account, method)
    payment_methods.check_owner(method, customer_id)
    return method["id"]


def _confirm(account: Account, intent: Json, return_url: str | None) -> Json:
    if intent["payment_method"] is None:
        message = (
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a "
            "payment method and then confirm it again."
        )
        raise StripeError(message, code="setup_intent_unexpected_state", setup_intent=deepcopy(intent))
    if not account.cause.publishable:
        check_return_url(intent, return_url)
    method = account.store.get("payment_method", intent["payment_method"])
    card = payment_methods.card_of(account, method)
    account.store.hidden(intent)["return_url"] = return_url
    intent["last_setup_error"] = None
    if card.asks != "never":
        intent |= {"status": "requires_action", "next_action": paying.challenge(account, intent, return_url)}
        emit(account, "setup_intent.requires_action", intent)
        return intent
    if card.decline is None or not card.declines_on_save:
        return _save(account, intent, method)
    refused = card.decline
    error = CardError(refused.message, code=refused.code, decline_code=refused.decline_code)
    _refuse(account, intent, dict(error.error) | {"payment_method": deepcopy(method)})
    error.error["setup_intent"] = deepcopy(intent)
    raise error


def _save(account: Account, intent: Json, method: Json) -> Json:
    if intent["customer"] is not None and method["customer"] is None:
        before = deepcopy(method)
        method["customer"] = intent["customer"]
        emit(account, "payment_method.attached", method, before)
    account.store.hidden(method)["saved"] = True
    intent |= {"status": "succeeded", "next_action": None}
    emit(account, "setup_intent.succeeded", intent)
    return intent


def _refuse(account: Account, intent: Json, error: Json) -> None:
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_setup_error": error}
    emit(account, "setup_intent.setup_failed", intent)


def _unexpected(intent: Json, verb: str) -> StripeError:
    message = f"This SetupIntent could not be {verb} because it has a status of {intent['status']}."
    return StripeError(message, code="setup_intent_unexpected_state", setup_intent=deepcopy(intent))


def _blank() -> Json:
    empty = (
        "application automatic_payment_methods cancellation_reason client_secret customer description flow_directions "
        "last_setup_error latest_attempt mandate next_action on_behalf_of payment_method "
        "payment_method_configuration_details single_use_mandate"
    )
    card = {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    return dict.fromkeys(empty.split()) | {
        "metadata": {},
        "payment_method_options": {"card": card},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }


ONE = "/v1/setup_intents/<intent_id>"
ROUTES = (
    Route("POST", "/v1/setup_intents", "setup_intent", create),
    Route("GET", "/v1/setup_intents", "setup_intent", list_all, in_list=True),
    Route("GET", ONE, "setup_intent", retrieve, publishable=True),
    Route("POST", ONE, "setup_intent", update),
    Route("POST", f"{ONE}/confirm", "setup_intent", confirm, publishable=True),
    Route("POST", f"{ONE}/cancel", "setup_intent", cancel),
)
