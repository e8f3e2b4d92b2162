"""Suggestions: from whom they may come, that a slip is forgiven, and that they follow what changes."""

import itertools
import random
from typing import Any

import pytest

from db.database import Database
from shop.search.catalogue.catalog import retire
from shop.search.queries import log
from shop.search.suggesting.complete import Suggestion, complete
from shop.search.suggesting.manners import is_personal, is_rude
from shop.search.suggesting.suggest import suggest
from shop.search.suggesting.typed import fold, keys
from tests.shop.search.made import one_value, products, stock

_numbers = itertools.count(1)


def asked(db: Database, query: str, *, people: int = 3, total: int = 5, named: bool = True) -> None:
    """So many different people ask the same."""
    for person in range(people):
        with db.transaction() as tx:
            log.insert_search(tx, _search(query, f"vis_{person}" if named else None, total))


def _search(query: str, visitor: str | None, total: int) -> log.Search:
    return log.Search(
        id=f"sch_{next(_numbers)}", customer_id=None, visitor_id=visitor, query=query, normalised=query,
        interpreted={}, filters={}, sort="relevance", mode="hybrid", total=total, total_is_exact=True,
        first_products=[], ranker="none", degraded=False, took_ms=1.0,
    )  # fmt: skip


@pytest.fixture(name="shop")
def _shop(db: Database) -> Database:
    stock(db, products())
    suggest(db)
    return db


def texts(db: Database, typed: str, limit: int = 10) -> list[str]:
    return [one.text for one in complete(db, typed, limit=limit)]


def test_categories_brands_and_products_are_suggested_from_the_first_letters(shop: Database) -> None:
    found = complete(shop, "hea", limit=10)
    assert found[0] == Suggestion("Headphones", "category")
    assert {one.kind for one in found} == {"category", "product"}
    assert complete(shop, "nord", limit=5)[0] == Suggestion("Nordholm", "query")
    assert complete(shop, "red so", limit=5)[0].product_id in {product["id"] for product in products()}


def test_a_product_is_found_from_its_later_words_too(shop: Database) -> None:
    assert "Green chef knife large" in texts(shop, "chef knife la")


def test_what_three_people_asked_is_suggested_first(shop: Database) -> None:
    asked(shop, "leather belt")
    suggest(shop)
    assert complete(shop, "lea", limit=5)[0] == Suggestion("leather belt", "query")


@pytest.mark.parametrize(
    ("query", "how"),
    [
        ("leather belt", {"people": 2}),
        ("leather belt", {"total": 0}),
        ("leather belt", {"named": False}),
        ("leather belt jane@example.com", {}),
        ("leather belt 0170 123456", {}),
        ("leather belt blasphemy", {}),
    ],
)
def test_what_few_asked_found_nothing_or_is_personal_is_never_suggested(
    shop: Database, query: str, how: dict[str, Any]
) -> None:
    asked(shop, query, **how)
    suggest(shop)
    assert one_value(shop, "SELECT count(*) FROM search_suggestions WHERE kind = 'query'") == 0


def test_what_is_left_of_two_people_once_the_third_is_erased_is_suggested_no_more(shop: Database) -> None:
    asked(shop, "leather belt")
    asked(shop, "leather sofa", people=4)
    suggest(shop)
    with shop.transaction() as tx:
        tx.execute("SELECT forget_searches(NULL, '{vis_0}'), forget_interests(NULL, '{vis_0}')")
        tx.execute("UPDATE search_marks SET at = now() - interval '1 hour' WHERE name = 'suggest.checked'")
    suggest(shop)
    assert texts(shop, "leather") == ["leather sofa"]


def test_one_person_who_asks_often_is_one_person(shop: Database) -> None:
    for _ in range(5):
        asked(shop, "leather belt", people=2)
        suggest(shop)
    assert texts(shop, "leather be") == []
    asked(shop, "leather belt", people=3)
    suggest(shop)
    assert texts(shop, "leather be") == ["leather belt"]


@pytest.mark.parametrize(
    "typed",
    [
        "haedph",
        "hedpho",
        "headdph",
        "headpg",
        "headphonse",
        "heaphones",
        "hradphones",
        "eadpho",
        "head phon",
        "headphonx",
    ],
)
def test_one_slip_is_forgiven(shop: Database, typed: str) -> None:
    assert texts(shop, typed)[0] == "Headphones"


@pytest.mark.parametrize("typed", ["redsofa", "rde so", "red soda", "redxsofa", "red osfa", "r ed sofa", "reed sofa"])
def test_a_slip_in_any_word_or_between_two_is_forgiven(shop: Database, typed: str) -> None:
    assert all(text.startswith("Red sofa") for text in texts(shop, typed))
    assert texts(shop, typed)


def test_whatever_one_slip_makes_of_a_beginning_something_is_suggested(shop: Database) -> None:
    draw = random.Random(5)
    begun = [fold(product["name"])[: draw.randint(6, 16)].strip() for product in products() * 3]
    slipped = [(typed, with_slip_anywhere(typed, draw)) for typed in begun]
    missed = [pair for pair in slipped if not texts(shop, pair[1])]
    assert missed == []


def with_slip_anywhere(typed: str, draw: random.Random) -> str:
    """Spaces included; never the first letter, which is hardly ever the wrong one, nor the last, which may be meant."""
    place, letter = draw.randrange(1, len(typed) - 1), draw.choice("abcdefghijklmnopqrstuvwxyz ")
    before, after = typed[:place], typed[place:]
    return draw.choice(
        (
            before + after[1:],
            before + letter + after[1:],
            before + letter + after,
            before + after[1] + after[0] + after[2:],
        )
    )


