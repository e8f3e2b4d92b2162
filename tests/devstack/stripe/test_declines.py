"""Cards that banks refuse: the error, the charge, the intent that waits for another card."""

import pytest
import stripe

from tests.devstack.stripe.conftest import authorised, charge_of, event_types, paid

REFUSALS = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
]


@pytest.mark.parametrize(("card", "code", "decline_code"), REFUSALS)
def test_a_refused_card_answers_402_with_its_codes(
    client: stripe.StripeClient, card: str, code: str, decline_code: str | None
):
    with pytest.raises(stripe.CardError) as refused:
        paid(client, payment_method=card)
    error = refused.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error
    assert error.error.type == "card_error"
    assert error.json_body["error"].get("decline_code") == decline_code


def test_a_refusal_leaves_a_failed_charge_and_a_payment_that_waits_for_another_card(client: stripe.StripeClient):
    with pytest.raises(stripe.CardError) as refused:
        authorised(client, payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    intent_id = refused.value.json_body["error"]["payment_intent"]["id"]
    intent = client.v1.payment_intents.retrieve(intent_id)
    charge = charge_of(client, intent)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error
    assert intent.last_payment_error.decline_code == "insufficient_funds"
    assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
    assert charge.outcome
    assert charge.outcome.reason == "insufficient_funds"
    assert event_types(client) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]

    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
    assert (again.status, again.last_payment_error) == ("requires_capture", None)
    assert again.latest_charge != charge.id


def test_a_card_used_without_a_customer_cannot_be_used_again(client: stripe.StripeClient):
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    paid(client, payment_method=method.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        paid(client, payment_method=method.id)


def test_a_card_of_a_customer_needs_its_customer(client: stripe.StripeClient):
    owner = client.v1.customers.create({"payment_method": "pm_card_visa"})
    other = client.v1.customers.create()
    method = client.v1.payment_methods.list({"customer": owner.id}).data[0]
    with pytest.raises(stripe.InvalidRequestError, match="Please include the Customer"):
        paid(client, payment_method=method.id)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method with the ID"):
        paid(client, payment_method=method.id, customer=other.id)
    assert paid(client, payment_method=method.id, customer=owner.id).status == "succeeded"


@pytest.mark.parametrize("number", ["4242424242424242", "4242 4242 4242 4242", "378282246310005"])
def test_a_card_number_is_refused_wherever_it_stands(client: stripe.StripeClient, number: str):
    card = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
    with pytest.raises(stripe.CardError, match="generally unsafe"):
        client.v1.payment_methods.create({"type": "card", "card": card})  # type: ignore[typeddict-item]
    with pytest.raises(stripe.CardError, match="generally unsafe"):
        client.v1.customers.create({"metadata": {"note": number}})
    assert client.v1.customers.list().data == []


def test_a_phone_number_and_a_long_order_number_are_no_card_numbers(client: stripe.StripeClient):
    customer = client.v1.customers.create({"phone": "4242424242424242", "metadata": {"order": "1795448316123456"}})
    assert customer.phone == "4242424242424242"


def test_an_unknown_card_name_is_no_such_payment_method(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod: 'pm_card_gold'") as refused:
        paid(client, payment_method="pm_card_gold")
    assert (refused.value.code, refused.value.http_status) == ("resource_missing", 400)
