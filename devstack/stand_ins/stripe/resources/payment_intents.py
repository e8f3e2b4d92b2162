"""Payment intents: the routes; what happens to an intent is in paying.py."""

from typing import Any

from devstack.stand_ins.stripe import paying, search
from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.currencies import check_amount, check_currency
from devstack.stand_ins.stripe.errors import ParameterError
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.resources import payment_methods
from devstack.stand_ins.stripe.routes import (
    Route,
    assign,
    check_client_secret,
    existing_customer,
    read_redirects,
    read_shipping,
)
from devstack.stand_ins.stripe.wire import Json

CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
USAGES = ("off_session", "on_session")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
SECRET_LENGTH = 25


def create(account: Account, params: Params) -> Json:
    amount, currency = params.whole("amount", least=1), params.text("currency")
    if amount is None or currency is None:
        raise params.missing("amount" if amount is None else "currency")
    currency = check_currency(currency)
    fields = _read_fields(params)
    fields |= {"amount": amount, "currency": currency}
    fields["automatic_payment_methods"] = read_redirects(params)
    fields["capture_method"] = params.choice("capture_method", *CAPTURE_METHODS) or "automatic_async"
    params.choice("confirmation_method", "automatic")
    confirmed = params.flag("confirm") or False
    how = _read_confirmation(params, confirmed=confirmed)
    params.close()
    check_amount(amount, currency)
    method_id = _check_parties(account, fields.pop("payment_method", None), fields.get("customer"))
    intent = _make(account, fields, params, method_id)
    emit(account, "payment_intent.created", intent)
    return paying.confirm(account, intent, how) if confirmed else intent


