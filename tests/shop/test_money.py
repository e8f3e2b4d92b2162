"""Money there and back: whole minor units, each currency with its own decimals, and nothing lost on the way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.money import STEPS, THREE_DECIMAL, ZERO_DECIMAL, CurrencyMismatch, Money, decimals, from_decimal

CURRENCIES = st.sampled_from(sorted({"eur", "usd", "huf", "twd", "isk", "ugx"} | ZERO_DECIMAL | THREE_DECIMAL))
AMOUNTS = st.integers(-(10**12), 10**12)


@given(AMOUNTS, CURRENCIES)
def test_minor_units_become_a_price_and_the_same_minor_units_again(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert from_decimal(money.decimal, currency) == money
    written, code = str(money).split(" ")
    assert from_decimal(Decimal(written), code.lower()) == money
    assert len(written.partition(".")[2]) == decimals(currency)


@given(st.decimals(-(10**9), 10**9, places=4), CURRENCIES)
def test_a_price_with_too_many_decimals_is_refused_and_never_rounded(price: Decimal, currency: str) -> None:
    places = decimals(currency)
    if price == round(price, places):
        assert from_decimal(price, currency).decimal == price
    else:
        with pytest.raises(ValueError, match="smallest unit"):
            from_decimal(price, currency)


@given(AMOUNTS, st.integers(0, 1000), CURRENCIES)
def test_sums_and_multiples_are_whole_and_of_one_currency(amount: int, quantity: int, currency: str) -> None:
    money = Money(amount, currency)
    assert money * quantity - money * quantity == Money(0, currency)
    assert (money + money).amount == 2 * amount
    assert (-money).decimal == -(money.decimal)
    other = "eur" if currency != "eur" else "usd"
    with pytest.raises(CurrencyMismatch):
        _ = money + Money(1, other)


@pytest.mark.parametrize(
    ("amount", "currency", "written", "payable"),
    [
        (1290, "eur", "12.90 EUR", True),
        (1290, "jpy", "1290 JPY", True),
        (12900, "bhd", "12.900 BHD", True),
        (12905, "bhd", "12.905 BHD", False),
        (500, "ugx", "5.00 UGX", True),
        (550, "ugx", "5.50 UGX", False),
        (500, "isk", "5.00 ISK", True),
        (501, "isk", "5.01 ISK", False),
        (1055, "huf", "10.55 HUF", True),
        (1055, "twd", "10.55 TWD", True),
    ],
)
def test_currencies_with_rules_of_their_own(amount: int, currency: str, written: str, payable: bool) -> None:
    money = Money(amount, currency)
    assert (str(money), money.payable) == (written, payable)


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not ZERO_DECIMAL & THREE_DECIMAL
    assert not ZERO_DECIMAL & set(STEPS)
    assert set(STEPS) >= THREE_DECIMAL


@pytest.mark.parametrize("wrong", ["EUR", "eu", "", "e1r", "euro"])
def test_what_is_no_currency_is_no_money(wrong: str) -> None:
    with pytest.raises(ValueError, match="ISO code"):
        Money(1, wrong)
