"""Spelling: one slip is put right, and nothing that is a word, a brand or a number is ever touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, WrongPlace, find
from shop.search.language.slips import is_one_slip, pieces
from shop.search.suggesting.suggest import suggest
from tests.shop.search.made import fill, one_value, products

LETTERS = "abcdefgh"


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder, [*products(), {"id": "x1", "name": "Zyxelo Q5000 cable", "brand": "Zyxelo"}])
    suggest(db)
    return db


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("heaphones", "headphones"),
        ("red headphnoes", "red headphones"),
        ("gren belt", "green belt"),
        ("Stainless watter botle", "stainless water bottle"),
        ("headphoness without cushoins", "headphones without cushions"),
        ("red headpohnse", "red headphones"),
        ("hadphones", "headphones"),
    ],
)
def test_a_slip_is_put_right_and_said(shop: Database, encoder: Encoder, written: str, meant: str) -> None:
    result = find(shop, encoder, SearchRequest(text=written))
    assert result.corrected == meant
    assert one_value(shop, "SELECT corrected FROM search_queries WHERE id = %(id)s", id=result.search_id) == meant


@pytest.mark.parametrize(
    ("written", "first"),
    [("head phones", "headphones"), ("waterbottle", "water bottle"), ("redsofa large", "Red sofa large")],
)
def test_a_space_more_or_less_is_looked_up_besides_and_changes_nothing_that_was_written(
    shop: Database, encoder: Encoder, written: str, first: str
) -> None:
    result = find(shop, encoder, SearchRequest(text=written, mode="lexical"))
    assert result.corrected is None
    assert first in result.hits[0].product.name
    assert result.query.spaced != ()
    literal = find(shop, encoder, SearchRequest(text=written, mode="lexical", correct=False))
    assert literal.total < result.total


@pytest.mark.parametrize(
    "query",
    [
        "water bottle",
        "red sofa",
        "headphones",
        "zyxelo q5000",
        "q500 cable",
        "hiking",
        "sock",
        "knive",
        "bel",
        "kopfhörer",
        "12x18",
        "🎧",
        "xqzwvk",
    ],
)
def test_words_brands_numbers_and_what_is_like_nothing_stay(shop: Database, encoder: Encoder, query: str) -> None:
    assert find(shop, encoder, SearchRequest(text=query)).corrected is None


def test_it_can_be_undone(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="heaphones", mode="lexical", correct=False))
    assert (result.corrected, result.total) == (None, 0)
    assert find(shop, encoder, SearchRequest(text="heaphones", mode="lexical")).total == 12


def test_later_pages_are_of_the_corrected_search(shop: Database, encoder: Encoder) -> None:
    first = find(shop, encoder, SearchRequest(text="heaphones", limit=5))
    second = find(shop, encoder, SearchRequest(text="heaphones", limit=5, after=first.next_place))
    assert not {hit.product.id for hit in first.hits} & {hit.product.id for hit in second.hits}
    with pytest.raises(WrongPlace):
        find(shop, encoder, SearchRequest(text="heaphones", limit=5, after=first.next_place, correct=False))


@given(st.text(LETTERS, min_size=4, max_size=8), st.text(LETTERS, min_size=4, max_size=8))
def test_words_a_slip_apart_share_a_piece(first: str, second: str) -> None:
    assert is_one_slip(first, second) == is_one_slip(second, first)
    if is_one_slip(first, second):
        assert pieces(first) & pieces(second)


@given(st.text(LETTERS, min_size=4, max_size=8), st.integers(0, 7), st.sampled_from(LETTERS))
def test_every_single_edit_is_one_slip(word: str, place: int, letter: str) -> None:
    before, after = word[: place % len(word)], word[place % len(word) :]
    swapped = before + after[1:2] + after[0] + after[2:]
    for edited in (before + after[1:], before + letter + after, before + letter + after[1:], swapped):
        assert edited == word or is_one_slip(word, edited)