def retrieve(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    check_client_secret(account, params, intent)
    params.close()
    return intent


def update(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    fields = _read_fields(params)
    amount, currency = params.whole("amount", least=1), params.text("currency")
    params.close()
    money = {"amount": amount, "currency": check_currency(currency) if currency else None}
    fields |= {name: value for name, value in money.items() if value is not None}
    for name in ("amount", "currency", "customer", "payment_method", "setup_future_usage", "shipping"):
        if name in fields:
            _check_updatable(intent, name)
    check_amount(fields.get("amount", intent["amount"]), fields.get("currency", intent["currency"]))
    customer_id = fields.get("customer", intent["customer"])
    method_id = _check_parties(account, fields.pop("payment_method", None), customer_id)
    if method_id is not None:
        intent |= {"payment_method": method_id, "status": "requires_confirmation", "next_action": None}
    _apply(intent, fields, params)
    return intent


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    customer = params.text("customer")
    params.close()
    found = [
        intent
        for intent in account.store.all("payment_intent")
        if first <= intent["created"] <= last and customer in {None, intent["customer"]}
    ]
    return page(found, window, "/v1/payment_intents", "payment_intent")


def find(account: Account, params: Params) -> Json:
    query = search.read_query(params)
    params.close()
    return search.page(account.store.all("payment_intent"), query, "/v1/payment_intents/search")


def confirm(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    check_client_secret(account, params, intent)
    fields = _read_fields(params, confirming=True)
    capture_method = params.choice("capture_method", *CAPTURE_METHODS)
    how = _read_confirmation(params, confirmed=True)
    params.close()
    paying.check_confirmable(intent)
    method_id = _check_parties(account, fields.pop("payment_method", None), intent["customer"])
    intent |= {"payment_method": method_id} if method_id else {}
    intent |= {"capture_method": capture_method} if capture_method else {}
    _apply(intent, fields, params)
    return paying.confirm(account, intent, how)


def capture(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    amount = params.whole("amount_to_capture", least=1)
    if params.flag("final_capture") is False:
        message = "You cannot use `final_capture` on this PaymentIntent because multicapture is not available for it."
        raise ParameterError(message, param="final_capture")
    texts = [params.text(name) for name in ("statement_descriptor", "statement_descriptor_suffix")]
    params.metadata()
    params.close()
    captured = paying.capture(account, intent, amount)
    captured["metadata"] = merged(captured["metadata"], params)
    captured |= {"statement_descriptor": texts[0]} if texts[0] else {}
    captured |= {"statement_descriptor_suffix": texts[1]} if texts[1] else {}
    return captured


def cancel(account: Account, params: Params, intent_id: str) -> Json:
    intent = _get(account, intent_id)
    reason = params.choice("cancellation_reason", *REASONS)
    params.close()
    return paying.cancel(account, intent, reason)


def _get(account: Account, intent_id: str) -> Json:
    return account.store.get("payment_intent", intent_id, param="intent")


def _read_fields(params: Params, *, confirming: bool = False) -> dict[str, Any]:
    """Read what create, update and confirm have in common; only what was given is in the result."""
    texts = ("receipt_email",) if confirming else TEXTS
    fields: dict[str, Any] = {name: params.text(name, clearable=True) for name in texts}
    fields["payment_method"] = params.text("payment_method")
    fields["setup_future_usage"] = params.choice("setup_future_usage", *USAGES, clearable=True)
    fields["shipping"] = read_shipping(params)
    fields["three_d_secure"] = _read_three_d_secure(params)
    if not confirming:
        fields["customer"] = params.text("customer")
        params.metadata()
    return {name: value for name, value in fields.items() if value is not None}


def _read_three_d_secure(params: Params) -> str | None:
    options = params.section("payment_method_options")
    card = options.section("card") if options else None
    return card.choice("request_three_d_secure", "any", "automatic", "challenge") if card else None


def _read_confirmation(params: Params, *, confirmed: bool) -> paying.Confirmation:
    for name in ("off_session", "return_url", "use_stripe_sdk"):
        if params.has(name) and not confirmed:
            raise ParameterError("This parameter can only be used with confirm=true.", param=name)
    params.flag("use_stripe_sdk")
    return paying.Confirmation(params.text("return_url"), params.flag("off_session") or False)


def _check_parties(account: Account, method_id: str | None, customer_id: str | None) -> str | None:
    """Return the id of the payment method to use; refuse one that is used up or another customer's."""
    if customer_id:
        existing_customer(account, customer_id, param="customer", status=400)
    if method_id is None:
        return None
    method = payment_methods.resolve(account, method_id)
    payment_methods.check_unused(account, method)
    payment_methods.check_owner(method, customer_id)
    return method["id"]


def _check_updatable(intent: Json, name: str) -> None:
    if intent["status"] in paying.OPEN:
        return
    message = (
        f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You may only "
        f"update the {name} of a PaymentIntent with one of the following statuses: {', '.join(paying.OPEN)}."
    )
    raise paying.unexpected(intent, message, param=name)


def _make(account: Account, fields: dict[str, Any], params: Params, method_id: str | None) -> Json:
    intent = account.new("payment_intent", "pi", **_blank())
    intent["client_secret"] = f"{intent['id']}_{account.store.new_id('secret', SECRET_LENGTH)}"
    intent["payment_method"] = method_id
    intent["status"] = "requires_payment_method" if method_id is None else "requires_confirmation"
    _apply(intent, fields, params)
    return intent


def _apply(intent: Json, fields: dict[str, Any], params: Params) -> None:
    wish = fields.pop("three_d_secure", None)
    if wish is not None:
        intent["payment_method_options"]["card"]["request_three_d_secure"] = wish
    assign(intent, params, *(name for name in TEXTS if name in fields))
    if "setup_future_usage" in fields:
        intent["setup_future_usage"] = fields.pop("setup_future_usage") or None
    intent |= {name: value for name, value in fields.items() if name not in TEXTS}
    intent["metadata"] = merged(intent["metadata"], params)


def _blank() -> Json:
    empty = (
        "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason client_secret "
        "customer description last_payment_error latest_charge next_action on_behalf_of payment_method "
        "payment_method_configuration_details processing receipt_email review setup_future_usage shipping source "
        "statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
    )
    card = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    return dict.fromkeys(empty.split()) | {
        "amount": 0,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "currency": "usd",
        "metadata": {},
        "payment_method_options": {"card": card},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


ONE = "/v1/payment_intents/<intent_id>"
ROUTES = (
    Route("POST", "/v1/payment_intents", "payment_intent", create),
    Route("GET", "/v1/payment_intents", "payment_intent", list_all, in_list=True),
    Route("GET", "/v1/payment_intents/search", "payment_intent", find, in_list=True),
    Route("GET", ONE, "payment_intent", retrieve, publishable=True),
    Route("POST", ONE, "payment_intent", update),
    Route("POST", f"{ONE}/confirm", "payment_intent", confirm, publishable=True),
    Route("POST", f"{ONE}/capture", "payment_intent", capture),
    Route("POST", f"{ONE}/cancel", "payment_intent", cancel),
)
