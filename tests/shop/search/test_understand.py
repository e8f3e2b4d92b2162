"""What a query asks for, and what it asks to be spared."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.search.answering.known import NOTHING
from shop.search.understanding.evidence import evidence
from shop.search.understanding.understand import understand


@pytest.mark.parametrize(
    ("text", "wanted", "refused"),
    [
        ("brown belt without buckle", "brown belt", ("buckle",)),
        ("lights without wiring with switch", "lights with switch", ("wiring",)),
        ("earbuds w/o wire for running", "earbuds for running", ("wire",)),
        ("planner no dates", "planner", ("dates",)),
        ("faucet drain without overflow solid brass", "faucet drain", ("overflow solid brass",)),
        ("no show socks", "no show socks", ()),
        ("no 7 cream", "no 7 cream", ()),
        ("food is not enough", "food is not enough", ()),
        ("without", "without", ()),
    ],
)
def test_a_refused_phrase_is_taken_out_of_the_query(text: str, wanted: str, refused: tuple[str, ...]) -> None:
    query = understand(text)
    assert (query.wanted, query.refused) == (wanted, refused)


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1/2 inch binder", ["1/2 inch"]),
        ("binder 2in", ["2 inch"]),
        ("1.5 l bottle 12 oz", ["12 oz"]),
        ("3/4 binder", []),
    ],
)
def test_a_fraction_is_one_size(text: str, sizes: list[str]) -> None:
    assert understand(text).of("size") == sizes


def test_a_number_or_a_letter_alone_is_no_category_whatever_shelves_are_called() -> None:
    known = replace(NOTHING, categories={("1",): ("1",), ("b",): ("b",), ("3d",): ("3d",), ("belt",): ("belts",)})
    found = {text: understand(text, known).of("category") for text in ("1tb ssd", "a b switch", "3d printer", "belt 1")}
    assert found == {"1tb ssd": [], "a b switch": [], "3d printer": ["3d"], "belt 1": ["belts"]}


def test_a_query_of_nothing_but_a_refusal_is_taken_word_for_word() -> None:
    query = understand("without sugar")
    assert query.terms == ("without", "sugar")
    assert query.interpreted == {}


def test_the_answer_says_what_was_taken_for_a_refusal() -> None:
    assert understand("belt without buckle").interpreted == {
        "without": [{"value": "buckle", "words": "without buckle", "hard": False}]
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A belt without any buckle", 1),
        ("Belt, buckle-free", 1),
        ("Buckleless belt", 1),
        ("A belt with a brass buckle", -1),
        ("A plain strap", 0),
        ("Has a buckle. Also sold without buckle.", 1),
        ("Buckles!", -1),
        ("buckled up", -1),
    ],
)
def test_a_product_has_lacks_or_says_nothing_of_what_is_refused(text: str, says: int) -> None:
    assert evidence(text, "buckles") == says


@given(st.text(max_size=200))
def test_whatever_is_typed_is_understood_somehow(text: str) -> None:
    query = understand(text)
    assert len(set(query.terms)) == len(query.terms)
    for phrase in query.refused:
        evidence(text, phrase)
