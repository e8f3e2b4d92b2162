"""Words: the same in products and queries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.search.catalogue.product import Product
from shop.search.language.text import LONGEST_TERM, embedding_text, normalise, terms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('12" pan', "12 inch pan"),
        ("5ft cable", "5 ft cable"),
        ("CRÈME brûlée", "creme brulee"),
        ("batteries", "battery"),
        ("the running shoes", "Run shoe"),
        ("ｗｉｄｅ", "wide"),
        ("32GB card", "32 gb card"),
        ("kid\u2019s toy", "kid's toy"),
    ],
)
def test_two_writings_of_the_same_words_are_the_same_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other)


def test_a_model_number_stays_in_one_piece() -> None:
    assert "tn2110" in terms("toner TN2110")
    assert terms("dv7-1211ea") == ["dv7", "1211ea"]


def test_runs_of_letters_that_are_no_words_are_left_out() -> None:
    assert terms("a" * (LONGEST_TERM + 1)) == []


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert terms(normalise(text)) == terms(text)


def test_the_text_to_embed_begins_with_what_says_most() -> None:
    product = Product(
        id="1", name="Oak chair", description="Sturdy.", category="Home > Chairs", brand="Nordholm",
        attributes={"material": "oak", "color": "brown", "tags": ["dining", 4], "in_box": True},
    )  # fmt: skip
    assert embedding_text(product) == "Oak chair. Nordholm. Chairs. brown. oak, dining, 4. Sturdy."
