"""Refunds: in full, in parts, never too much; pending ones, late failures, and the books behind them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import authorised, charge_of, door, event_types, paid


def captured(client: stripe.StripeClient, card: str = "pm_card_visa") -> stripe.PaymentIntent:
    return client.v1.payment_intents.capture(authorised(client, payment_method=card).id)


def refund(client: stripe.StripeClient, intent: stripe.PaymentIntent, amount: int | None = None) -> stripe.Refund:
    params = {"payment_intent": intent.id} | ({"amount": amount} if amount is not None else {})
    return client.v1.refunds.create(params)  # type: ignore[arg-type]


def test_a_full_refund_gives_all_back_and_keeps_the_fee(client: stripe.StripeClient):
    intent = captured(client)
    made = refund(client, intent)
    charge = charge_of(client, intent)
    assert (made.amount, made.status, made.charge) == (1999, "succeeded", charge.id)
    assert (charge.refunded, charge.amount_refunded) == (True, 1999)
    booked = client.v1.balance_transactions.retrieve(str(made.balance_transaction))
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("refund", -1999, 0, -1999)
    assert event_types(client)[-2:] == ["charge.refunded", "refund.created"]
    event = client.v1.events.list({"type": "charge.refunded"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"amount_refunded": 0, "refunded": False}


def test_parts_can_be_refunded_up_to_what_was_captured_and_no_further(client: stripe.StripeClient):
    intent = client.v1.payment_intents.capture(authorised(client).id, {"amount_to_capture": 1500})
    refund(client, intent, 1000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refund(client, intent, 501)
    message = "Refund amount (€5.01) is greater than unrefunded amount on charge (€5.00)"
    assert refused.value.user_message == message
    assert (refused.value.param, refused.value.code, refused.value.http_status) == ("amount", None, 400)
    refund(client, intent, 500)
    with pytest.raises(stripe.InvalidRequestError) as over:
        refund(client, intent, 1)
    assert over.value.code == "charge_already_refunded"
    assert charge_of(client, intent).amount_refunded == 1500 + 499
    assert [made.amount for made in client.v1.refunds.list({"payment_intent": intent.id}).data] == [500, 1000, 499]


def test_a_first_refund_over_the_charge_is_refused_against_the_charge(client: stripe.StripeClient):
    with pytest.raises(stripe.InvalidRequestError, match=r"greater than charge amount \(€19\.99\)"):
        refund(client, captured(client), 2000)


def test_what_was_never_captured_cannot_be_refunded(client: stripe.StripeClient):
    held = authorised(client)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        refund(client, held)
    client.v1.payment_intents.cancel(held.id)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        refund(client, held)
    (released,) = client.v1.refunds.list().data
    assert (released.amount, released.balance_transaction) == (1999, None)


def test_a_refund_is_made_by_charge_too_and_its_metadata_changed(client: stripe.StripeClient):
    intent = captured(client)
    params = {"charge": str(intent.latest_charge), "reason": "requested_by_customer", "metadata": {"refund": "ref_1"}}
    made = client.v1.refunds.create(params)  # type: ignore[arg-type]
    assert (made.payment_intent, made.reason) == (intent.id, "requested_by_customer")
    changed = client.v1.refunds.update(made.id, {"metadata": {"seen": "yes"}})
    assert changed.metadata
    assert changed.metadata.to_dict() == {"refund": "ref_1", "seen": "yes"}
    assert "refund.updated" in event_types(client)
    assert client.v1.refunds.retrieve(made.id).id == made.id


def test_a_refund_ordered_pending_waits_for_the_door(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "next-refund", status="pending")
    made = refund(client, captured(client))
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert refund(client, captured(client)).status == "succeeded"
    door(stand_in, f"refunds/{made.id}", outcome="succeed")
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"
    event = client.v1.events.list({"type": "refund.updated"}).data[0]
    assert event.data.previous_attributes["status"] == "pending"


def test_a_refund_that_fails_is_taken_back_from_the_charge_and_the_books(
    stand_in: Running, client: stripe.StripeClient
):
    intent = captured(client)
    made = refund(client, intent, 500)
    door(stand_in, f"refunds/{made.id}", outcome="fail")
    failed = client.v1.refunds.retrieve(made.id)
    charge = charge_of(client, intent)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    back = client.v1.balance_transactions.retrieve(str(failed.failure_balance_transaction))
    assert (back.type, back.amount, back.source) == ("refund_failure", 500, made.id)
    assert "refund.failed" in event_types(client)
    assert refund(client, intent).amount == 1999


def test_what_was_only_let_go_cannot_come_back(stand_in: Running, client: stripe.StripeClient):
    client.v1.payment_intents.cancel(authorised(client).id)
    (released,) = client.v1.refunds.list().data
    with pytest.raises(AssertionError, match="cannot fail"):
        door(stand_in, f"refunds/{released.id}", outcome="fail")


@pytest.mark.parametrize(
    ("card", "first", "later"),
    [("pm_card_pendingRefund", "pending", "succeeded"), ("pm_card_refundFail", "succeeded", "failed")],
)
def test_the_test_cards_for_late_refunds_end_by_themselves(
    stand_in: Running, client: stripe.StripeClient, card: str, first: str, later: str
):
    made = refund(client, captured(client, card))
    assert made.status == first
    door(stand_in, "clock", advance=2 * 3600)
    assert client.v1.refunds.retrieve(made.id).status == later


def test_refunds_at_the_same_moment_never_give_back_more_than_was_taken(client: stripe.StripeClient):
    intent = captured(client)

    def try_to_refund(_number: int) -> int:
        try:
            return refund(client, intent, 300).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(10) as threads:
        given = list(threads.map(try_to_refund, range(10)))
    assert sum(given) == charge_of(client, intent).amount_refunded == 1800


def test_an_expanded_charge_shows_its_refunds(client: stripe.StripeClient):
    intent = paid(client)
    refund(client, intent, 100)
    refund(client, intent, 200)
    charge = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds.data.balance_transaction"]})
    assert charge.refunds
    amounts = [made.balance_transaction.amount for made in charge.refunds.data]  # type: ignore[union-attr]
    assert amounts == [-200, -100]


def test_a_refund_that_waits_for_the_customer_can_be_canceled(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "next-refund", status="requires_action")
    intent = captured(client)
    made = refund(client, intent, 700)
    assert made.status == "requires_action"
    canceled = client.v1.refunds.cancel(made.id)
    assert canceled.status == "canceled"
    assert charge_of(client, intent).amount_refunded == 0
    back = client.v1.balance_transactions.retrieve(str(canceled.failure_balance_transaction))
    assert (back.type, back.amount) == ("refund_failure", 700)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be canceled"):
        client.v1.refunds.cancel(refund(client, intent).id)
