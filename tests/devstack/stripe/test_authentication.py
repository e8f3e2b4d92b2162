"""3-D Secure: the challenge, its two ends, and payments without the customer there."""

import pytest
import requests
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import authorised, charge_of, door, event_types, paid, sdk

BACK = "https://shop.example/back?cart=1"


def challenged(client: stripe.StripeClient, **more: object) -> stripe.PaymentIntent:
    return authorised(client, payment_method="pm_card_threeDSecure2Required", return_url=BACK, **more)


def test_a_challenge_sends_the_customer_to_a_page_and_names_the_way_back(
    stand_in: Running, client: stripe.StripeClient
):
    intent = challenged(client)
    assert intent.status == "requires_action"
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    assert intent.next_action.redirect_to_url.return_url == BACK
    page = str(intent.next_action.redirect_to_url.url)
    assert page.startswith(stand_in.url)
    assert "Complete authentication" in requests.get(page, timeout=5).text
    assert event_types(client)[-1] == "payment_intent.requires_action"


def test_without_a_return_url_the_challenge_is_left_to_the_browser_library(client: stripe.StripeClient):
    intent = authorised(client, payment_method="pm_card_authenticationRequired")
    assert intent.next_action
    assert intent.next_action.type == "use_stripe_sdk"


def test_a_passed_challenge_authorises_the_payment(stand_in: Running, client: stripe.StripeClient):
    intent = challenged(client)
    assert door(stand_in, f"3ds/{intent.id}", outcome="succeed")["status"] == "requires_capture"
    charge = charge_of(client, client.v1.payment_intents.retrieve(intent.id))
    card = charge.payment_method_details and charge.payment_method_details.card
    assert card
    assert card.three_d_secure
    assert card.three_d_secure.result == "authenticated"
    assert client.v1.payment_intents.capture(intent.id).status == "succeeded"


def test_a_failed_challenge_asks_for_another_card(stand_in: Running, client: stripe.StripeClient):
    intent = challenged(client)
    door(stand_in, f"3ds/{intent.id}", outcome="fail")
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.payment_method, failed.next_action) == ("requires_payment_method", None, None)
    assert failed.last_payment_error
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert event_types(client)[-1] == "payment_intent.payment_failed"
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "requires_capture"


def test_a_card_may_pass_the_challenge_and_still_be_refused(stand_in: Running, client: stripe.StripeClient):
    intent = authorised(client, payment_method="pm_card_threeDSecureRequiredChargeDeclined", return_url=BACK)
    door(stand_in, f"3ds/{intent.id}", outcome="succeed")
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error
    assert failed.last_payment_error.code == "card_declined"


def test_the_page_itself_sends_the_customer_back_with_the_result(stand_in: Running, client: stripe.StripeClient):
    intent = challenged(client)
    page = f"{stand_in.url}/standin/3ds/{intent.id}"
    answered = requests.post(page, data={"outcome": "succeed"}, timeout=5, allow_redirects=False)
    assert answered.status_code == 303
    assert answered.headers["Location"].startswith(f"{BACK}&payment_intent={intent.id}&")
    assert "redirect_status=succeeded" in answered.headers["Location"]


def test_a_challenge_ends_once(stand_in: Running, client: stripe.StripeClient):
    intent = challenged(client)
    door(stand_in, f"3ds/{intent.id}", outcome="succeed")
    again = requests.post(f"{stand_in.url}/standin/3ds/{intent.id}", json={"outcome": "fail"}, timeout=5)
    assert again.status_code == 400
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_without_the_customer_there_the_challenge_is_a_refusal(client: stripe.StripeClient):
    customer = client.v1.customers.create({"payment_method": "pm_card_authenticationRequired"})
    method = client.v1.payment_methods.list({"customer": customer.id}).data[0]
    with pytest.raises(stripe.CardError) as refused:
        paid(client, customer=customer.id, payment_method=method.id, off_session=True)
    assert refused.value.code == "authentication_required"


def test_a_card_set_up_beforehand_pays_later_without_a_challenge(stand_in: Running, client: stripe.StripeClient):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": BACK,
        }
    )
    assert setup.status == "requires_action"
    door(stand_in, f"3ds/{setup.id}", outcome="succeed")
    method = str(client.v1.setup_intents.retrieve(setup.id).payment_method)
    assert paid(client, customer=customer.id, payment_method=method, off_session=True).status == "succeeded"


def test_any_card_can_be_made_to_ask(client: stripe.StripeClient):
    intent = paid(client, payment_method_options={"card": {"request_three_d_secure": "any"}})
    assert intent.status == "requires_action"


def test_a_browser_confirms_with_the_client_secret_and_nothing_else(stand_in: Running, client: stripe.StripeClient):
    intent = client.v1.payment_intents.create({"amount": 1999, "currency": "eur"})
    browser = sdk(stand_in, key="pk_test_1")
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: client_secret"):
        browser.v1.payment_intents.retrieve(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="client_secret"):
        browser.v1.payment_intents.retrieve(intent.id, {"client_secret": "pi_other_secret"})
    with pytest.raises(stripe.PermissionError):
        browser.v1.payment_intents.list()
    confirm = {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"}
    assert browser.v1.payment_intents.confirm(intent.id, confirm).status == "succeeded"  # type: ignore[arg-type]
