"""Searching a small shop with the real model: right answers, and one list behind everything that is shown."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.encoder import connect
from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, SearchResult, WrongPlace, find
from shop.search.catalogue import catalog
from shop.search.queries.filters import Filters
from shop.search.recommending.similar import similar
from tests.shop.search.made import fill, one_value, products


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder)
    return db


def ids(result: SearchResult) -> list[str]:
    return [hit.product.id for hit in result.hits]


def test_a_product_is_found_by_what_it_means(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="something to sit on in the lounge"))
    assert {hit.product.category for hit in result.hits[:5]} == {"Home > Furniture > Sofas"}
    assert "semantic" in result.hits[0].matched


def test_a_product_is_found_by_its_words(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="green headphones medium", mode="lexical"))
    assert result.hits[0].product.name == "Green headphones medium"
    assert result.hits[0].matched == ("lexical",)


def test_all_words_beat_some_of_them(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="blue knife"))
    assert {hit.product.name for hit in result.hits[:3]} == {
        f"Blue chef knife {size}" for size in ("small", "medium", "large")
    }
    assert result.hits[0].matched == ("semantic", "lexical")


def test_what_is_unrelated_is_not_in_the_list(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="headphones", limit=100))
    assert {hit.product.category for hit in result.hits} == {"Electronics > Audio > Headphones"}
    assert (result.total, result.total_is_exact) == (12, True)


def test_nothing_is_found_where_nothing_fits(shop: Database, encoder: Encoder) -> None:
    result = find(shop, encoder, SearchRequest(text="zzxqy", mode="lexical"))
    assert (result.total, result.hits, result.next_place, result.facets.price) == (0, [], None, None)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(categories=("sports > bottles",)),
        Filters(brands=("hydra", "scharf")),
        Filters(price_min=3000, price_max=4500),
        Filters(in_stock=True),
        Filters(rating_min=4.0),
        Filters(brands=("hydra",), in_stock=True, price_max=5000),
        Filters(categories=("no such thing",)),
    ],
)
def test_a_filter_only_takes_away(shop: Database, encoder: Encoder, filters: Filters) -> None:
    request = SearchRequest(text="red bottle", limit=100)
    everything = find(shop, encoder, request)
    filtered = find(shop, encoder, replace(request, filters=filters))
    wanted = {hit.product.id for hit in everything.hits if _passes(hit.product.id, filters)}
    assert set(ids(filtered)) == wanted
    assert filtered.total == len(wanted)


def test_facets_count_the_list_and_agree_with_the_filter(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red large", limit=100)
    result = find(shop, encoder, request)
    assert sum(value.count for value in result.facets.category) == result.total == len(result.hits)
    for value in result.facets.brand:
        narrowed = find(shop, encoder, replace(request, filters=Filters(brands=(value.value.lower(),))))
        assert narrowed.total == value.count
    prices = [hit.product.price for hit in result.hits if hit.product.price is not None]
    assert result.facets.price is not None
    assert (result.facets.price.min, result.facets.price.max) == (min(prices), max(prices))


@pytest.mark.parametrize("sort", ["relevance", "price_asc", "price_desc", "rating", "newest"])
def test_pages_are_the_list_cut_in_pieces(shop: Database, encoder: Encoder, sort: str) -> None:
    request = SearchRequest(text="red", sort=sort, limit=100)  # type: ignore[arg-type]
    whole = find(shop, encoder, request)
    found, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = find(shop, encoder, replace(request, limit=4, after=after))
        found += ids(page)
        assert page.total == whole.total
        after, pages = page.next_place, pages + 1
    assert found == ids(whole)
    assert len(set(found)) == len(found) == whole.total
    assert pages == -(-whole.total // 4)


def test_sorted_by_price_everything_without_one_comes_last(db: Database, encoder: Encoder) -> None:
    rows = products()[:12]
    fill(
        db,
        encoder,
        [{**row, "price": None, "currency": None} if number % 2 else row for number, row in enumerate(rows)],
    )
    for sort, falling in (("price_asc", False), ("price_desc", True)):
        prices = [hit.product.price for hit in find(db, encoder, SearchRequest(text="sofa", sort=sort)).hits]  # type: ignore[arg-type]
        known = [price for price in prices if price is not None]
        assert known == sorted(known, reverse=falling)
        assert prices == known + [None] * 6


def test_a_cursor_of_another_search_is_refused(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red", limit=2)
    place = find(shop, encoder, request).next_place
    with pytest.raises(WrongPlace):
        find(shop, encoder, replace(request, text="blue", after=place))
    with pytest.raises(WrongPlace):
        find(shop, encoder, replace(request, filters=Filters(in_stock=True), after=place))


def test_a_product_that_leaves_between_two_pages_moves_nothing(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red sofa", sort="price_asc", limit=3)
    first = find(shop, encoder, request)
    expected = ids(find(shop, encoder, replace(request, after=first.next_place)))
    catalog.retire(shop, ids(first)[0])
    assert ids(find(shop, encoder, replace(request, after=first.next_place))) == expected


def test_a_retired_product_leaves_every_mode_at_once(shop: Database, encoder: Encoder) -> None:
    catalog.retire(shop, "p000")
    for mode in ("hybrid", "semantic", "lexical"):
        result = find(shop, encoder, SearchRequest(text="red sofa small", mode=mode, limit=100))  # type: ignore[arg-type]
        assert "p000" not in ids(result)
        assert result.total == len(result.hits)
    assert "p000" not in [one.product.id for one in similar(shop, encoder, "p001", limit=50)]


def test_what_the_shopper_refused_comes_last(db: Database, encoder: Encoder) -> None:
    rows = [
        {"id": "with", "name": "Leather belt with brass buckle", "description": "A belt with a buckle."},
        {"id": "without", "name": "Leather belt", "description": "A belt without buckle, elastic."},
        {"id": "silent", "name": "Leather belt brown", "description": "A plain belt."},
    ]
    fill(db, encoder, rows)
    result = find(db, encoder, SearchRequest(text="leather belt without buckle"))
    assert ids(result) == ["without", "silent", "with"]
    assert result.query.refused == ("buckle",)


def test_without_the_model_words_alone_answer_and_the_answer_says_so(shop: Database, tmp_path: Path) -> None:
    missing = connect(tmp_path)
    result = find(shop, missing, SearchRequest(text="blue sofa", mode="semantic"))
    assert result.degraded
    assert result.hits[0].product.name.startswith("Blue sofa")
    assert not find(shop, missing, SearchRequest(text="blue sofa", mode="lexical")).degraded


def test_a_search_is_logged_once_for_all_its_pages(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="Red  SOFA", limit=2, visitor_id="vis_1", filters=Filters(in_stock=True))
    first = find(shop, encoder, request)
    second = find(shop, encoder, replace(request, after=first.next_place))
    assert second.search_id == first.search_id
    with shop.transaction() as tx:
        logged = tx.execute(
            "SELECT id, visitor_id, query, normalised, total, first_products, filters, degraded FROM search_queries"
        ).fetchall()
    assert logged == [
        (first.search_id, "vis_1", "Red  SOFA", "red sofa", first.total, ids(first), {"in_stock": True}, False)
    ]


def test_the_brand_in_the_query_counts(db: Database, encoder: Encoder) -> None:
    fill(db, encoder, [
        {"id": "a", "name": "Travel mug", "brand": "Hydra"},
        {"id": "b", "name": "Travel mug", "brand": "Sonora"},
    ])  # fmt: skip
    assert ids(find(db, encoder, SearchRequest(text="sonora mug")))[0] == "b"
    assert ids(find(db, encoder, SearchRequest(text="hydra mug")))[0] == "a"


def test_an_empty_shop_answers_nothing(db: Database, encoder: Encoder) -> None:
    result = find(db, encoder, SearchRequest(text="sofa"))
    assert (result.total, result.hits, result.total_is_exact) == (0, [], True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=80))
def test_whatever_is_typed_is_answered(shop: Database, encoder: Encoder, text: str) -> None:
    result = find(shop, encoder, SearchRequest(text=text))
    assert result.total >= len(result.hits)
    assert all(0 <= hit.score <= 1 and hit.matched for hit in result.hits)


def test_similar_products_are_described_alike(shop: Database, encoder: Encoder) -> None:
    alike = similar(shop, encoder, "p000", limit=5)
    assert [one.product.category for one in alike] == ["Home > Furniture > Sofas"] * 5
    assert "p000" not in [one.product.id for one in alike]
    assert alike[0].reason == "Also in Sofas and also by Nordholm"
    assert [one.score for one in alike] == sorted((one.score for one in alike), reverse=True)


def test_wide_and_narrow_filters_give_the_same_as_looking_at_everything(db: Database, encoder: Encoder) -> None:
    # 4,000 products: half of them pass, which the graph answers; a handful pass, which are compared one by one.
    rows = [
        {**row, "id": f"{row['id']}-{copy}", "price": 100 * copy + number, "name": f"{row['name']} {copy}"}
        for copy in range(66)
        for number, row in enumerate(products())
    ]
    fill(db, encoder, rows)
    assert one_value(db, "SELECT count(*) FROM product_embeddings") == len(rows)
    for filters in (Filters(price_min=3000), Filters(price_min=6500)):
        result = find(db, encoder, SearchRequest(text="red sofa small", filters=filters, limit=100))
        assert result.total > 0
        assert all((hit.product.price or 0) >= (filters.price_min or 0) for hit in result.hits)
        assert result.hits[0].product.name.startswith("Red sofa small")


def _passes(product_id: str, filters: Filters) -> bool:
    row = next(row for row in products() if row["id"] == product_id)
    return (
        (not filters.categories or row["category"].lower() in filters.categories)
        and (not filters.brands or row["brand"].lower() in filters.brands)
        and (filters.price_min is None or row["price"] >= filters.price_min)
        and (filters.price_max is None or row["price"] <= filters.price_max)
        and (not filters.in_stock or row["stock"] > 0)
        and (filters.rating_min is None or row["rating"] >= filters.rating_min)
    )
