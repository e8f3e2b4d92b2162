"""The check itself: it must see what Stripe would never send."""

import copy
from typing import Any

import pytest
import stripe

from tests.devstack.stripe.conftest import authorised, charge_of
from tests.devstack.stripe.sdk_shapes import error_faults, faults


@pytest.fixture
def charge(client: stripe.StripeClient) -> dict[str, Any]:
    return charge_of(client, authorised(client)).to_dict()


def test_a_true_answer_has_no_faults(charge: dict[str, Any]):
    assert faults(charge) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("amount", None, "charge.amount: int expected, got None"),
        ("amount", "1999", "charge.amount: int expected, got '1999'"),
        ("captured", 0, "charge.captured: bool expected, got 0"),
        ("amount", True, "charge.amount: int expected, got True"),
        ("invoice", None, "charge.invoice: surplus"),
        ("status", "done", "charge.status: 'done' is none of the known values"),
        ("payment_method_details.card.exp_month", "12", "charge.payment_method_details.card.exp_month: int"),
        ("payment_method_details.card.colour", "red", "charge.payment_method_details.card.colour: surplus"),
        ("outcome.risk_score", 1.5, "charge.outcome.risk_score: int expected, got 1.5"),
    ],
)
def test_a_wrong_field_is_named(charge: dict[str, Any], path: str, value: object, fault: str):
    wrong = copy.deepcopy(charge)
    *outer, last = path.split(".")
    holder = wrong
    for step in outer:
        holder = holder[step]
    holder[last] = value
    (found,) = faults(wrong)
    assert found.startswith(fault)


def test_a_missing_field_is_named(charge: dict[str, Any]):
    del charge["disputed"]
    del charge["payment_method_details"]["card"]["exp_year"]
    assert sorted(faults(charge)) == [
        "charge.disputed: missing",
        "charge.payment_method_details.card.exp_year: missing",
    ]


def test_an_expanded_object_is_walked_too(client: stripe.StripeClient):
    intent = authorised(client, expand=["latest_charge"]).to_dict()
    del intent["latest_charge"]["paid"]
    assert faults(intent) == ["payment_intent.latest_charge.paid: missing"]


def test_an_unknown_error_code_is_named():
    error = {"error": {"type": "invalid_request_error", "code": "no_such_code", "message": "x"}}
    assert error_faults(error) == ["error.code: 'no_such_code' is none of the known values"]


def test_an_unknown_event_type_is_named(client: stripe.StripeClient):
    authorised(client)
    event = client.v1.events.list({"limit": 1}).data[0].to_dict()
    event["type"] = "payment_intent.finished"
    assert faults(event) == ["event.type: 'payment_intent.finished' is none of the known values"]
