"""What is understood of a query, what follows from it, and how it is undone."""

from dataclasses import replace
from typing import Any

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, SearchResult, find
from shop.search.answering.known import Knowledge
from shop.search.queries.filters import Filters
from shop.search.suggesting.suggest import suggest
from shop.search.understanding.understand import PARTS
from tests.shop.search.made import fill, stock


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder)
    return db


def ids(result: SearchResult) -> list[str]:
    return [hit.product.id for hit in result.hits]


def readings(result: SearchResult, part: str) -> list[str]:
    return [one["value"] for one in result.interpreted.get(part, [])]


def test_a_price_in_the_query_is_a_filter_that_is_told_and_undone(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="sofa under 15 euros", limit=100)
    result = find(shop, encoder, request)
    assert result.interpreted["price"] == {"min": None, "max": 1500, "words": "under 15 euros", "hard": True}
    assert 0 < result.total < 12
    assert all(hit.product.price is not None and hit.product.price <= 1500 for hit in result.hits)
    kept = find(shop, encoder, replace(request, literal=("price",)))
    assert "price" not in kept.interpreted
    assert any((hit.product.price or 0) > 1500 for hit in kept.hits)
    by_hand = find(shop, encoder, replace(request, filters=Filters(price_max=1800)))
    assert max(hit.product.price or 0 for hit in by_hand.hits) == 1800


def test_what_costs_nearer_to_the_price_that_was_aimed_at_is_lifted(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="sofa around 15 euros", limit=100, explain=True))
    lifted = {
        hit.product.price or 0: hit.explanation.parts.get("price", 0.0)
        for hit in result.hits
        if hit.explanation is not None
    }
    assert lifted[1500] == pytest.approx(0.05)
    assert lifted[1500] > lifted[1600] == lifted[1400] > lifted[1700] > lifted[1800] == 0
    below = find(shop, encoder, SearchRequest(text="sofa under 15 euros", limit=100, explain=True))
    assert all("price" not in hit.explanation.parts for hit in below.hits if hit.explanation is not None)


def test_what_words_are_known_for_is_told_with_the_words(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="green hydra water bottle size m"))
    assert result.interpreted == {
        "brand": [{"value": "hydra", "words": "hydra", "hard": False}],
        "category": [{"value": "sports > bottles", "words": "bottle", "hard": False}],
        "colour": [{"value": "green", "words": "green", "hard": False}],
        "size": [{"value": "size m", "words": "size m", "hard": False}],
    }
    assert result.hits[0].product.name.startswith("Green water bottle")
    assert find(shop, encoder, SearchRequest(text="green hydra bottle", literal=PARTS)).interpreted == {}


def test_the_longest_brand_counts(db: Database, encoder: Encoder) -> None:
    fill(db, encoder, [
        {"id": "a", "name": "Drill", "brand": "Black & Decker"},
        {"id": "b", "name": "Drill", "brand": "Decker"},
    ])  # fmt: skip
    assert readings(find(db, encoder, SearchRequest(text="black decker drill")), "brand") == ["black & decker"]


@pytest.mark.parametrize("text", ['13" laptop', "13in laptop", "13-inch laptop", "laptop 13 inches"])
def test_sizes_are_one_in_whatever_writing(db: Database, encoder: Encoder, text: str) -> None:
    rows = [
        {"id": "a", "name": "Laptop 15.6 inch"},
        {"id": "b", "name": 'Laptop 13" silver'},
        {"id": "c", "name": "Laptop sleeve for 13 pens, inch by inch"},
    ]
    fill(db, encoder, rows)
    result = find(db, encoder, SearchRequest(text=text))
    assert readings(result, "size") == ["13 inch"]
    assert ids(result)[0] == "b"


