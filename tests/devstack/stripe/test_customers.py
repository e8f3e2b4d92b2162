"""Customers and their saved cards."""

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import authorised, door, event_types


def test_a_customer_is_kept_changed_and_found_by_email(client: stripe.StripeClient):
    made = client.v1.customers.create(
        {"email": "ada@example.com", "name": "Ada", "metadata": {"user": "7"}, "address": {"country": "DE"}}
    )
    client.v1.customers.create({"email": "bob@example.com"})
    changed = client.v1.customers.update(made.id, {"name": "Ada L.", "metadata": {"vip": "yes"}})
    assert (changed.name, changed.email) == ("Ada L.", "ada@example.com")
    assert changed.metadata
    assert changed.metadata.to_dict() == {"user": "7", "vip": "yes"}
    assert [found.id for found in client.v1.customers.list({"email": "ada@example.com"}).data] == [made.id]
    updated = client.v1.events.list({"type": "customer.updated"}).data[0]
    assert updated.data.previous_attributes.to_dict() == {"metadata": {"vip": None}, "name": "Ada"}


def test_an_update_that_changes_nothing_is_no_event(client: stripe.StripeClient):
    made = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(made.id, {"name": "Ada"})
    assert event_types(client) == ["customer.created"]


def test_a_deleted_customer_answers_that_it_is_deleted_and_pays_no_more(client: stripe.StripeClient):
    made = client.v1.customers.create({"payment_method": "pm_card_visa"})
    assert client.v1.customers.delete(made.id).deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "customer": made.id})
    assert event_types(client)[-2:] == ["payment_method.detached", "customer.deleted"]


def test_a_card_is_attached_made_the_default_and_detached_for_good(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_mastercard"}})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    seen = client.v1.customers.retrieve(customer.id, {"expand": ["invoice_settings.default_payment_method"]})
    assert seen.invoice_settings
    default = seen.invoice_settings.default_payment_method
    assert isinstance(default, stripe.PaymentMethod)
    assert default.card
    assert (default.card.brand, default.card.last4) == ("mastercard", "4444")
    assert [card.id for card in client.v1.customers.payment_methods.list(customer.id).data] == [method.id]

    client.v1.payment_methods.detach(method.id)
    after = client.v1.customers.retrieve(customer.id)
    assert after.invoice_settings
    assert after.invoice_settings.default_payment_method is None
    assert client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="not attached"):
        client.v1.payment_methods.detach(method.id)


def test_a_card_of_one_customer_cannot_be_attached_to_another(client: stripe.StripeClient):
    first, second = client.v1.customers.create(), client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": first.id})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        client.v1.payment_methods.attach(method.id, {"customer": second.id})
    settings = {"default_payment_method": method.id}
    with pytest.raises(stripe.InvalidRequestError, match="does not have a payment method"):
        client.v1.customers.update(second.id, {"invoice_settings": settings})  # type: ignore[typeddict-item]


def test_a_refused_card_cannot_be_saved_but_one_that_fails_later_can(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError):
        authorised(client, customer=customer.id, payment_method=method.id)


def test_a_setup_intent_saves_a_card(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create({"customer": customer.id, "payment_method_types": ["card"]})
    assert setup.client_secret
    assert setup.client_secret.startswith(f"{setup.id}_secret_")
    done = client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_amex"})
    method = client.v1.payment_methods.retrieve(str(done.payment_method))
    assert (done.status, method.customer) == ("succeeded", customer.id)
    assert event_types(client)[-3:] == ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.setup_intents.cancel(setup.id)
    assert refused.value.code == "setup_intent_unexpected_state"


def test_a_refused_card_leaves_the_setup_open(client: stripe.StripeClient):
    setup = client.v1.setup_intents.create({"payment_method_types": ["card"]})
    with pytest.raises(stripe.CardError):
        client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa_chargeDeclined"})
    seen = client.v1.setup_intents.retrieve(setup.id)
    assert (seen.status, seen.payment_method) == ("requires_payment_method", None)
    assert seen.last_setup_error
    assert seen.last_setup_error.code == "card_declined"
    assert client.v1.setup_intents.cancel(setup.id).status == "canceled"


def test_a_payment_with_future_usage_saves_the_card(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    intent = authorised(client, customer=customer.id, setup_future_usage="off_session")
    cards = client.v1.payment_methods.list({"customer": customer.id}).data
    assert [card.id for card in cards] == [intent.payment_method]
    assert authorised(client, customer=customer.id, payment_method=cards[0].id).status == "requires_capture"


def test_a_saved_card_can_be_renewed_and_a_loose_one_cannot(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    loose = client.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_visa"}, "billing_details": {"name": "Ada"}, "metadata": {"n": "1"}}
    )
    renewal = {"card": {"exp_month": 5, "exp_year": 2031}, "billing_details": {"address": {"country": "DE"}}}
    with pytest.raises(stripe.InvalidRequestError, match="must save this PaymentMethod"):
        client.v1.payment_methods.update(loose.id, renewal)  # type: ignore[arg-type]
    client.v1.payment_methods.attach(loose.id, {"customer": customer.id})
    renewed = client.v1.payment_methods.update(loose.id, renewal)  # type: ignore[arg-type]
    assert renewed.card
    assert (renewed.card.exp_month, renewed.card.exp_year) == (5, 2031)
    assert renewed.billing_details.name == "Ada"
    updated = client.v1.events.list({"type": "payment_method.updated"}).data[0]
    assert updated.data.previous_attributes["card"]["exp_month"] == 12


def test_a_card_is_seen_under_its_own_customer_only(client: stripe.StripeClient):
    owner, other = client.v1.customers.create(), client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner.id})
    assert client.v1.customers.payment_methods.retrieve(owner.id, method.id).id == method.id
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        client.v1.customers.payment_methods.retrieve(other.id, method.id)
    assert [found.id for found in client.v1.payment_methods.list().data] == [method.id]


def test_an_unknown_token_is_no_such_token(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match="No such token: 'tok_gold'"):
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_gold"}})
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: card"):
        client.v1.payment_methods.create({"type": "card"})


def test_a_setup_is_completed_step_by_step(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create({"payment_method_types": ["card"], "description": "first"})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.setup_intents.confirm(setup.id)
    params = {"customer": customer.id, "payment_method": "pm_card_visa", "description": "", "metadata": {"step": "2"}}
    updated = client.v1.setup_intents.update(setup.id, params)  # type: ignore[arg-type]
    assert (updated.status, updated.description) == ("requires_confirmation", None)
    assert client.v1.setup_intents.confirm(setup.id).status == "succeeded"
    listed = client.v1.setup_intents.list({"customer": customer.id}).data
    assert [found.id for found in listed] == [setup.id]
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.setup_intents.update(setup.id, {"description": "late"})


def test_a_setup_whose_challenge_fails_asks_for_another_card(stand_in: Running, client: stripe.StripeClient):
    params = {"payment_method_types": ["card"], "payment_method": "pm_card_threeDSecure2Required", "confirm": True}
    setup = client.v1.setup_intents.create(params)  # type: ignore[arg-type]
    assert setup.status == "requires_action"
    door(stand_in, f"3ds/{setup.id}", outcome="fail")
    failed = client.v1.setup_intents.retrieve(setup.id)
    assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
    assert failed.last_setup_error
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert event_types(client)[-1] == "setup_intent.setup_failed"
