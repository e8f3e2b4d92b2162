"""Pages of one search neither repeat nor skip, whatever happens to the catalogue between them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, SearchResult, find
from shop.search.catalogue import catalog
from shop.search.catalogue.forget import forget
from shop.search.queries.filters import Filters
from shop.search.vectors.embed import embed
from tests.shop.search.made import fill, one_value, products, stock


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder)
    return db


def ids(result: SearchResult) -> list[str]:
    return [hit.product.id for hit in result.hits]


def page_through(
    shop: Database, encoder: Encoder, request: SearchRequest, between: Callable[[int], None]
) -> list[list[str]]:
    pages: list[list[str]] = []
    after = None
    while not pages or after is not None:
        page = find(shop, encoder, replace(request, after=after))
        pages.append(ids(page))
        after = page.next_place
        between(len(pages))
    return pages


@pytest.mark.parametrize("sort", ["relevance", "price_asc", "newest"])
def test_prices_words_and_newcomers_move_nothing(shop: Database, encoder: Encoder, sort: Any) -> None:
    request = SearchRequest(text="red", sort=sort, limit=4)
    whole = ids(find(shop, encoder, replace(request, limit=100)))

    def churn(number: int) -> None:
        row = products()[number]
        stock(
            shop,
            [
                {**row, "price": 99_999 - number, "name": f"Red red red thing {number}"},
                {**row, "id": f"new{number}", "name": "Red red red", "price": number},
            ],
        )
        embed(shop, encoder)

    assert [one for page in page_through(shop, encoder, request, churn) for one in page] == whole


def test_what_leaves_the_shop_or_the_filter_is_passed_over_and_pages_stay_full(
    shop: Database, encoder: Encoder
) -> None:
    request = SearchRequest(text="red", sort="price_asc", limit=4, filters=Filters(price_max=5000))
    whole = ids(find(shop, encoder, replace(request, limit=100)))
    gone, dearer = whole[5], whole[6]

    def leave(number: int) -> None:
        if number == 1:
            catalog.retire(shop, gone)
            row = next(row for row in products() if row["id"] == dearer)
            stock(shop, [{**row, "price": 9000}])

    pages = page_through(shop, encoder, request, leave)
    assert [one for page in pages for one in page] == [one for one in whole if one not in {gone, dearer}]
    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)


def test_a_price_read_from_the_query_holds_on_every_page(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red under 40 euros", limit=3)
    pages = page_through(shop, encoder, request, lambda _number: None)
    prices = {row["id"]: row["price"] for row in products()}
    assert len(pages) > 1
    assert all(prices[one] <= 4000 for page in pages for one in page)


def test_a_list_that_is_no_longer_kept_goes_on_behind_its_last_product(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red", limit=4)
    whole = ids(find(shop, encoder, replace(request, limit=100)))
    first = find(shop, encoder, request)
    with shop.transaction() as tx:
        tx.execute("UPDATE search_lists SET made_at = now() - interval '2 hours'")
    assert forget(shop)["lists"] == 1
    second = find(shop, encoder, replace(request, after=first.next_place))
    assert ids(second) == whole[4:8]
    assert second.search_id == first.search_id
    catalog.retire(shop, ids(first)[-1])
    assert ids(find(shop, encoder, replace(request, after=first.next_place)))[0] in whole[4:6]


def test_every_page_tells_the_same_of_the_whole(shop: Database, encoder: Encoder) -> None:
    request = SearchRequest(text="red sofa", limit=4)
    first = find(shop, encoder, request)
    second = find(shop, encoder, replace(request, after=first.next_place))
    assert (second.total, second.total_is_exact, second.facets) == (first.total, first.total_is_exact, first.facets)
    assert second.interpreted == first.interpreted


def test_a_search_of_one_page_keeps_no_list(shop: Database, encoder: Encoder) -> None:
    find(shop, encoder, SearchRequest(text="red", limit=100))
    assert one_value(shop, "SELECT count(*) FROM search_lists") == 0
