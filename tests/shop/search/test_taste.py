"""What a person had before moves products a little, and only where the query leaves it open."""

from datetime import UTC, datetime, timedelta

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, SearchResult, find
from tests.shop.search.made import fill, products


@pytest.fixture(name="shop")
def _shop(db: Database, encoder: Encoder) -> Database:
    """A visitor looked at four green things that are no sofas."""
    fill(db, encoder)
    seen = [row["id"] for row in products() if row["attributes"]["color"] == "green" and "sofa" not in row["name"]][:4]
    with db.transaction() as tx:
        for age, product_id in enumerate(seen):
            tx.execute(
                "INSERT INTO user_interests (person, product_id, kind, last_at) VALUES ('v:vis_1', %(id)s, 2, %(at)s)",
                {"id": product_id, "at": datetime.now(UTC) - timedelta(days=age)},
            )
    return db


def liked(result: SearchResult) -> list[float]:
    return [
        hit.explanation.parts["personal"]
        for hit in result.hits
        if hit.explanation is not None and "personal" in hit.explanation.parts
    ]


def test_it_counts_for_the_one_who_had_it_and_is_told(shop: Database, encoder: Encoder) -> None:
    mine = find(shop, encoder, SearchRequest(text="something to sit on", visitor_id="vis_1", explain=True))
    assert all(0 < part <= 0.06 for part in liked(mine))
    assert liked(mine)


@pytest.mark.parametrize(
    "request_",
    [
        SearchRequest(text="something to sit on", visitor_id="vis_2", explain=True),
        SearchRequest(text="something to sit on", visitor_id="vis_1", personal=False, explain=True),
        SearchRequest(text="something to sit on", explain=True),
        SearchRequest(text="nordholm sofa", visitor_id="vis_1", explain=True),
        SearchRequest(text="sofa 3000", visitor_id="vis_1", explain=True),
    ],
)
def test_it_counts_for_nobody_else_and_not_against_a_brand_or_number(
    shop: Database, encoder: Encoder, request_: SearchRequest
) -> None:
    assert liked(find(shop, encoder, request_)) == []


def test_what_is_sold_out_comes_after_its_equal(db: Database, encoder: Encoder) -> None:
    rows = [{"id": f"m{number}", "name": "Travel mug", "stock": stock} for number, stock in enumerate((0, 5))]
    fill(db, encoder, rows)
    assert [hit.product.id for hit in find(db, encoder, SearchRequest(text="travel mug")).hits] == ["m1", "m0"]


def test_what_many_people_had_comes_before_its_equal(db: Database, encoder: Encoder) -> None:
    fill(db, encoder, [{"id": "m0", "name": "Travel mug"}, {"id": "m1", "name": "Travel mug"}])
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO item_neighbours (relation, product_id, neighbour_ids, scores, support, built_at)
            VALUES ('also', 'm1', '{}', '{}', 100, now())
            """
        )
    assert [hit.product.id for hit in find(db, encoder, SearchRequest(text="travel mug")).hits] == ["m1", "m0"]
