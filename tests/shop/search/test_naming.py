"""What a product's name says to a query: covered or long-winded, the thing itself or what is made for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.search.answering.known import Known
from shop.search.answering.naming import names
from shop.search.understanding.understand import understand


def test_a_name_that_is_the_query_is_covered_and_one_with_much_else_is_less() -> None:
    asked = names(understand("usb hub"))
    assert asked.read("usb hub").cover == 1.0
    assert asked.read("usb hub").cover > asked.read("usb hub with four ports").cover > asked.read("usb cable").cover > 0
    assert asked.read("desk lamp").cover == 0.0


@pytest.mark.parametrize(
    ("query", "name", "beside", "other"),
    [
        ("fitbit charge 3", "fitbit charge 3 tracker", 0.0, False),
        ("fitbit charge 3", "sport band for fitbit charge 3", 1.0, False),
        ("fitbit charge 3", "woven bands compatible with fitbit charge 3", 1.0, False),
        ("fitbit band", "band for fitbit", 0.5, False),
        ("band for fitbit", "band for fitbit", 0.0, False),
        ("band for fitbit", "fitbit charge 3 tracker", 0.0, True),
        ("case for ipad", "ipad pro 11 silver", 0.0, True),
        ("sandals for women", "women's sandal for summer", 0.0, False),
        ("forks", "for forks", 0.0, False),
    ],
)
def test_what_is_made_for_a_thing_is_not_the_thing_and_the_other_way_round(
    query: str, name: str, beside: float, other: bool
) -> None:
    read = names(understand(query)).read(name)
    assert (read.beside, read.other) == (beside, other)


def test_each_language_says_in_its_own_words_what_a_thing_is_for() -> None:
    asked = names(understand("handy", Known(language="german")))
    assert asked.read("hülle für handy").beside == 1.0
    assert asked.read("handy mit hülle").beside == 0.0


@given(st.text(max_size=60), st.text(max_size=120))
def test_every_share_is_one(query: str, name: str) -> None:
    read = names(understand(query)).read(name.lower())
    assert all(0.0 <= share <= 1.0 for share in read[:3])
