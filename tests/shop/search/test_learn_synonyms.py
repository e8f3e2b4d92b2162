"""Synonyms from what people wrote instead: suggested when several did, never applied by themselves."""

from typing import Any

import pytest

from db.database import Database
from shop.search.answering.find import SearchRequest, find
from shop.search.learning.learn import learn
from shop.search.learning.learn_synonyms import suggest_synonyms
from shop.search.merchandise import save_synonyms, synonyms
from tests.shop.search.made import CountingEncoder, products, stock
from tests.shop.search.test_learn import A, did, searched


def instead(db: Database, before: str, after: str, *people: int, clicked: str = A, **more: Any) -> None:
    """Each asked the first, clicked nothing, asked the second a minute later, and clicked."""
    for person in people:
        visitor, number = f"vis_{person}", f"{before}_{after}_{person}".replace(" ", "_")[:30]
        searched(db, f"a_{number}", before, visitor_id=visitor, hours_ago=2)
        searched(db, f"b_{number}", after, visitor_id=visitor, hours_ago=2 - more.get("minutes", 1) / 60)
        if clicked:
            did(db, "search_click", clicked, f"b_{number}", visitor=visitor)


def told(db: Database) -> list[tuple[str, list[str], str]]:
    return [(one.kind, one.terms, one.state) for one in synonyms(db, state=None, before=None, limit=50)]


def test_what_three_people_wrote_instead_is_suggested_with_its_evidence(db: Database) -> None:
    instead(db, "red settee", "red sofa", 1, 2, 3)
    assert learn(db)["synonyms"] == 1
    assert told(db) == [("one_way", ["settee", "sofa"], "suggested")]
    evidence = synonyms(db, state="suggested", before=None, limit=1)[0].evidence
    assert (evidence["people"], evidence["searches"]) == (3, ["red settee -> red sofa"])
    assert learn(db)["synonyms"] == 0  # once a day


def test_what_fewer_than_three_wrote_besides_is_no_evidence_for_others_to_read(db: Database) -> None:
    instead(db, "settee", "sofa", 1, 2)
    instead(db, "settee of jane doe", "sofa of jane doe", 3)
    learn(db)
    assert told(db) == [("one_way", ["settee", "sofa"], "suggested")]
    evidence = synonyms(db, state="suggested", before=None, limit=1)[0].evidence
    assert (evidence["people"], evidence["searches"]) == (3, [])


def test_both_ways_are_equal_and_take_the_place_of_one_way(db: Database) -> None:
    instead(db, "settee", "sofa", 1, 2, 3)
    learn(db)
    instead(db, "sofa", "settee", 4, 5, 6)
    learn(db)
    assert suggest_synonyms(db) == 1
    assert told(db) == [("equal", ["settee", "sofa"], "suggested")]


@pytest.mark.parametrize(
    ("before", "after", "people", "more"),
    [
        ("settee", "sofa", (1, 2), {}),
        ("settee", "sofa", (1, 2, 3), {"clicked": ""}),
        ("settee", "sofa", (1, 2, 3), {"minutes": 30}),
        ("headphnes", "headphones", (1, 2, 3), {}),
        ("sofas", "sofa", (1, 2, 3), {}),
        ("iphone 12", "iphone 13", (1, 2, 3), {}),
        ("red sofa", "sofa", (1, 2, 3), {}),
        ("something to sit on", "sofa", (1, 2, 3), {}),
        ("the", "sofa", (1, 2, 3), {}),
    ],
)
def test_what_says_nothing_is_not_suggested(
    db: Database, before: str, after: str, people: tuple[int, ...], more: dict[str, Any]
) -> None:
    instead(db, before, after, *people, **more)
    learn(db)
    assert told(db) == []


def test_whoever_found_what_they_asked_for_first_did_not_write_it_instead(db: Database) -> None:
    instead(db, "settee", "sofa", 1, 2, 3)
    for person in (1, 2, 3):
        did(db, "search_click", A, f"a_settee_sofa_{person}", visitor=f"vis_{person}")
    learn(db)
    assert told(db) == []


@pytest.mark.parametrize("state", ["dismissed", "active"])
def test_what_a_person_decided_is_not_suggested_again(db: Database, state: Any) -> None:
    save_synonyms(db, synonyms_id=None, kind="one_way", terms_=["settee", "sofa"], state=state)
    instead(db, "settee", "sofa", 1, 2, 3)
    learn(db)
    assert told(db) == [("one_way", ["settee", "sofa"], state)]


def test_a_suggestion_changes_no_search_until_it_is_made_active(db: Database) -> None:
    stock(db, products())
    instead(db, "settee", "sofa", 1, 2, 3)
    learn(db)
    asked = SearchRequest(text="settee", mode="lexical", correct=False)
    before = find(db, CountingEncoder(), asked).total
    suggested = synonyms(db, state="suggested", before=None, limit=1)[0]
    save_synonyms(db, synonyms_id=suggested.id, kind="one_way", terms_=suggested.terms, state="active")
    assert (before, find(db, CountingEncoder(), asked).total) == (0, 12)
