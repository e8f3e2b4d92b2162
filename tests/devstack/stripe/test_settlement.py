"""An account that settles in another currency than it charges in: amounts, fees and rates of the bookings."""

import pytest
import stripe

from devstack.stand_ins.stripe.app import Running
from tests.devstack.stripe.conftest import charge_of, door, paid


def booked(client: stripe.StripeClient, transaction: object) -> tuple[int, int, str, object]:
    found = client.v1.balance_transactions.retrieve(str(transaction))
    return found.amount, found.fee, found.currency, found.exchange_rate


def test_a_charge_its_refund_and_its_dispute_are_booked_in_the_currency_of_the_account(
    stand_in: Running, client: stripe.StripeClient
):
    door(stand_in, "settlement", currency="usd", rate=1.1)
    intent = paid(client, capture_method="automatic")
    assert (intent.currency, intent.amount_received) == ("eur", 1999)
    # 1,999 at 1.1 are 2,199; 2.9 % of it and 30 are 94.
    assert booked(client, charge_of(client, intent).balance_transaction) == (2199, 94, "usd", 1.1)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    assert (refund.currency, refund.amount) == ("eur", 1000)
    assert booked(client, refund.balance_transaction) == (-1100, 0, "usd", 1.1)
    dispute = door(stand_in, "disputes", charge=str(intent.latest_charge), reason="fraudulent")
    assert [(moved["amount"], moved["fee"], moved["currency"]) for moved in dispute["balance_transactions"]] == [
        (-1099, 1500, "usd")
    ]
    assert {entry.currency for entry in client.v1.balance.retrieve().pending} == {"eur", "usd"}


def test_decimals_of_both_currencies_count(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "settlement", currency="eur", rate=0.0062)
    intent = paid(client, amount=5000, currency="jpy", capture_method="automatic")
    assert booked(client, charge_of(client, intent).balance_transaction)[:3] == (3100, 120, "eur")


def test_what_settles_in_its_own_currency_has_no_rate(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "settlement", currency="eur", rate=2)
    first = paid(client, capture_method="automatic")
    assert booked(client, charge_of(client, first).balance_transaction) == (1999, 88, "eur", None)
    door(stand_in, "settlement", currency=None)
    second = paid(client, currency="usd", capture_method="automatic")
    assert booked(client, charge_of(client, second).balance_transaction) == (1999, 88, "usd", None)


def test_a_settlement_payout_leaves_in_the_currency_of_the_account(stand_in: Running, client: stripe.StripeClient):
    door(stand_in, "settlement", currency="usd", rate=1.1)
    paid(client, capture_method="automatic")
    door(stand_in, "clock", advance=3 * 24 * 3600)
    (payout,) = client.v1.payouts.list().data
    assert (payout.amount, payout.currency) == (2199 - 94, "usd")


@pytest.mark.parametrize("order", [{"currency": "EUR"}, {"currency": "xxx"}, {"currency": "usd", "rate": 0}])
def test_a_settlement_that_makes_no_sense_is_refused(stand_in: Running, order: dict[str, object]):
    with pytest.raises(AssertionError, match=r"currency|rate"):
        door(stand_in, "settlement", **order)
