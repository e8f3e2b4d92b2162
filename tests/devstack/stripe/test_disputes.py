"""Disputes: opened by a bank or a door, answered or not, won, lost, escalated, and the money in between."""

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import authorised, charge_of, door, event_types, paid

DAY_S = 24 * 3600


def disputed(stand_in: Running, client: stripe.StripeClient, reason: str = "fraudulent") -> stripe.Dispute:
    intent = paid(client, capture_method="automatic")
    made = door(stand_in, "disputes", charge=str(intent.latest_charge), reason=reason)
    return client.v1.disputes.retrieve(made["id"])


def movements(client: stripe.StripeClient, dispute: stripe.Dispute) -> list[tuple[str, int, int, int]]:
    booked = client.v1.balance_transactions.list({"source": dispute.id}).data[::-1]
    return [(found.reporting_category, found.amount, found.fee, found.net) for found in booked]


def test_a_chargeback_takes_the_amount_and_a_fee_of_fifteen(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 1999)
    assert dispute.evidence_details.due_by == dispute.created + 7 * DAY_S
    assert movements(client, dispute) == [("dispute", -1999, 1500, -3499)]
    assert [booked.net for booked in dispute.balance_transactions] == [-3499]
    assert client.v1.charges.retrieve(str(dispute.charge)).disputed
    kinds = [kind for kind in event_types(client) if "dispute" in kind]
    assert kinds == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


def test_a_dispute_that_is_won_brings_amount_and_fee_back(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client)
    door(stand_in, f"disputes/{dispute.id}", outcome="won")
    assert movements(client, dispute) == [("dispute", -1999, 1500, -3499), ("dispute_reversal", 1999, -1500, 3499)]
    assert event_types(client)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    closed = client.v1.events.list({"type": "charge.dispute.closed"}).data[0]
    assert closed.data.previous_attributes["status"] == "needs_response"
    refund = client.v1.refunds.create({"charge": str(dispute.charge)})
    assert refund.status == "succeeded"


@pytest.mark.parametrize("outcome", [None, "lost"])
def test_disputed_or_lost_money_cannot_be_refunded_as_well(
    stand_in: Running, client: stripe.StripeClient, outcome: str | None
):
    dispute = disputed(stand_in, client)
    if outcome:
        door(stand_in, f"disputes/{dispute.id}", outcome=outcome)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": str(dispute.charge)})
    assert refused.value.code == "charge_disputed"
    assert movements(client, dispute) == [("dispute", -1999, 1500, -3499)]


def test_an_inquiry_takes_nothing_and_can_be_refunded(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client, "inquiry")
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert dispute.payment_method_details
    assert dispute.payment_method_details.card
    assert dispute.payment_method_details.card.case_type == "inquiry"
    assert movements(client, dispute) == []
    assert client.v1.refunds.create({"charge": str(dispute.charge), "amount": 100}).status == "succeeded"
    door(stand_in, "clock", advance=121 * DAY_S)
    assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"


def test_an_inquiry_may_become_a_chargeback(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client, "inquiry")
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    escalated = client.v1.disputes.retrieve(dispute.id)
    assert (escalated.status, escalated.is_charge_refundable) == ("needs_response", False)
    assert movements(client, dispute) == [("dispute", -1999, 1500, -3499)]


@pytest.mark.parametrize(
    ("text", "status"),
    [("winning_evidence", "won"), ("losing_evidence", "lost"), ("It was delivered.", "under_review")],
)
def test_evidence_goes_to_the_bank(stand_in: Running, client: stripe.StripeClient, text: str, status: str):
    dispute = disputed(stand_in, client)
    kept = client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False})
    assert (kept.status, kept.evidence_details.has_evidence) == ("needs_response", True)
    assert kept.evidence_details.submission_count == 0
    sent = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}, "metadata": {"by": "Eve"}})
    assert (sent.status, sent.evidence_details.submission_count) == (status, 1)
    assert (sent.evidence.customer_name, sent.evidence.uncategorized_text) == ("Ada", text)
    assert sent.metadata.to_dict() == {"by": "Eve"}
    with pytest.raises(stripe.InvalidRequestError, match="cannot change any more"):
        client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Grace"}})


def test_a_dispute_that_nobody_answers_is_lost(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client)
    door(stand_in, "clock", advance=6 * DAY_S)
    assert client.v1.disputes.retrieve(dispute.id).status == "needs_response"
    door(stand_in, "clock", advance=2 * DAY_S)
    late = client.v1.disputes.retrieve(dispute.id)
    assert (late.status, late.evidence_details.past_due) == ("lost", True)


def test_a_dispute_can_be_accepted_once(stand_in: Running, client: stripe.StripeClient):
    dispute = disputed(stand_in, client)
    assert client.v1.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="cannot become lost"):
        client.v1.disputes.close(dispute.id)


def test_only_captured_money_is_disputed_and_only_once(stand_in: Running, client: stripe.StripeClient):
    held = charge_of(client, authorised(client))
    dispute = disputed(stand_in, client)
    for charge, why in ((held.id, "never captured"), (str(dispute.charge), "disputed already")):
        with pytest.raises(AssertionError, match=why):
            door(stand_in, "disputes", charge=charge, reason="fraudulent")
    with pytest.raises(AssertionError, match="reason must be"):
        door(stand_in, "disputes", charge=str(dispute.charge), reason="a whim")


@pytest.mark.parametrize(
    ("card", "status", "reason"),
    [
        ("pm_card_createDispute", "needs_response", "fraudulent"),
        ("pm_card_createDisputeProductNotReceived", "needs_response", "product_not_received"),
        ("pm_card_createDisputeInquiry", "warning_needs_response", "general"),
    ],
)
def test_the_test_cards_dispute_what_is_captured(
    stand_in: Running, client: stripe.StripeClient, card: str, status: str, reason: str
):
    intent = authorised(client, payment_method=card)
    door(stand_in, "clock", advance=60)
    assert client.v1.disputes.list({"payment_intent": intent.id}).data == []
    client.v1.payment_intents.capture(intent.id)
    door(stand_in, "clock", advance=60)
    (dispute,) = client.v1.disputes.list({"charge": str(intent.latest_charge), "expand": ["data.charge"]}).data
    assert (dispute.status, dispute.reason) == (status, reason)
    assert dispute.charge.disputed  # type: ignore[union-attr]
