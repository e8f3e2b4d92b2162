"""What a shopper is willing to pay, and all the numbers that are no price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.search.language.languages import STEMMERS
from shop.search.language.text import normalise
from shop.search.understanding.prices import price_wish


@pytest.mark.parametrize(
    ("text", "low", "high", "rest"),
    [
        ("sofa under 50", None, 5000, "sofa"),
        ("headphones 20 to 40 euros", 2000, 4000, "headphones"),
        ("mug less than $30", None, 3000, "mug"),
        ("lamp between 40 and 20", 2000, 4000, "lamp"),
        ("chair $20-$40", 2000, 4000, "chair"),
        ("laptop under $1,299.99 with ssd", None, 129_999, "laptop with ssd"),
        ("laptop below 1.299,99 €", None, 129_999, "laptop"),
        ("lamp around 50 euros", 4000, 6000, "lamp"),
        ("watch over €100", 10_000, None, "watch"),
        ("shoes under 150 for men", None, 15_000, "shoes for men"),
        ("bag up to 30 eur", None, 3000, "bag"),
        ("toys for kids under 5 euros", None, 500, "toys for kids"),
    ],
)
def test_a_price_is_taken_out_of_the_query(text: str, low: int | None, high: int | None, rest: str) -> None:
    wish = price_wish(normalise(text), "english", "eur")
    assert wish is not None
    assert (wish.low, wish.high, wish.rest) == (low, high, rest)
    assert wish.words in normalise(text)


@pytest.mark.parametrize(
    "text",
    [
        "cheap phone",
        "nike air max 90",
        "iphone 11 pro max 256",
        "toys for kids under 5",
        "gifts for women over 50",
        "tv under 50 inch",
        "dumbbells up to 20 kg",
        "usb 3.0 to 2.0 adapter",
        "50-60 hz",
        "wine 1999-2004",
        "under armour 50",
        "24/7 under 30%",
        "from 5 to 7 years",
        "between 20 and 40 lamp",
    ],
)
def test_an_age_a_size_or_a_model_is_no_price(text: str) -> None:
    assert price_wish(normalise(text), "english", "eur") is None


def test_a_currency_without_cents_has_none() -> None:
    wish = price_wish("mug under 3000 yen", "english", "jpy")
    assert wish is not None
    assert wish.high == 3000


@pytest.mark.parametrize(
    ("language", "text", "low", "high"),
    [
        ("german", "tisch unter 50", None, 5000),
        ("german", "tisch 20 bis 40 euro", 2000, 4000),
        ("french", "lampe moins de 30 €", None, 3000),
        ("spanish", "mesa entre 20 y 40 euros", 2000, 4000),
    ],
)
def test_other_languages_have_their_words(language: str, text: str, low: int | None, high: int) -> None:
    wish = price_wish(normalise(text), language, "eur")
    assert wish is not None
    assert (wish.low, wish.high) == (low, high)


@given(st.text(st.sampled_from("0123456789.,-$€ under to betwn and") | st.characters(), max_size=60))
def test_whatever_is_typed_is_read_or_left(text: str) -> None:
    for language in ("english", "german", *sorted(STEMMERS)[:3]):
        wish = price_wish(normalise(text), language, "eur")
        assert wish is None or (wish.low or 0) <= (wish.high if wish.high is not None else 10**18)