def test_a_minus_leaves_out_what_has_the_word_but_not_what_says_it_lacks_it(db: Database, encoder: Encoder) -> None:
    rows = [
        {"id": "with", "name": "Leather belt with brass buckle"},
        {"id": "without", "name": "Leather belt without buckle"},
        {"id": "silent", "name": "Leather belt brown"},
    ]
    fill(db, encoder, rows)
    result = find(db, encoder, SearchRequest(text="leather belt -buckle"))
    assert sorted(ids(result)) == ["silent", "without"]
    assert result.total == 2
    assert result.interpreted["without"] == [{"value": "buckle", "words": "-buckle", "hard": True}]
    assert find(db, encoder, SearchRequest(text="leather belt -buckle", literal=("without",))).total == 3


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("belt not red", ["red"]),
        ("belt but not leather", ["leather"]),
        ("bite not collar", []),
        ("batteries not included", []),
        ("t-shirt x-large", []),
        ("no", []),
        ("-red", []),
        ("--", []),
    ],
)
def test_not_and_minus_refuse_only_where_they_mean_it(
    shop: Database, encoder: Encoder, text: str, refused: list[str]
) -> None:
    assert readings(find(shop, encoder, SearchRequest(text=text)), "without") == refused


def test_new_brands_are_known_as_soon_as_the_process_reads_them(shop: Database, encoder: Encoder) -> None:
    knowledge = Knowledge(values_fresh_s=0)
    request = SearchRequest(text="umbra lamp")
    assert readings(find(shop, encoder, request, knowledge), "brand") == []
    stock(shop, [{"id": "new", "name": "Lamp", "brand": "Umbra"}])
    assert readings(find(shop, encoder, request, knowledge), "brand") == ["umbra"]


def test_where_nothing_fits_what_the_words_required_is_given_up_first(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="sofa under 1 euro"))
    assert result.interpreted["rescued"] == "filters"
    assert result.hits[0].product.name.endswith("small") or "sofa" in result.hits[0].product.name.lower()
    chosen = find(shop, encoder, SearchRequest(text="sofa under 1 euro", filters=Filters(brands=("nobody",))))
    assert (chosen.total, "rescued" in chosen.interpreted) == (0, False)


def test_then_spelling_is_bolder(db: Database, encoder: Encoder) -> None:
    # "rock" is a word to the model, so that it stays as long as anything is found.
    fill(db, encoder, [{"id": "a", "name": "Dock for cables"}, {"id": "b", "name": "Dock, wall mounted"}])
    suggest(db)
    result = find(db, encoder, SearchRequest(text="rock", mode="lexical"))
    assert (result.interpreted.get("rescued"), result.corrected) == ("spelling", "dock")
    assert sorted(ids(result)) == ["a", "b"]
    assert find(db, encoder, SearchRequest(text="rock", mode="lexical", correct=False)).total == 0


def test_what_nothing_is_like_finds_nothing(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="zzxqy wrtpf"))
    assert (result.total, "rescued" in result.interpreted) == (0, False)


def test_each_facet_counts_what_choosing_another_value_would_give(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red", limit=100)
    free = find(shop, encoder, request)
    chosen = replace(request, filters=Filters(brands=("hydra",), price_max=6000))
    narrowed = find(shop, encoder, chosen)
    assert {value.value for value in narrowed.facets.brand} > {"Hydra"}
    assert [value.value for value in narrowed.facets.category] == ["Sports > Bottles"]
    for value in narrowed.facets.brand:
        other = replace(chosen, filters=Filters(brands=(value.value.lower(),), price_max=6000))
        assert find(shop, encoder, other).total == value.count
    assert narrowed.facets.price is not None
    assert free.facets.price is not None
    assert narrowed.facets.price.max > 3000
    for one in free.facets.price.ranges:
        within = find(shop, encoder, replace(request, filters=Filters(price_min=one.min, price_max=one.max)))
        assert within.total == one.count
    assert sum(one.count for one in free.facets.price.ranges) == free.facets.price.count


def test_every_hit_says_why_and_its_parts_add_up(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="red nordholm sofa", explain=True))
    explained: list[Any] = [(hit, hit.explanation) for hit in result.hits if hit.explanation]
    assert len(explained) == len(result.hits) > 1
    best, why = explained[0]
    assert {"words", "meaning", "every_word", "brand", "colour", "category"} <= set(why.parts)
    assert {word.term for word in why.words} == {"red", "nordholm", "sofa"}
    assert (why.lexical_rank <= 3, why.similarity > why.floor) == (True, True)
    scale = sum(why.parts.values()) / best.score
    for hit, other in explained:
        assert sum(other.parts.values()) == pytest.approx(hit.score * scale, abs=0.001)
    assert all(hit.explanation is None for hit in find(shop, encoder, SearchRequest(text="red sofa")).hits)
