"""Payments from the first call to the money: authorise, capture, cancel, expire, and what each leaves behind."""

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from devstack.stand_ins.stripe.ledger import fee_of
from tests.devstack.stripe.conftest import authorised, charge_of, door, event_types, paid, wait_until

DAY = 24 * 3600


def test_a_payment_without_a_card_waits_for_one(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create(
        {
            "amount": 1999,
            "currency": "EUR",
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"order_id": "ord_1"},
            "description": "Order 1",
            "receipt_email": "ada@example.com",
            "shipping": {"name": "Ada", "address": {"line1": "1 Main St", "city": "Berlin", "country": "DE"}},
        }
    )
    assert (intent.status, intent.currency, intent.amount_received) == ("requires_payment_method", "eur", 0)
    assert intent.client_secret
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.shipping
    assert intent.shipping.address
    assert intent.shipping.address.city == "Berlin"
    assert event_types(client) == ["payment_intent.created"]


def test_an_authorised_payment_can_be_captured_until_a_deadline_on_its_charge(client: stripe.StripeClient):
    intent = authorised(client)
    charge = charge_of(client, intent)
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 1999, 0)
    assert (charge.captured, charge.paid, charge.balance_transaction) == (False, True, None)
    card = charge.payment_method_details and charge.payment_method_details.card
    assert card
    assert card.capture_before
    assert card.capture_before - charge.created == 7 * DAY
    assert event_types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    ]


def test_a_capture_takes_the_whole_amount_and_books_it_with_its_fee(client: stripe.StripeClient):
    intent = client.v1.payment_intents.capture(authorised(client).id, {"expand": ["latest_charge.balance_transaction"]})
    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 1999, 0)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    booked = charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.amount, booked.fee, booked.net, booked.status) == (1999, 88, 1911, "pending")
    assert event_types(client)[-2:] == ["charge.captured", "payment_intent.succeeded"]


def test_a_partial_capture_lets_the_rest_go_by_a_refund_without_a_booking(client: stripe.StripeClient):
    intent = client.v1.payment_intents.capture(authorised(client).id, {"amount_to_capture": 1500})
    charge = charge_of(client, intent)
    assert (intent.amount_received, intent.amount_capturable, intent.amount) == (1500, 0, 1999)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1500, 499, False)
    (released,) = client.v1.refunds.list({"payment_intent": intent.id}).data
    assert (released.amount, released.status, released.balance_transaction) == (499, "succeeded", None)
    assert client.v1.balance_transactions.list().data[0].amount == 1500
    assert "charge.refunded" not in event_types(client)
    client.v1.refunds.create({"payment_intent": intent.id})
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (1999, True)


def test_more_than_was_authorised_cannot_be_captured(client: stripe.StripeClient):
    intent = authorised(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2000})
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_a_payment_is_captured_once(client: stripe.StripeClient):
    intent = authorised(client)
    client.v1.payment_intents.capture(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="already been captured") as refused:
        client.v1.payment_intents.capture(intent.id)
    assert (refused.value.code, refused.value.http_status) == ("payment_intent_unexpected_state", 400)


def test_a_payment_by_automatic_capture_is_booked_shortly_after_it_succeeded(client: stripe.StripeClient):
    intent = paid(client)
    assert (intent.status, intent.amount_received) == ("succeeded", 1999)
    assert intent.capture_method == "automatic_async"
    wait_until(lambda: charge_of(client, intent).balance_transaction is not None)
    updated = client.v1.events.list({"type": "charge.updated"}).data[0]
    assert updated.data.previous_attributes.to_dict() == {"balance_transaction": None}


