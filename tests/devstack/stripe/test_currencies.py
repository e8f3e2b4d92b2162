"""Currencies: how many decimals, which digits, and the least that can be charged, captured, refunded and paid out."""

import pytest
import stripe

from devstack.stand_ins.stripe import currencies
from devstack.stand_ins.stripe.app import Running
from shop import money
from tests.devstack.stripe.conftest import authorised, door, paid


@pytest.mark.parametrize(
    ("amount", "currency", "refusal"),
    [
        (49, "eur", "at least €0.50 eur"),
        (49, "jpy", "at least ¥50 jpy"),
        (17499, "huf", "at least 175.00 HUF"),
        (1005, "kwd", "last digit"),
        (550, "isk", "divisible by 100"),
        (550, "ugx", "divisible by 100"),
        (100_000_000, "eur", "no more than €999,999.99"),
        (100, "eurr", "Invalid currency: eurr"),
    ],
)
def test_an_amount_that_cannot_be_charged_is_refused(
    client: stripe.StripeClient, amount: int, currency: str, refusal: str
):
    with pytest.raises(stripe.InvalidRequestError, match=refusal):
        client.v1.payment_intents.create({"amount": amount, "currency": currency})


@pytest.mark.parametrize(
    ("amount", "currency"), [(50, "jpy"), (1010, "kwd"), (500, "isk"), (500, "ugx"), (17550, "huf")]
)
def test_an_amount_at_the_edge_is_taken(client: stripe.StripeClient, amount: int, currency: str):
    assert client.v1.payment_intents.create({"amount": amount, "currency": currency}).amount == amount


@pytest.mark.parametrize(("total", "part", "currency"), [(5000, 1005, "kwd"), (5000, 1050, "isk")])
def test_parts_keep_to_the_digits_of_their_currency_too(
    client: stripe.StripeClient, total: int, part: int, currency: str
):
    held = authorised(client, amount=total, currency=currency)
    with pytest.raises(stripe.InvalidRequestError, match="Invalid amount"):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": part})
    client.v1.payment_intents.capture(held.id)
    with pytest.raises(stripe.InvalidRequestError, match="Invalid amount"):
        client.v1.refunds.create({"payment_intent": held.id, "amount": part})
    assert client.v1.refunds.list().data == []


def test_forint_are_charged_with_decimals_and_paid_out_without(stand_in: Running, client: stripe.StripeClient):
    paid(client, amount=1_000_045, currency="huf", capture_method="automatic")
    net = 1_000_045 - 29_001 - 30
    door(stand_in, "clock", advance=3 * 24 * 3600)
    (payout,) = client.v1.payouts.list().data
    assert (payout.amount, payout.amount % 100) == (net // 100 * 100, 0)
    left = next(entry.amount for entry in client.v1.balance.retrieve().available if entry.currency == "huf")
    assert left == net % 100
    with pytest.raises(stripe.InvalidRequestError, match="divisible by 100"):
        client.v1.payouts.create({"amount": left, "currency": "huf"})
    paid(client, amount=1_000_045, currency="huf", capture_method="automatic")
    door(stand_in, "clock", advance=4 * 24 * 3600)
    assert client.v1.payouts.list().data[0].amount == (net + left) // 100 * 100


def test_the_shop_counts_the_decimals_of_every_currency_as_stripe_does():
    assert {code: money.decimals(code) for code in currencies.KNOWN} == {
        code: currencies.decimals(code) for code in currencies.KNOWN
    }
