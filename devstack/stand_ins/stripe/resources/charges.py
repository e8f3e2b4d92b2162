"""Charges: one attempt each to take money from a card, made by payment intents only."""

import hashlib
from typing import Any

from devstack.stand_ins.stripe.account import Account
from devstack.stand_ins.stripe.cards import Decline
from devstack.stand_ins.stripe.lists import page, read_window
from devstack.stand_ins.stripe.params import Params
from devstack.stand_ins.stripe.routes import Route
from devstack.stand_ins.stripe.wire import Json

EMPTY = (
    "application application_fee application_fee_amount balance_transaction failure_balance_transaction failure_code "
    "failure_message on_behalf_of receipt_number receipt_url review source source_transfer transfer_data transfer_group"
)
TAKEN_OVER = (
    "amount",
    "currency",
    "customer",
    "description",
    "receipt_email",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
)
NO_DETAILS = "The bank did not return any further details with this decline."
AUTHENTICATED: Json = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": "b5e4a5d0-9d4b-4f3e-8a57-5f0c2d1b7a11",
    "version": "2.2.0",
}


def retrieve(account: Account, params: Params, charge_id: str) -> Json:
    params.close()
    return account.store.get("charge", charge_id)


def list_all(account: Account, params: Params) -> Json:
    window, (first, last) = read_window(params), params.between("created")
    customer, intent = params.text("customer"), params.text("payment_intent")
    params.close()
    found = [
        charge
        for charge in account.store.all("charge")
        if first <= charge["created"] <= last
        and customer in {None, charge["customer"]}
        and intent in {None, charge["payment_intent"]}
    ]
    return page(found, window, "/v1/charges", "charge")


def make(account: Account, intent: Json, method: Json, *, authenticated: bool) -> Json:
    """Make an approved, uncaptured charge for the whole amount of a payment intent."""
    charge = account.new(
        "charge",
        "ch",
        **dict.fromkeys(EMPTY.split()),
        **{name: intent[name] for name in TAKEN_OVER},
        amount_captured=0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="BACKROOM STAND-IN",
        captured=False,
        disputed=False,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=_outcome("approved_by_network", "authorized", "Payment complete."),
        paid=True,
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(intent, method, authenticated=authenticated),
        radar_options={},
        refunded=False,
        status="succeeded",
    )
    intent["latest_charge"] = charge["id"]
    return charge


def fail(charge: Json, decline: Decline) -> None:
    """Turn a fresh charge into a refused one."""
    reason = decline.decline_code or decline.code
    outcome = _outcome("declined_by_network", "issuer_declined", NO_DETAILS)
    charge |= {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": outcome | {"advice_code": decline.advice, "reason": reason},
        "paid": False,
        "status": "failed",
    }


def _details(intent: Json, method: Json, *, authenticated: bool) -> Json:
    card = method["card"]
    shown = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    fields: Json = {name: card[name] for name in shown}
    fields |= {name: {"status": "unavailable"} for name in ("incremental_authorization", "multicapture")}
    return {
        "card": fields
        | {
            "amount_authorized": intent["amount"],
            "authorization_code": intent["id"][-6:].upper(),
            "extended_authorization": {"status": "disabled"},
            "installments": None,
            "mandate": None,
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": _digits(intent["id"]),
            "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": dict(AUTHENTICATED) if authenticated else None,
            "wallet": None,
        },
        "type": "card",
    }


def _digits(text: str) -> str:
    """Return fifteen digits that depend on the text alone."""
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 10**15).zfill(15)


def _outcome(network_status: str, kind: str, message: str) -> dict[str, Any]:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 17,
        "seller_message": message,
        "type": kind,
    }


ROUTES = (
    Route("GET", "/v1/charges", "charge", list_all, in_list=True),
    Route("GET", "/v1/charges/<charge_id>", "charge", retrieve),
)