def test_a_canceled_payment_lets_the_hold_go_and_stays_canceled(client: stripe.StripeClient):
    intent = authorised(client)
    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})
    charge = charge_of(client, canceled)
    assert (canceled.status, canceled.amount_capturable) == ("canceled", 0)
    assert canceled.cancellation_reason == "requested_by_customer"
    assert canceled.canceled_at is not None
    # Stripe writes a hold that was let go as refunded, and says so; nothing of it was ever in the balance.
    assert (charge.refunded, charge.amount_refunded, charge.captured, charge.amount_captured) == (True, 1999, False, 0)
    assert event_types(client)[-3:] == ["charge.refunded", "refund.created", "payment_intent.canceled"]
    assert client.v1.balance_transactions.list().data == []
    for move in (
        client.v1.payment_intents.cancel,
        client.v1.payment_intents.capture,
        client.v1.payment_intents.confirm,
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            move(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_a_succeeded_payment_cannot_be_canceled_confirmed_or_changed(client: stripe.StripeClient):
    intent = paid(client)
    with pytest.raises(stripe.InvalidRequestError, match="You cannot cancel this PaymentIntent"):
        client.v1.payment_intents.cancel(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="has already succeeded"):
        client.v1.payment_intents.confirm(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="amount could not be updated"):
        client.v1.payment_intents.update(intent.id, {"amount": 5})
    assert client.v1.payment_intents.update(intent.id, {"metadata": {"shipped": "yes"}}).metadata["shipped"] == "yes"


def test_an_authorisation_runs_out_after_seven_days(stand_in: Running, client: stripe.StripeClient):
    intent = authorised(client)
    door(stand_in, "clock", advance=7 * DAY - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    door(stand_in, "clock", advance=61)
    expired = client.v1.payment_intents.retrieve(intent.id)
    assert (expired.status, expired.cancellation_reason) == ("canceled", "automatic")
    assert event_types(client)[-3:] == ["charge.expired", "refund.created", "payment_intent.canceled"]
    assert client.v1.refunds.list().data[0].reason == "expired_uncaptured_charge"
    event = client.v1.events.list({"limit": 1}).data[0]
    assert event.request
    assert (event.request.id, event.request.idempotency_key) == (None, None)


def test_a_merchant_initiated_visa_payment_can_be_captured_for_four_days_and_eighteen_hours(
    client: stripe.StripeClient,
):
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    method = client.v1.payment_methods.list({"customer": customer.id}).data[0]
    intent = authorised(client, customer=customer.id, payment_method=method.id, off_session=True)
    charge = charge_of(client, intent)
    card = charge.payment_method_details and charge.payment_method_details.card
    assert card
    assert card.capture_before == charge.created + 4 * DAY + 18 * 3600


def test_a_payment_may_stay_in_processing_until_the_bank_answers(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "next-payment", status="processing", times=2)
    good, bad = paid(client), paid(client)
    assert (good.status, bad.status) == ("processing", "processing")
    door(stand_in, f"payments/{good.id}", outcome="succeed")
    door(stand_in, f"payments/{bad.id}", outcome="fail", card="visa_chargeDeclinedInsufficientFunds")
    assert client.v1.payment_intents.retrieve(good.id).status == "succeeded"
    failed = client.v1.payment_intents.retrieve(bad.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error
    assert failed.last_payment_error.decline_code == "insufficient_funds"
    assert "payment_intent.processing" in event_types(client)


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "eur", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (0, "eur", "parameter_invalid_integer"),
        (1001, "kwd", None),
        (1000, "xyz", None),
    ],
)
def test_an_amount_that_cannot_be_charged_is_refused(
    client: stripe.StripeClient, amount: int, currency: str, code: str | None
):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"amount": amount, "currency": currency})
    assert (refused.value.http_status, refused.value.code) == (400, code)
    assert client.v1.payment_intents.list().data == []


def test_the_least_amount_is_named_as_a_person_would_write_it(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match=r"Amount must be at least €0\.50 eur"):
        client.v1.payment_intents.create({"amount": 1, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="Amount must be at least ¥50 jpy"):
        client.v1.payment_intents.create({"amount": 1, "currency": "jpy"})


def test_a_server_confirmation_needs_a_return_url_where_redirects_are_allowed(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create(
        {"amount": 1999, "currency": "eur", "automatic_payment_methods": {"enabled": True}}
    )
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    confirmed = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example/back"}
    )
    assert confirmed.status == "succeeded"


def test_metadata_is_merged_and_unset_key_by_key(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create(
        {"amount": 1999, "currency": "eur", "metadata": {"a": "1", "b": "2", "7": "seven"}}
    )
    changed = client.v1.payment_intents.update(intent.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "7": "seven", "c": "3"}
    assert client.v1.payment_intents.update(intent.id, {"metadata": ""}).metadata.to_dict() == {}


def test_fees_are_two_point_nine_percent_and_thirty_minor_units_rounded_half_up():
    assert [fee_of(amount) for amount in (50, 1999, 10_000, 500)] == [31, 88, 320, 45]


def test_the_balance_moves_from_pending_to_available_after_two_days(stand_in: Running, client: stripe.StripeClient):
    client.v1.payment_intents.capture(authorised(client).id)
    before = client.v1.balance.retrieve()
    assert (before.pending[0].amount, before.available[0].amount) == (1911, 0)
    door(stand_in, "clock", advance=2 * DAY + 1)
    after = client.v1.balance.retrieve()
    assert (after.pending[0].amount, after.available[0].amount) == (0, 1911)


def test_a_payment_is_changed_while_it_is_open(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "description": "old"})
    params = {
        "amount": 2500,
        "description": "",
        "payment_method": "pm_card_visa",
        "setup_future_usage": "on_session",
        "receipt_email": "ada@example.com",
    }
    changed = client.v1.payment_intents.update(intent.id, params)  # type: ignore[arg-type]
    assert (changed.amount, changed.description, changed.status) == (2500, None, "requires_confirmation")
    assert (changed.setup_future_usage, changed.receipt_email) == ("on_session", "ada@example.com")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.update(intent.id, {"amount": 10})
    assert refused.value.code == "amount_too_small"
    assert client.v1.payment_intents.retrieve(intent.id).amount == 2500


def test_only_cards_are_known(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match='payment method type "sepa_debit" is invalid'):
        client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "payment_method_types": ["sepa_debit"]})
    listed = client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "payment_method_types": ["card"]})
    assert listed.automatic_payment_methods is None


def test_a_payment_without_a_card_cannot_be_confirmed(client: stripe.StripeClient):
    intent = client.v1.payment_intents.create({"amount": 1999, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as refused:
        client.v1.payment_intents.confirm(intent.id, {"return_url": "https://shop.example"})
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_capture_may_carry_metadata_but_is_always_the_last(client: stripe.StripeClient):
    intent = authorised(client)
    with pytest.raises(stripe.InvalidRequestError, match="multicapture is not available"):
        client.v1.payment_intents.capture(intent.id, {"final_capture": False})
    done = client.v1.payment_intents.capture(intent.id, {"metadata": {"parcel": "1"}, "final_capture": True})
    assert done.metadata.to_dict() == {"parcel": "1"}
