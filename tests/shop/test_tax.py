"""Tax: the right rate, and parts that come to the whole to the last cent, whatever is sold and given back."""

from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.tax import Part, TaxRates, WrongRates, apportion, rate_text, read_part, read_rates, shown, spread, take
from shop.tax import tax_lines as lines_of

RATES = TaxRates(
    "DE",
    Decimal(18),
    read_rates(
        "DE:standard=19, DE:books=7, DE:Clothing, Shoes & Jewelry=16; FR:standard=20\nUS:standard=0".replace("\n", ",")
    ),
)

rates = st.sampled_from([Decimal(0), Decimal("5.5"), Decimal(7), Decimal(19), Decimal(25)])
goods = st.lists(st.tuples(rates, st.integers(0, 500_000)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("country", "category", "rate"),
    [
        ("DE", "Electronics", 19),
        ("DE", "Books", 7),
        ("de", "Media > Books > Novels", 7),
        ("DE", "Books>Audio", 7),
        ("DE", "Clothing, Shoes & Jewelry > Women", 16),
        ("FR", "Books", 20),
        ("US", "Books", 0),
        ("CH", "Books", 7),
        (None, "", 19),
        ("DE", "booksellers", 19),
    ],
)
def test_the_country_of_the_parcel_and_the_narrowest_known_category_decide(
    country: str | None, category: str, rate: int
) -> None:
    assert RATES.rate(RATES.country(country), category) == rate


def test_without_a_table_the_one_rate_holds_everywhere() -> None:
    plain = TaxRates("DE", Decimal(19))
    assert plain.rate(plain.country("FR"), "Books") == 19


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DE:books", "is no rate"),
        ("Germany:standard=19", "is no rate"),
        ("DE:standard=190", "more than everything"),
        ("DE:books=7", "has no DE:standard"),
        ("DE:standard=-1", "is no rate"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(WrongRates, match=words):
        read_rates(text)


@given(goods, st.integers(0, 20_000), st.booleans())
def test_rates_goods_shipping_net_and_tax_come_to_the_total(
    sold: list[tuple[Decimal, int]],
    shipping: int,
    included: bool,
) -> None:
    lines = lines_of(sold, shipping, country="DE", included=included)
    priced = sum(amount for _, amount in sold) + shipping
    assert sum(line.goods_minor + line.shipping_minor for line in lines) == priced
    assert sum(line.shipping_minor for line in lines) == shipping
    for line in lines:
        of_rate = line.goods_minor + line.shipping_minor
        assert of_rate == (line.part.gross_minor if included else line.net_minor)
        assert 0 <= line.shipping_tax_minor <= line.tax_minor
        # Half a cent at most from what the rate says, of the net as of the gross.
        exact = Decimal(of_rate) * line.rate_percent / (100 + line.rate_percent if included else 100)
        assert abs(exact - line.tax_minor) <= Decimal("0.5")


@given(goods, st.integers(0, 20_000), st.data())
def test_what_is_captured_and_given_back_in_parts_takes_exactly_the_tax_there_was(
    sold: list[tuple[Decimal, int]], shipping: int, data: st.DataObject
) -> None:
    whole = [line.part for line in lines_of(sold, shipping, country="DE", included=True)]
    left = list(whole)
    given_back: dict[Decimal, tuple[int, int]] = {part.rate_percent: (0, 0) for part in whole}
    for last in (False, False, False, True):
        total = sum(part.gross_minor for part in left)
        amount = total if last else data.draw(st.integers(0, total))
        wanted = data.draw(st.dictionaries(rates, st.integers(0, 300_000), max_size=2))
        taken = take(left, amount, wanted)
        assert sum(part.gross_minor for part in taken) == amount
        for place, (part, rest) in enumerate(zip(taken, left, strict=True)):
            assert 0 <= part.tax_minor <= part.gross_minor <= rest.gross_minor
            gross, tax = given_back[part.rate_percent]
            given_back[part.rate_percent] = gross + part.gross_minor, tax + part.tax_minor
            left[place] = Part(
                rest.rate_percent, "DE", rest.gross_minor - part.gross_minor, rest.tax_minor - part.tax_minor
            )
    assert given_back == {part.rate_percent: (part.gross_minor, part.tax_minor) for part in whole}


def test_a_refund_of_books_takes_the_tax_of_books() -> None:
    left = [Part(Decimal(19), "DE", 11900, 1900), Part(Decimal(7), "DE", 10700, 700)]
    taken = take(left, 10700, MappingProxyType({Decimal(7): 10700}))
    assert [(part.gross_minor, part.tax_minor) for part in taken] == [(0, 0), (10700, 700)]


def test_more_than_is_left_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="cannot be taken"):
        take([Part(Decimal(19), "DE", 100, 16)], 101)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_shares_come_to_the_amount_and_are_never_larger_than_what_they_are_of(amount: int, weights: list[int]) -> None:
    shares = apportion(amount, weights)
    assert sum(shares) == amount
    assert min(shares) >= 0
    if amount <= sum(weights):
        assert all(share <= weight for share, weight in zip(shares, weights, strict=True))
    by_weight = sorted(zip(weights, shares, strict=True))
    if sum(weights):
        assert all(one <= other + 1 for (_, one), (_, other) in pairwise(by_weight))


@given(st.integers(0, 10**6), st.lists(st.integers(-(10**5), 10**6), min_size=1, max_size=20))
def test_tax_spread_over_rows_comes_to_the_tax(tax: int, amounts: list[int]) -> None:
    whole = sum(amounts)
    assert sum(spread(tax, amounts)) == (tax if whole else 0)


def test_a_part_reads_back_as_it_was_written() -> None:
    part = Part(Decimal("5.50"), "FR", 1055, 55)
    assert shown(part) == {"rate": "5.5", "country": "FR", "net_minor": 1000, "tax_minor": 55, "gross_minor": 1055}
    assert read_part(shown(part)) == part
    assert rate_text(Decimal("20.00")) == "20"
