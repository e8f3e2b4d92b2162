"""What the shop relies on at Stripe: each case runs against the stand-in, and against Stripe's test mode with a key.

Nothing here goes through a door of the stand-in, and nothing is said about how long anything takes.
"""

import io
import time
import uuid
from typing import Any

import pytest
import stripe

from tests.contract.conftest import KEY, RETURN, TARGETS, charge_of, held, payment, wait_for

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
DAY_S = 24 * 3600


def fresh() -> str:
    return uuid.uuid4().hex


def test_the_same_cases_run_against_stripe_itself():
    if not KEY:
        pytest.skip("STRIPE_TEST_KEY is not set: the cases ran against the stand-in alone")
    assert len(TARGETS) == 2


def test_a_payment_takes_the_money_and_is_booked_with_its_fee(client: stripe.StripeClient):
    made = payment(client, capture_method="automatic", expand=["latest_charge.balance_transaction"])
    assert (made.status, made.amount_received, made.amount_capturable) == ("succeeded", 1999, 0)
    charge = made.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.captured, charge.amount_captured, charge.refunded) == (True, True, 1999, False)
    booked = charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.type, booked.source, booked.amount - booked.fee) == ("charge", charge.id, booked.net)
    assert booked.fee > 0


def test_a_declined_card_says_why_and_the_payment_takes_another(client: stripe.StripeClient):
    with pytest.raises(stripe.CardError) as declined:
        payment(client, NO_FUNDS)
    error = declined.value.error
    assert error is not None
    assert (declined.value.http_status, error.code, error.decline_code) == (402, "card_declined", "insufficient_funds")
    refused = error.payment_intent
    assert refused.status == "requires_payment_method"
    assert refused.payment_method is None
    assert refused.last_payment_error is not None
    assert charge_of(client, refused).status == "failed"
    again = client.v1.payment_intents.confirm(refused.id, {"payment_method": "pm_card_visa", "return_url": RETURN})
    assert (again.status, again.last_payment_error) == ("succeeded", None)


def test_a_card_that_asks_for_3d_secure_sends_the_customer_to_the_bank(client: stripe.StripeClient):
    made = payment(client, "pm_card_authenticationRequired")
    assert made.status == "requires_action"
    assert made.next_action is not None
    assert made.next_action.type == "redirect_to_url"
    assert made.next_action.redirect_to_url is not None
    assert made.next_action.redirect_to_url.return_url == RETURN
    assert made.latest_charge is None
    assert client.v1.payment_intents.cancel(made.id).status == "canceled"


def test_a_bank_that_wants_to_see_the_customer_declines_who_is_away(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as declined:
        payment(client, method.id, customer=customer.id, off_session=True)
    error = declined.value.error
    assert error is not None
    assert error.code == "authentication_required"
    assert error.payment_intent.status == "requires_payment_method"


def test_a_hold_says_how_much_and_until_when(client: stripe.StripeClient):
    made = held(client, expand=["latest_charge"])
    assert (made.status, made.amount_capturable, made.amount_received) == ("requires_capture", 1999, 0)
    charge = made.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.captured, charge.amount_captured, charge.balance_transaction) == (False, 0, None)
    details: Any = charge.payment_method_details
    assert details.card.capture_before > time.time() + 4 * DAY_S


def test_a_hold_is_captured_once_and_not_over_its_amount(client: stripe.StripeClient):
    made = held(client)
    with pytest.raises(stripe.InvalidRequestError) as over:
        client.v1.payment_intents.capture(made.id, {"amount_to_capture": 2000})
    assert over.value.http_status == 400
    taken = client.v1.payment_intents.capture(made.id, {"amount_to_capture": 1999})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1999, 0)
    with pytest.raises(stripe.InvalidRequestError) as twice:
        client.v1.payment_intents.capture(made.id)
    assert twice.value.code == "payment_intent_unexpected_state"


def test_a_partial_capture_lets_the_rest_go_by_a_refund_that_was_never_booked(client: stripe.StripeClient):
    taken = client.v1.payment_intents.capture(held(client).id, {"amount_to_capture": 1500})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1500, 0)
    charge = charge_of(client, taken)
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (1500, 499, False)
    (released,) = client.v1.refunds.list({"payment_intent": taken.id}).data
    assert (released.amount, released.status, released.balance_transaction) == (499, "succeeded", None)


