"""Customers: who pays, and which of their cards is the default."""

from copy import deepcopy

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.errors import no_such
from devstack.stand_ins.stripe.events import emit
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params, merged
from devstack.stand_ins.stripe.resources import payment_methods
from devstack.stand_ins.stripe.routes import (
    Route,
    assign,
    existing_customer,
    read_address,
    read_shipping,
)
from devstack.stand_ins.stripe.wire import Json

TEXTS = ("description", "email", "name", "phone")


def create(account: Account, params: Params) -> Json:
    fields = _read(params)
    method_id = params.text("payment_method")
    params.close()
    customer = account.new("customer", "cus", **_blank())
    customer["invoice_prefix"] = customer["id"][-8:].upper()
    _apply(account, customer, params, fields)
    emit(account, "customer.created", customer)
    if method_id is not None:
        payment_methods.attach_to(account, payment_methods.resolve(account, method_id), customer)
    return customer


def retrieve(account: Account, params: Params, customer_id: str) -> Json:
    params.close()
    return account.store.get("customer", customer_id)


def update(account: Account, params: Params, customer_id: str) -> Json:
    customer = existing_customer(account, customer_id)
    fields = _read(params)
    params.close()
    before = deepcopy(customer)
    _apply(account, customer, params, fields)
    if customer != before:
        emit(account, "customer.updated", customer, before)
    return customer


def delete(account: Account, params: Params, customer_id: str) -> Json:
    customer = existing_customer(account, customer_id)
    params.close()
    for method in payment_methods.of_customer(account, customer_id):
        payment_methods.detach_from(account, account.store.get("payment_method", method["id"]))
    emit(account, "customer.deleted", customer)
    return account.store.put({"id": customer_id, "object": "customer", "deleted": True})


def list_all(account: Account, params: Params) -> Json:
    window, email, (first, last) = read_window(params), params.text("email"), params.between("created")
    params.close()
    found = [
        customer
        for customer in account.store.all("customer")
        if not customer.get("deleted") and first <= customer["created"] <= last and email in {None, customer["email"]}
    ]
    return page(found, window, "/v1/customers", "customer")


def list_payment_methods(account: Account, params: Params, customer_id: str) -> Json:
    existing_customer(account, customer_id)
    window, _kind = read_window(params), params.choice("type", "card")
    params.close()
    found = payment_methods.of_customer(account, customer_id)
    return page(found, window, f"/v1/customers/{customer_id}/payment_methods", "payment_method")


def retrieve_payment_method(account: Account, params: Params, customer_id: str, method_id: str) -> Json:
    existing_customer(account, customer_id)
    params.close()
    method = account.store.get("payment_method", method_id, param="payment_method")
    if method["customer"] != customer_id:
        raise no_such("payment_method", method_id, param="payment_method")
    return method


def _blank() -> Json:
    return {
        "address": None,
        "balance": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def _read(params: Params) -> Json:
    fields: Json = {field: params.text(field, clearable=True) for field in TEXTS}
    fields["address"], fields["shipping"] = read_address(params), read_shipping(params)
    fields["preferred_locales"] = params.texts("preferred_locales")
    invoicing = params.section("invoice_settings")
    default = invoicing.text("default_payment_method", clearable=True) if invoicing else None
    params.metadata()
    return {name: value for name, value in fields.items() if value is not None} | {"default": default}


def _apply(account: Account, customer: Json, params: Params, fields: Json) -> None:
    default = fields.pop("default")
    if default:
        method = payment_methods.resolve(account, default, param="invoice_settings[default_payment_method]")
        payment_methods.check_owner(method, customer["id"])
    if default is not None:
        settings = customer["invoice_settings"]
        customer["invoice_settings"] = settings | {"default_payment_method": default or None}
    assign(customer, params, *TEXTS)
    customer |= {name: value for name, value in fields.items() if name not in TEXTS}
    customer["metadata"] = merged(customer["metadata"], params)


ROUTES = (
    Route("POST", "/v1/customers", "customer", create),
    Route("GET", "/v1/customers", "customer", list_all, in_list=True),
    Route("GET", "/v1/customers/<customer_id>", "customer", retrieve),
    Route("POST", "/v1/customers/<customer_id>", "customer", update),
    Route("DELETE", "/v1/customers/<customer_id>", "customer", delete),
    Route("GET", "/v1/customers/<customer_id>/payment_methods", "payment_method", list_payment_methods, in_list=True),
    Route(
        "GET",
        "/v1/customers/<customer_id>/payment_methods/<method_id>",
        "payment_method",
        retrieve_payment_method,
    ),
)
