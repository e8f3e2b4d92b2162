"""What search promises of every query, tried with hundreds that nobody thought of."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.asked import SearchResult
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.known import Knowledge
from shop.search.catalogue.catalog import retire
from shop.search.queries.filters import Filters
from shop.search.suggesting.suggest import suggest
from tests.shop.search.made import COLOURS, KINDS, SIZES, fill, products, stock

WORDS = (
    "without",
    "no",
    "under",
    "20",
    "euros",
    "not",
    "-cushions",
    "cheap",
    "leather",
    "steel",
    "trail",
    "sofaa",
    "hed",
)
SORTS: tuple[Any, ...] = ("relevance", "price_asc", "price_desc", "rating", "newest")
MODES: tuple[Any, ...] = ("hybrid", "semantic", "lexical")


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder, [*products(), *({**one, "id": f"x{one['id']}", "price": None} for one in products()[::7])])
    suggest(db)
    return db


def test_no_filter_is_ever_violated_and_nothing_that_left_is_shown(shop: Database, encoder: Encoder) -> None:
    draw, knowledge = random.Random(11), Knowledge()
    for number in draw.sample(range(60), 12):
        retire(shop, f"p{number:03}")
    here = _here(shop)
    seen = 0
    for _ in range(150):
        filters = _filters(draw)
        request = SearchRequest(
            text=_text(draw), filters=filters, sort=draw.choice(SORTS), mode=draw.choice(MODES), limit=50
        )
        for result in _all_pages(shop, encoder, request, knowledge):
            for hit in result.hits:
                assert hit.product.id in here, request
                assert _passes(here[hit.product.id], filters), request
                seen += 1
    assert seen > 250


def test_pages_never_repeat_and_never_skip_whatever_happens_between_them(shop: Database, encoder: Encoder) -> None:
    draw, knowledge = random.Random(3), Knowledge()
    for turn in range(12):
        request = SearchRequest(text=draw.choice(("red sofa", "bottle", "knife", "leather belt", "green")), limit=4)
        request = _with(request, sort=draw.choice(SORTS))
        whole = [hit.product.id for hit in find(shop, encoder, _with(request, limit=50), knowledge).hits]
        shown: list[str] = []
        gone: set[str] = set()
        place = None
        while True:
            result = find(shop, encoder, _with(request, after=place), knowledge)
            shown += [hit.product.id for hit in result.hits]
            place = result.next_place
            if place is None:
                break
            gone |= _something_happens(shop, draw, whole, turn)
        assert len(shown) == len(set(shown)), request
        left_out = [one for one in whole if one not in shown]
        assert set(left_out) <= gone, request
        assert [one for one in shown if one in whole] == [one for one in whole if one in shown], request


def test_a_query_of_words_that_products_have_is_never_respelt(shop: Database, encoder: Encoder) -> None:
    draw, knowledge = random.Random(8), Knowledge()
    written = sorted({word for one in products() for word in f"{one['name']} {one['description']}".lower().split()})
    for _ in range(120):
        text = " ".join(draw.sample(written, draw.randint(1, 4)))
        result = find(shop, encoder, SearchRequest(text=text, mode="lexical", limit=1), knowledge)
        assert result.corrected is None, text


def _here(db: Database) -> dict[str, Any]:
    with db.transaction() as tx:
        rows = tx.execute(
            "SELECT id, lower(category), lower(brand), price, available, rating FROM products WHERE active"
        )
        return {row[0]: row[1:] for row in rows.fetchall()}


def _text(draw: random.Random) -> str:
    words = [*(kind[0] for kind in KINDS.values()), *(kind[2] for kind in KINDS.values()), *COLOURS, *SIZES, *WORDS]
    return " ".join(draw.sample(words, draw.randint(1, 4)))


def _filters(draw: random.Random) -> Filters:
    low = draw.choice((None, 1500, 3000))
    return Filters(
        categories=draw.choice(((), (), ("home > furniture > sofas",), ("clothing > belts", "sports > bottles"))),
        brands=draw.choice(((), (), ("hydra",), ("nordholm", "gurt & co"))),
        price_min=low,
        price_max=draw.choice((None, (low or 0) + 1000, 6000)),
        in_stock=draw.choice((False, False, True)),
        rating_min=draw.choice((None, None, 3.0)),
    )


def _passes(row: tuple[Any, ...], filters: Filters) -> bool:
    category, brand, price, available, rating = row
    return (
        (not filters.categories or any(category.startswith(one) for one in filters.categories))
        and (not filters.brands or brand in filters.brands)
        and (filters.price_min is None or (price is not None and price >= filters.price_min))
        and (filters.price_max is None or (price is not None and price <= filters.price_max))
        and (not filters.in_stock or available)
        and (filters.rating_min is None or rating >= filters.rating_min)
    )


def _all_pages(db: Database, encoder: Encoder, request: SearchRequest, knowledge: Knowledge) -> Iterator[SearchResult]:
    while True:
        result = find(db, encoder, request, knowledge)
        yield result
        if result.next_place is None:
            return
        request = _with(request, after=result.next_place)


def _something_happens(db: Database, draw: random.Random, whole: list[str], turn: int) -> set[str]:
    """A product leaves, has another price, or is new. Which of them left."""
    what, product_id = draw.randrange(3), draw.choice(whole)
    row = next((one for one in products() if one["id"] == product_id), None)
    if what == 0:
        retire(db, product_id)
        return {product_id}
    if what == 1 and row is not None:
        stock(
            db,
            [{**row, "price": draw.randint(1, 9000), "rating": draw.randint(1, 5), "active": product_id in _here(db)}],
        )
    if what == 2:
        stock(db, [{**products()[draw.randrange(60)], "id": f"new{turn}-{draw.randrange(10**6)}"}])
    return set()


def _with(request: SearchRequest, **changes: Any) -> SearchRequest:
    return replace(request, **changes)