def test_a_canceled_hold_is_let_go_and_stays_canceled(client: stripe.StripeClient):
    made = held(client)
    gone = client.v1.payment_intents.cancel(made.id, {"cancellation_reason": "requested_by_customer"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "requested_by_customer")
    assert gone.amount_capturable == 0
    charge = charge_of(client, gone)
    assert (charge.captured, charge.amount_captured, charge.refunded) == (False, 0, True)
    for move in (client.v1.payment_intents.cancel, client.v1.payment_intents.capture):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            move(made.id)
        assert refused.value.code == "payment_intent_unexpected_state"


def test_refunds_in_parts_never_give_back_more_than_was_taken(client: stripe.StripeClient):
    made = payment(client, capture_method="automatic")
    first = client.v1.refunds.create({"payment_intent": made.id, "amount": 600, "metadata": {"refund_id": "ref_1"}})
    assert (first.status, first.amount, first.charge) == ("succeeded", 600, made.latest_charge)
    assert first.balance_transaction is not None
    with pytest.raises(stripe.InvalidRequestError) as over:
        client.v1.refunds.create({"payment_intent": made.id, "amount": 1400})
    assert over.value.param == "amount"
    rest = client.v1.refunds.create({"payment_intent": made.id})
    assert rest.amount == 1399
    with pytest.raises(stripe.InvalidRequestError) as done:
        client.v1.refunds.create({"payment_intent": made.id, "amount": 1})
    assert done.value.code == "charge_already_refunded"
    assert [found.id for found in client.v1.refunds.list({"payment_intent": made.id}).data] == [rest.id, first.id]
    charge = charge_of(client, made)
    assert (charge.amount_refunded, charge.refunded) == (1999, True)


def test_a_refund_may_stay_pending(client: stripe.StripeClient):
    made = payment(client, "pm_card_pendingRefund", capture_method="automatic")
    assert client.v1.refunds.create({"payment_intent": made.id}).status == "pending"


def test_a_repeat_under_the_same_key_is_answered_and_not_done_again(client: stripe.StripeClient):
    key = fresh()
    first, second = (
        client.v1.payment_intents.create({"amount": 1999, "currency": "eur"}, {"idempotency_key": key})
        for _ in range(2)
    )
    assert first.id == second.id
    answers: Any = [made.last_response for made in (first, second)]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true"]
    assert answers[0].request_id != answers[1].request_id


def test_a_refused_card_is_answered_again_under_its_key(client: stripe.StripeClient):
    key = fresh()
    made = client.v1.payment_intents.create({"amount": 1999, "currency": "eur"})
    codes: list[str | None] = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            client.v1.payment_intents.confirm(
                made.id, {"payment_method": NO_FUNDS, "return_url": RETURN}, {"idempotency_key": key}
            )
        codes.append(declined.value.code)
    assert codes == ["card_declined"] * 2
    assert len(client.v1.charges.list({"payment_intent": made.id}).data) == 1


def test_a_key_with_another_body_or_at_another_place_is_refused(client: stripe.StripeClient):
    key = fresh()
    made = client.v1.payment_intents.create({"amount": 1999, "currency": "eur"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.create({"amount": 2999, "currency": "eur"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.cancel(made.id, {}, {"idempotency_key": key})


def test_a_question_that_makes_no_sense_does_not_use_up_its_key(client: stripe.StripeClient):
    key = fresh()
    wrong: Any = {"amount": 1999, "currency": "eur", "colour": "red"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(wrong, {"idempotency_key": key})
    assert refused.value.code == "parameter_unknown"
    assert client.v1.payment_intents.create({"amount": 1999, "currency": "eur"}, {"idempotency_key": key}).id


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": 10, "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": "19.99", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1999, "currency": "eur", "customer": "cus_nobody"}, "resource_missing", "customer"),
    ],
)
def test_what_makes_no_payment_is_refused_by_name(client: stripe.StripeClient, params: Any, code: str, param: str):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(params)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


def test_an_id_that_is_nobodys_is_404_and_a_wrong_key_401(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.AuthenticationError) as stranger:
        client.v1.balance.retrieve({}, {"api_key": "sk_live_of_nobody_at_all"})
    assert stranger.value.http_status == 401


def test_yen_have_no_decimals(client: stripe.StripeClient):
    made = payment(client, amount=500, currency="jpy", capture_method="automatic")
    assert (made.status, made.amount_received) == ("succeeded", 500)
    with pytest.raises(stripe.InvalidRequestError) as small:
        client.v1.payment_intents.create({"amount": 5, "currency": "jpy"})
    assert small.value.code == "amount_too_small"


def test_a_card_is_set_up_for_later_and_detached_for_good(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "usage": "off_session", "automatic_payment_methods": {"enabled": True}}
    )
    assert setup.status == "requires_payment_method"
    assert setup.client_secret
    done = client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa", "return_url": RETURN})
    assert done.status == "succeeded"
    (kept,) = client.v1.customers.payment_methods.list(customer.id, {"type": "card"}).data
    assert kept.id == done.payment_method
    assert kept.card is not None
    assert (kept.card.brand, kept.card.last4) == ("visa", "4242")
    assert payment(client, kept.id, customer=customer.id, off_session=True).status == "succeeded"
    assert client.v1.payment_methods.detach(kept.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        payment(client, kept.id, customer=customer.id)


def test_the_same_card_has_the_same_fingerprint(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    cards = [client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}).card for _ in range(2)]
    assert len({card.fingerprint for card in cards if card}) == 1


def test_lists_are_newest_first_and_page_both_ways(client: stripe.StripeClient):
    customer = client.v1.customers.create()
    made = [
        client.v1.payment_intents.create({"amount": 1000 + n, "currency": "eur", "customer": customer.id}).id
        for n in range(4)
    ]
    newest = client.v1.payment_intents.list({"customer": customer.id, "limit": 2})
    assert ([found.id for found in newest.data], newest.has_more) == ([made[3], made[2]], True)
    older = client.v1.payment_intents.list({"customer": customer.id, "limit": 3, "starting_after": made[2]})
    assert ([found.id for found in older.data], older.has_more) == ([made[1], made[0]], False)
    back = client.v1.payment_intents.list({"customer": customer.id, "limit": 2, "ending_before": made[0]})
    assert ([found.id for found in back.data], back.has_more) == ([made[2], made[1]], True)
    pages = client.v1.payment_intents.list({"customer": customer.id, "limit": 1})
    assert [found.id for found in pages.auto_paging_iter()] == made[::-1]


def test_metadata_is_merged_and_unset_key_by_key(client: stripe.StripeClient):
    made = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = client.v1.customers.update(made.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    emptied = client.v1.customers.update(made.id, {"metadata": ""})
    assert emptied.metadata is not None
    assert emptied.metadata.to_dict() == {}


def test_ids_are_expanded_through_two_levels(client: stripe.StripeClient):
    made = payment(client, capture_method="automatic")
    assert isinstance(made.latest_charge, str)
    expand = ["latest_charge.balance_transaction", "payment_method"]
    seen = client.v1.payment_intents.retrieve(made.id, {"expand": expand})
    assert isinstance(seen.latest_charge, stripe.Charge)
    assert isinstance(seen.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(seen.payment_method, stripe.PaymentMethod)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.retrieve(made.id, {"expand": ["amount"]})


def test_a_capture_is_told_by_events_with_what_was_before(client: stripe.StripeClient):
    key = fresh()
    made = held(client, metadata={"order_id": key})
    client.v1.payment_intents.capture(made.id, {}, {"idempotency_key": key})

    def told() -> dict[str, stripe.Event]:
        types = ["payment_intent.succeeded", "payment_intent.amount_capturable_updated", "charge.captured"]
        events = client.v1.events.list({"types": types, "limit": 50}).data
        about = {event.type: event for event in events if made.id in str(event.data.object)}
        return about if len(about) == len(types) else {}

    events = wait_for(told)
    done = events["payment_intent.succeeded"]
    assert done.request is not None
    assert (done.request.idempotency_key, done.api_version is not None) == (key, True)
    assert done.data.object["metadata"]["order_id"] == key
    before: Any = events["charge.captured"].data.previous_attributes
    assert before["captured"] is False


def test_a_dispute_takes_evidence_in_two_steps_and_is_decided(client: stripe.StripeClient):
    made = payment(client, "pm_card_createDispute", capture_method="automatic")
    dispute = wait_for(lambda: client.v1.disputes.list({"payment_intent": made.id}).data)[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 1999)
    assert dispute.is_charge_refundable is False
    assert dispute.evidence_details.due_by is not None
    with pytest.raises(stripe.InvalidRequestError) as blocked:
        client.v1.refunds.create({"payment_intent": made.id})
    assert blocked.value.code == "charge_disputed"
    file = io.BytesIO(b"%PDF-1.4\n%%EOF\n")
    file.name = "evidence.pdf"
    uploaded = client.v1.files.create({"purpose": "dispute_evidence", "file": file})
    assert (uploaded.purpose, uploaded.type) == ("dispute_evidence", "pdf")
    staged = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_file": uploaded.id}, "submit": False})
    assert (staged.evidence_details.has_evidence, staged.evidence_details.submission_count) == (True, 0)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    wait_for(lambda: client.v1.disputes.retrieve(dispute.id).status == "won")
    kinds = {moved.reporting_category for moved in client.v1.disputes.retrieve(dispute.id).balance_transactions}
    assert kinds == {"dispute", "dispute_reversal"}


def test_a_webhook_endpoint_tells_its_secret_once(client: stripe.StripeClient):
    made = client.v1.webhook_endpoints.create(
        {"url": "https://shop.example/hooks", "enabled_events": ["payment_intent.succeeded"]}
    )
    try:
        assert str(made.secret).startswith("whsec_")
        assert "secret" not in client.v1.webhook_endpoints.retrieve(made.id).to_dict()
    finally:
        assert client.v1.webhook_endpoints.delete(made.id).deleted is True