@pytest.mark.parametrize("typed", ["xqzw", "…", "'", "    ", "\0", "%", "hdpns", "🎧", "a" * 200])
def test_what_nothing_begins_with_gets_nothing(shop: Database, typed: str) -> None:
    assert texts(shop, typed) == []


def test_a_product_taken_out_is_gone_at_once_and_its_category_with_the_last(db: Database) -> None:
    stock(db, [product for product in products() if product["category"].endswith("Belts")][:1])
    suggest(db)
    assert texts(db, "belts") == ["Belts"]
    retire(db, "p048")
    assert texts(db, "red belt") == []
    suggest(db)
    assert texts(db, "belts") == []
    assert one_value(db, "SELECT count(*) FROM search_suggestions") == 0


def test_a_renamed_product_is_found_by_its_new_name_only(shop: Database) -> None:
    stock(shop, [products()[0] | {"name": "Aquamarine settee"}])
    suggest(shop)
    assert texts(shop, "aquam") == ["Aquamarine settee"]
    assert "Red sofa small" not in texts(shop, "red sofa")


def test_crowded_beginnings_give_the_best_of_all(db: Database) -> None:
    stock(db, ({"id": f"p{n}", "name": f"lamp model {n:04}", "rating_count": n} for n in range(1000)))
    suggest(db)
    assert one_value(db, "SELECT count(*) FROM search_suggestion_tops") > 10
    assert texts(db, "la", limit=1)[0] >= "lamp model 0600"
    stock(db, [{"id": "best", "name": "lamp of lamps", "rating_count": 10**9}])
    suggest(db)
    for typed in ("l", "la", "lam", "lamp", "lamp o"):
        assert texts(db, typed, limit=3)[0] == "lamp of lamps"


def test_a_beginning_that_is_crowded_no_more_is_read_as_it_is(db: Database) -> None:
    many = [{"id": f"p{n}", "name": f"lamp model {n:04}"} for n in range(200)]
    stock(db, many)
    suggest(db)
    stock(db, [row | {"active": False} for row in many[5:]])
    suggest(db)
    assert one_value(db, "SELECT count(*) FROM search_suggestion_tops") == 0
    assert len(texts(db, "lamp")) == 5


def test_a_run_that_finds_nothing_new_writes_nothing(shop: Database) -> None:
    assert suggest(shop) == {"queries": 0, "products": 0, "remaining": 0}


def test_queries_keep_two_places_for_products(shop: Database) -> None:
    for size in ("small", "medium", "large"):
        for colour in ("red", "blue", "green"):
            asked(shop, f"sofa {colour} {size}")
    suggest(shop)
    kinds = [one.kind for one in complete(shop, "sofa", limit=6)]
    assert kinds == ["category", "query", "query", "query", "product", "product"] or kinds.count("product") == 2


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example", "0170 123 45 67", "+49 (170) 123-4567", "4242 4242 4242 4242", "www.example.com",
        "12 old mill road", "hauptstrasse 5", "Hauptstraße 5b", "12 rue du bac", "calle mayor 3", "de89370400440532013000",
    ],
)  # fmt: skip
def test_addresses_and_long_numbers_are_personal(text: str) -> None:
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    ["iphone 15 pro", "12x18 frame", "usb c 100w", "size 42 43 44", "28 inch road bike", "startech.com 5 port hub"],
)
def test_models_and_sizes_are_not_personal(text: str) -> None:
    assert not is_personal(text)


@pytest.mark.parametrize("query", ["shitty sofa", "sofa f u c k", "sh1t sofa", "FUCKING sofa", "sofa bull shit"])
def test_what_is_rude_is_never_suggested_because_others_typed_it(shop: Database, query: str) -> None:
    stock(shop, [{"id": "rude", "name": f"{query} sticker"}])
    asked(shop, query)
    suggest(shop)
    assert texts(shop, query) == [f"{query} sticker"]


@pytest.mark.parametrize(
    ("text", "language", "rude"),
    [
        ("verdammte scheisse", "german", True),
        ("Scheiße", "german", True),
        ("dick gepolstert", "german", False),
        ("putain de table", "french", True),
        ("mierda", "spanish", True),
        ("con soporte", "spanish", False),
        ("scunthorpe united scarf", "english", False),
        ("cockatiel cage", "english", False),
        ("shiitake grow kit", "english", False),
        ("4 x 5 s hooks", "english", False),
        ("fuck", "finnish", True),
    ],
)
def test_each_language_has_its_own_rude_words(text: str, language: str, rude: bool) -> None:
    assert is_rude(text, language) == rude


def test_a_shop_adds_its_own_words_which_hold_at_once_and_leave_products_alone(shop: Database) -> None:
    asked(shop, "leather belt")
    suggest(shop)
    assert complete(shop, "leather b", limit=5, never=()) != []
    assert complete(shop, "leather b", limit=5, never=("leather belt",)) == []
    assert complete(shop, "leather b", limit=5, never=("ather",)) != []
    asked(shop, "red sofa")
    suggest(shop, never=("sofa",))
    assert one_value(shop, "SELECT count(*) FROM search_suggestions WHERE kind = 'query' AND text = 'red sofa'") == 0
    assert {one.kind for one in complete(shop, "red s", limit=5, never=("sofa",))} == {"product"}


def test_later_words_weigh_less_and_stop_words_begin_nothing() -> None:
    assert keys("The lamp of a kind", 1.0) == {"the lamp of a kind": 1.0, "lamp of a kind": 0.7}
