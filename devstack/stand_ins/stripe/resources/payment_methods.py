"""Payment methods: cards by the names of Stripe's test cards, attached to customers and detached again."""

import hashlib
from copy import deepcopy

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.cards import EXPIRY_YEARS, Card, card_named
from devstack.stand_ins.stripe.errors import CardError, StripeError, no_such
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.routes import ADDRESS, Route, existing_customer, read_address
from devstack.stand_ins.stripe.wire import Json

YEAR_S = 365 * 24 * 3600
USED_UP = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use "
    "a PaymentMethod multiple times, you must attach it to a Customer first."
)


def create(account: Account, params: Params) -> Json:
    if params.choice("type", "card") is None:
        raise params.missing("type")
    section = params.section("card")
    token = section.text("token") if section else None
    billing = _read_billing(params)
    params.choice("allow_redisplay", "always", "limited", "unspecified")
    params.metadata()
    params.close()
    if token is None:
        raise params.missing("card")
    card = card_named(token) if token.startswith("tok_") else None
    if card is None:
        raise no_such("token", token, param="card[token]", status=400)
    method = make(account, token)
    method["billing_details"] |= billing or {}
    method["metadata"] = merged({}, params)
    return method


def retrieve(account: Account, params: Params, method_id: str) -> Json:
    params.close()
    return resolve(account, method_id, status=404)


def update(account: Account, params: Params, method_id: str) -> Json:
    method = resolve(account, method_id, status=404)
    billing = _read_billing(params)
    section = params.section("card")
    month = section.whole("exp_month", least=1, most=12) if section else None
    year = section.whole("exp_year", least=2000, most=2999) if section else None
    params.metadata()
    params.close()
    if method["customer"] is None:
        raise StripeError("You must save this PaymentMethod to a customer before you can update it.")
    before = deepcopy(method)
    method["billing_details"] = method["billing_details"] | (billing or {})
    method["card"] |= {"exp_month": month} if month else {}
    method["card"] |= {"exp_year": year} if year else {}
    method["metadata"] = merged(method["metadata"], params)
    emit(account, "payment_method.updated", method, before)
    return method


def attach(account: Account, params: Params, method_id: str) -> Json:
    customer_id = params.required("customer")
    params.close()
    method = resolve(account, method_id, status=404)
    customer = existing_customer(account, customer_id, param="customer", status=400)
    if method["customer"] not in {None, customer_id}:
        message = "The payment method you provided has already been attached to a customer."
        raise StripeError(message, code="payment_method_unexpected_state")
    return attach_to(account, method, customer)


def detach(account: Account, params: Params, method_id: str) -> Json:
    params.close()
    method = account.store.get("payment_method", method_id, param="payment_method")
    if method["customer"] is None:
        raise StripeError(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    return detach_from(account, method)


def list_all(account: Account, params: Params) -> Json:
    window, customer_id = read_window(params), params.text("customer")
    params.choice("type", "card")
    params.close()
    if customer_id is None:
        found = [method for method in account.store.all("payment_method") if method["customer"]]
    else:
        existing_customer(account, customer_id, param="customer", status=400)
        found = of_customer(account, customer_id)
    return page(found, window, "/v1/payment_methods", "payment_method")


def of_customer(account: Account, customer_id: str) -> list[Json]:
    return [method for method in account.store.all("payment_method") if method["customer"] == customer_id]


def resolve(account: Account, wanted: str, *, param: str = "payment_method", status: int = 400) -> Json:
    """Return the payment method; a test card's name (`pm_card_visa`) makes a new one each time, as at Stripe."""
    if card_named(wanted) is not None:
        return make(account, wanted)
    return account.store.get("payment_method", wanted, param=param, status=status)


def make(account: Account, name: str) -> Json:
    """Make an unattached payment method of the test card called `name`."""
    card = card_named(name)
    if card is None:
        raise no_such("payment_method", name, status=400)
    method = account.new(
        "payment_method",
        "pm",
        allow_redisplay="unspecified",
        billing_details={
            "address": dict.fromkeys(ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        card=_card_fields(account, card),
        customer=None,
        metadata={},
        type="card",
    )
    account.store.hidden(method).update(card=name, used_up=False, saved=False)
    return method


def card_of(account: Account, method: Json) -> Card:
    """Return what the card behind a payment method does."""
    card = card_named(account.store.hidden(method)["card"])
    assert card is not None, "a payment method is made of a card that exists"
    return card


def attach_to(account: Account, method: Json, customer: Json) -> Json:
    """Attach, unless it is attached there already; a card that banks refuse cannot be saved."""
    if method["customer"] == customer["id"]:
        return method
    check_unused(account, method)
    card = card_of(account, method)
    if card.decline is not None and card.declines_on_save and card.asks == "never":
        refused = card.decline
        raise CardError(refused.message, code=refused.code, decline_code=refused.decline_code)
    before = deepcopy(method)
    method["customer"] = customer["id"]
    emit(account, "payment_method.attached", method, before)
    return method


def detach_from(account: Account, method: Json) -> Json:
    """Detach for good; a customer whose default it was has no default any more."""
    before = deepcopy(method)
    customer = account.store.get("customer", method["customer"])
    method["customer"] = None
    account.store.hidden(method)["used_up"] = True
    emit(account, "payment_method.detached", method, before)
    settings = customer.get("invoice_settings", {})
    if settings.get("default_payment_method") == method["id"]:
        earlier = deepcopy(customer)
        customer["invoice_settings"] = settings | {"default_payment_method": None}
        emit(account, "customer.updated", customer, earlier)
    return method


def check_unused(account: Account, method: Json) -> None:
    if account.store.hidden(method)["used_up"]:
        raise StripeError(USED_UP)


def check_owner(method: Json, customer_id: str | None) -> None:
    """Refuse a payment method of another customer, or of a customer nobody named."""
    owner = method["customer"]
    if owner == customer_id or owner is None:
        return
    if customer_id is None:
        message = (
            f"The PaymentMethod {method['id']} belongs to the Customer {owner}. Please include the Customer in the "
            "`customer` parameter on the PaymentIntent."
        )
    else:
        message = (
            f"The customer does not have a payment method with the ID {method['id']}. The payment method must be "
            "attached to the customer."
        )
    raise StripeError(message, param="payment_method")


def _card_fields(account: Account, card: Card) -> Json:
    expiry_year = 1970 + account.clock.now() // YEAR_S + EXPIRY_YEARS
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "unchecked"},
        "country": card.country,
        "display_brand": card.brand.replace("amex", "american_express"),
        "exp_month": 12,
        "exp_year": expiry_year,
        "fingerprint": hashlib.sha256(f"{card.brand}{card.last4}".encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _read_billing(params: Params) -> Json | None:
    section = params.section("billing_details")
    if section is None:
        return None
    texts = {field: section.text(field, clearable=True) for field in ("email", "name", "phone", "tax_id")}
    fields: Json = {field: text or None for field, text in texts.items() if text is not None}
    address = read_address(section)
    return fields | ({"address": address} if address else {})


ROUTES = (
    Route("POST", "/v1/payment_methods", "payment_method", create, publishable=True),
    Route("GET", "/v1/payment_methods", "payment_method", list_all, in_list=True),
    Route("GET", "/v1/payment_methods/<method_id>", "payment_method", retrieve),
    Route("POST", "/v1/payment_methods/<method_id>", "payment_method", update),
    Route("POST", "/v1/payment_methods/<method_id>/attach", "payment_method", attach),
    Route("POST", "/v1/payment_methods/<method_id>/detach", "payment_method", detach),
)
