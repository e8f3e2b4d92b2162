"""Synonyms and pins: what the shop decides holds from the next search on, in every process."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.database import Database
from shop.errors import NotFound
from shop.ports.encoder import Encoder
from shop.search import merchandise
from shop.search.answering.find import SearchRequest, SearchResult, find
from shop.search.answering.known import Knowledge
from shop.search.catalogue import catalog
from shop.search.merchandise import KeptAlready, NoSuchProduct, SaysNothing, save_pins, save_synonyms
from shop.search.queries.filters import Filters
from tests.shop.search.made import fill


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    fill(db, encoder)
    return db


def ids(result: SearchResult) -> list[str]:
    return [hit.product.id for hit in result.hits]


def lexical(shop: Database, encoder: Encoder, text: str, knowledge: Knowledge | None = None) -> int:
    return find(shop, encoder, SearchRequest(text=text, mode="lexical"), knowledge).total


def test_equal_synonyms_find_each_other_at_once_in_a_process_that_has_searched(
    shop: Database, encoder: Encoder
) -> None:
    knowledge = Knowledge()
    assert lexical(shop, encoder, "kicker canteen", knowledge) == 0
    saved = save_synonyms(shop, synonyms_id=None, kind="equal", terms_=["water bottle", "canteen"])
    assert lexical(shop, encoder, "canteen", knowledge) == 12
    assert lexical(shop, encoder, "green canteen", knowledge) >= 3
    assert (
        find(shop, encoder, SearchRequest(text="green canteen")).hits[0].product.name.startswith("Green water bottle")
    )
    merchandise.forget_synonyms(shop, saved.id)
    assert lexical(shop, encoder, "canteen", knowledge) == 0


def test_one_way_synonyms_do_not_lead_back(shop: Database, encoder: Encoder) -> None:
    save_synonyms(shop, synonyms_id=None, kind="one_way", terms_=["gift", "headphones", "belt"])
    assert lexical(shop, encoder, "gift") == 24
    assert lexical(shop, encoder, "belt") == 12


def test_suggested_and_dismissed_synonyms_are_not_applied(shop: Database, encoder: Encoder) -> None:
    for state in ("suggested", "dismissed"):
        save_synonyms(shop, synonyms_id=None, kind="equal", terms_=["belt", "girth"], state=state)  # type: ignore[arg-type]
        assert lexical(shop, encoder, "girth") == 0
    [kept] = merchandise.synonyms(shop, state="dismissed", before=None, limit=10)
    save_synonyms(shop, synonyms_id=kept.id, kind="equal", terms_=["belt", "girth"])
    assert lexical(shop, encoder, "girth") == 12


def test_the_same_synonyms_are_kept_once_and_nonsense_is_refused(shop: Database) -> None:
    first = save_synonyms(shop, synonyms_id=None, kind="equal", terms_=["Sofa", "couch"])
    again = save_synonyms(shop, synonyms_id=None, kind="equal", terms_=["couch", "sofa"])
    assert first.id == again.id
    other = save_synonyms(shop, synonyms_id=None, kind="equal", terms_=["sofa", "settee"])
    with pytest.raises(KeptAlready):
        save_synonyms(shop, synonyms_id=other.id, kind="equal", terms_=["sofa", "couch"])
    for terms in (["the", "sofa"], ["sofa", "sofas"], ["!", "?"]):
        with pytest.raises(SaysNothing):
            save_synonyms(shop, synonyms_id=None, kind="equal", terms_=terms)
    with pytest.raises(NotFound):
        save_synonyms(shop, synonyms_id="syn_nobody", kind="equal", terms_=["a1", "b2"])


def test_pins_come_first_in_their_order_and_say_so(shop: Database, encoder: Encoder) -> None:
    knowledge = Knowledge()
    request = SearchRequest(text="Red   SOFA", limit=100)
    before = find(shop, encoder, request, knowledge)
    save_pins(shop, query="red sofa", product_ids=["p030", "p002"], starts_at=None, ends_at=None)
    result = find(shop, encoder, request, knowledge)
    assert ids(result)[:2] == ["p030", "p002"]
    assert [hit.pinned for hit in result.hits[:3]] == [True, True, False]
    assert ids(result)[2:] == [one for one in ids(before) if one not in {"p030", "p002"}]
    assert result.total == len(ids(result)) == len({*ids(before), "p030", "p002"})
    assert sum(value.count for value in result.facets.category) == result.total
    merchandise.forget_pins(shop, pins_id=None, query="RED sofa")
    assert ids(find(shop, encoder, request, knowledge)) == ids(before)


def test_a_pin_passes_the_filters_or_is_not_shown(shop: Database, encoder: Encoder) -> None:
    save_pins(shop, query="red sofa", product_ids=["p030", "p002"], starts_at=None, ends_at=None)
    request = SearchRequest(text="red sofa", filters=Filters(brands=("nordholm",)), limit=100)
    assert ids(find(shop, encoder, request))[0] == "p002"
    assert "p030" not in ids(find(shop, encoder, request))
    catalog.retire(shop, "p002")
    assert "p002" not in ids(find(shop, encoder, request))


def test_pins_have_their_time(shop: Database, encoder: Encoder) -> None:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    request = SearchRequest(text="red sofa")
    for starts_at, ends_at, shown in (
        (now + hour, None, False),
        (None, now - hour, False),
        (now - hour, now + hour, True),
    ):
        save_pins(shop, query="red sofa", product_ids=["p030"], starts_at=starts_at, ends_at=ends_at)
        assert (ids(find(shop, encoder, request))[0] == "p030") is shown


def test_pins_stand_in_pages_once_and_not_in_another_order(shop: Database, encoder: Encoder) -> None:
    save_pins(shop, query="red", product_ids=["p059", "p030"], starts_at=None, ends_at=None)
    request = SearchRequest(text="red", limit=4)
    page = find(shop, encoder, request)
    found, pinned = ids(page), [hit.pinned for hit in page.hits]
    while page.next_place is not None:
        page = find(shop, encoder, replace(request, after=page.next_place))
        found, pinned = found + ids(page), pinned + [hit.pinned for hit in page.hits]
    assert len(found) == len(set(found)) == page.total
    assert pinned == [True, True] + [False] * (page.total - 2)
    cheapest = find(shop, encoder, replace(request, sort="price_asc"))
    prices = [hit.product.price for hit in cheapest.hits]
    assert prices == sorted(prices, key=lambda price: price or 0)


def test_only_products_of_the_shop_are_pinned(shop: Database) -> None:
    with pytest.raises(NoSuchProduct):
        save_pins(shop, query="red", product_ids=["p001", "nobody"], starts_at=None, ends_at=None)
    with pytest.raises(NotFound):
        merchandise.forget_pins(shop, pins_id="pin_nobody", query=None)
