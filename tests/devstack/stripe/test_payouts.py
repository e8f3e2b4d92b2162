"""Payouts: what is available leaves at midnight, arrives or comes back, and every movement belongs to one payout."""

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import door, event_types, paid

DAY_S = 24 * 3600
NET = 1999 - 88


def pay_and_wait(stand_in: Running, client: stripe.StripeClient, days: int = 4) -> str:
    """Pay, and let days pass: two until the money is available, one until midnight."""
    intent = paid(client, capture_method="automatic")
    door(stand_in, "clock", advance=days * DAY_S)
    return str(intent.latest_charge)


def test_available_money_leaves_at_midnight_and_arrives_two_days_later(stand_in: Running, client: stripe.StripeClient):
    pay_and_wait(stand_in, client, days=3)
    (payout,) = client.v1.payouts.list({"status": "in_transit"}).data
    assert (payout.amount, payout.currency, payout.automatic) == (NET, "eur", True)
    assert payout.arrival_date % DAY_S == 0
    booked = client.v1.balance_transactions.retrieve(str(payout.balance_transaction))
    assert (booked.type, booked.amount, booked.source) == ("payout", -NET, payout.id)
    door(stand_in, "clock", advance=3 * DAY_S)
    assert client.v1.payouts.retrieve(payout.id).status == "paid"
    kinds = [kind for kind in event_types(client) if kind.startswith("payout.")]
    assert kinds == ["payout.created", "payout.reconciliation_completed", "payout.paid"]


def test_a_payout_names_what_it_is_made_of(stand_in: Running, client: stripe.StripeClient):
    first = pay_and_wait(stand_in, client)
    refund = client.v1.refunds.create({"charge": first, "amount": 500})
    second = pay_and_wait(stand_in, client)
    newer, older = client.v1.payouts.list().data
    of_newer = client.v1.balance_transactions.list({"payout": newer.id}).data
    assert {booked.source for booked in of_newer} == {refund.id, second, newer.id}
    assert newer.amount == NET - 500
    assert sum(booked.net for booked in of_newer) == 0
    of_older = client.v1.balance_transactions.list({"payout": older.id}).data
    assert {booked.source for booked in of_older} == {first, older.id}


def test_a_payout_that_fails_leaves_again_with_the_next(stand_in: Running, client: stripe.StripeClient):
    pay_and_wait(stand_in, client, days=3)
    (payout,) = client.v1.payouts.list().data
    door(stand_in, f"payouts/{payout.id}", outcome="fail")
    failed = client.v1.payouts.retrieve(payout.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert failed.failure_balance_transaction.type == "payout_failure"  # type: ignore[union-attr]
    assert "payout.failed" in event_types(client)
    door(stand_in, "clock", advance=DAY_S)
    assert [again.amount for again in client.v1.payouts.list().data] == [NET, NET]
    changed = client.v1.payouts.update(payout.id, {"metadata": {"seen": "yes"}})
    assert changed.metadata


def test_nothing_leaves_while_more_was_taken_back_than_came_in(stand_in: Running, client: stripe.StripeClient):
    charge = pay_and_wait(stand_in, client)
    door(stand_in, "disputes", charge=charge, reason="fraudulent")
    pay_and_wait(stand_in, client, days=4)
    assert len(client.v1.payouts.list().data) == 1
    available = client.v1.balance.retrieve().available[0]
    assert available.amount == NET - 3499


def test_a_payout_made_by_hand_leaves_at_midnight_and_can_be_called_off_until_then(
    stand_in: Running, client: stripe.StripeClient
):
    paid(client, capture_method="automatic")
    with pytest.raises(stripe.InvalidRequestError) as poor:
        client.v1.payouts.create({"amount": 100, "currency": "eur"})
    assert poor.value.code == "balance_insufficient"
    door(stand_in, "clock", advance=2 * DAY_S)  # available, and midnight has not come yet
    called_off = client.v1.payouts.create({"amount": 100, "currency": "eur", "metadata": {"why": "rent"}})
    assert (called_off.status, called_off.automatic, called_off.reconciliation_status) == (
        "pending",
        False,
        "not_applicable",
    )
    canceled = client.v1.payouts.cancel(called_off.id)
    back = client.v1.balance_transactions.retrieve(str(canceled.failure_balance_transaction))
    assert (canceled.status, back.type, back.amount) == ("canceled", "payout_cancel", 100)
    leaving = client.v1.payouts.create({"amount": 200, "currency": "eur"})
    door(stand_in, "clock", advance=DAY_S)
    assert client.v1.payouts.retrieve(leaving.id).status == "in_transit"
    with pytest.raises(stripe.InvalidRequestError, match="in_transit cannot be canceled"):
        client.v1.payouts.cancel(leaving.id)
    automatic = next(payout for payout in client.v1.payouts.list().data if payout.automatic)
    assert automatic.amount == NET - 200
    door(stand_in, "clock", advance=3 * DAY_S)
    assert client.v1.payouts.retrieve(leaving.id).status == "paid"
    assert client.v1.balance.retrieve().available[0].amount == 0


def test_a_payout_says_when_its_movements_are_complete(stand_in: Running, client: stripe.StripeClient):
    pay_and_wait(stand_in, client, days=3)
    created, completed = (
        client.v1.events.list({"type": kind}).data[0].data.object
        for kind in ("payout.created", "payout.reconciliation_completed")
    )
    assert created["reconciliation_status"] == "in_progress"
    assert created["balance_transaction"] == completed["balance_transaction"]
    assert completed["reconciliation_status"] == "completed"
