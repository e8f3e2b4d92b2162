"""What became of searches: joined to the right one, once, and counted as it was."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.database import Database
from shop.search.analytics import RangeTooLong, SearchAnalytics, analytics
from shop.search.catalogue import forget
from shop.search.learning.learn import learn
from shop.search.queries.log import Search, insert_search
from tests.shop.search.made import CountingEncoder, fill, one_value, products

NOW = datetime.now(UTC)
UTC_ZONE = ZoneInfo("UTC")
A, B, C = (product["id"] for product in products()[1:4])


def searched(db: Database, search_id: str, query: str = "sofa", *, hours_ago: float = 2, **more: Any) -> None:
    """By the visitor vis_me, who was shown A, B and C, unless told otherwise."""
    values: dict[str, Any] = {
        "id": search_id, "customer_id": None, "visitor_id": "vis_me", "query": query, "normalised": query,
        "interpreted": {}, "filters": {}, "sort": "relevance", "mode": "hybrid", "total": 3, "total_is_exact": True,
        "first_products": [A, B, C], "ranker": "test", "degraded": False, "took_ms": 10.0, **more,
    }  # fmt: skip
    with db.transaction() as tx:
        insert_search(tx, Search(**values))
        tx.execute(
            "UPDATE search_queries SET searched_at = %(at)s WHERE id = %(id)s",
            {"at": NOW - timedelta(hours=hours_ago), "id": search_id},
        )


def did(
    db: Database, name: str, product_id: str, search_id: str | None = None, *, hours_ago: float = 1.9, **more: Any
) -> None:
    values = {
        "event": uuid.uuid4(), "name": name, "ts": NOW - timedelta(hours=hours_ago), "product": product_id,
        "search": search_id, "visitor": "vis_me", "user": None, "position": None, "bot": 0, **more,
    }  # fmt: skip
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO events (event_id, name, source, ts, ts_client, received_at, clock, visitor_id, user_id,
                                product_id, search_id, position, bot_score, fingerprint)
            VALUES (%(event)s, %(name)s, 'web', %(ts)s, %(ts)s, %(ts)s, 'as_sent', %(visitor)s, %(user)s, %(product)s,
                    %(search)s, %(position)s, %(bot)s, 1)
            """,
            values,
        )


def ordered(db: Database, number: int, *product_ids: str, hours_ago: float = 1, refunded: int = 0) -> str:
    """By vis_me as cus_me, 1000 minor units a line, paid."""
    order_id, total = f"ord_{number}", 1000 * len(product_ids)
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO orders (id, customer_id, visitor_id, cart_id, status, currency, subtotal_minor, total_minor,
                                amount_captured, amount_refunded, expires_at, created_at, paid_at)
            VALUES (%(id)s, 'cus_me', 'vis_me', 'cart', 'paid', 'eur', %(total)s, %(total)s, %(total)s, %(refunded)s,
                    now(), %(at)s, now())
            """,
            {"id": order_id, "total": total, "refunded": refunded, "at": NOW - timedelta(hours=hours_ago)},
        )
        for place, product_id in enumerate(product_ids, start=1):
            tx.execute(
                """
                INSERT INTO order_lines (id, order_id, position, product_id, name, quantity, unit_price_minor,
                                         total_minor)
                VALUES (%(id)s, %(order)s, %(place)s, %(product)s, 'thing', 1, 1000, 1000)
                """,
                {"id": f"l_{number}_{place}", "order": order_id, "place": place, "product": product_id},
            )
    return order_id


def outcomes(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute(
            """
            SELECT search_id, product_id, position, carted_at IS NOT NULL, order_id
              FROM search_outcomes ORDER BY search_id, product_id
            """
        ).fetchall()


def numbers(db: Database, *, currency: str = "eur", **span: date) -> SearchAnalytics:
    first, last = span.get("first", NOW.date() - timedelta(days=1)), NOW.date() + timedelta(days=1)
    return analytics(db, CountingEncoder(), first=first, last=last, zone=UTC_ZONE, currency=currency, limit=10)


def test_a_click_a_cart_and_an_order_come_to_the_search_they_came_from(db: Database) -> None:
    searched(db, "sch_1")
    did(db, "search_click", B, "sch_1", position=7)
    did(db, "cart_add", B, hours_ago=1.5)
    order_id = ordered(db, 1, B)
    assert learn(db) == {"clicks": 1, "carts": 1, "orders": 1, "synonyms": 0, "boosts": 0}
    assert outcomes(db) == [("sch_1", B, 2, True, order_id)]  # its place by the log, whatever the page says
    assert learn(db) == {"clicks": 0, "carts": 0, "orders": 0, "synonyms": 0, "boosts": 0}
    assert outcomes(db) == [("sch_1", B, 2, True, order_id)]


def test_the_last_search_before_counts_and_an_order_only_once(db: Database) -> None:
    for number, hours_ago in enumerate((5.0, 3.0, 0.5), start=1):
        searched(db, f"sch_{number}", hours_ago=hours_ago)
        did(db, "search_click", A, f"sch_{number}", hours_ago=hours_ago - 0.1)
    order_id = ordered(db, 1, A, hours_ago=2)
    learn(db)
    assert [(row[0], row[4]) for row in outcomes(db)] == [("sch_1", None), ("sch_2", order_id), ("sch_3", None)]
    with db.transaction() as tx:  # a click of before that arrives late changes nothing any more
        tx.execute("UPDATE search_outcomes SET clicked_at = now() - interval '150 minutes' WHERE search_id = 'sch_3'")
    learn(db)
    assert [row[4] for row in outcomes(db)] == [None, order_id, None]


def test_what_came_too_late_was_not_the_search(db: Database) -> None:
    searched(db, "sch_1", hours_ago=24 * 9)
    did(db, "search_click", A, "sch_1", hours_ago=24 * 9 - 1)
    did(db, "cart_add", A)
    ordered(db, 1, A)
    assert learn(db) == {"clicks": 1, "carts": 0, "orders": 0, "synonyms": 0, "boosts": 0}


@pytest.mark.parametrize(
    "odd",
    [{"visitor": "vis_else"}, {"bot": 90}, {"name": "page_view"}, {"search_id": "sch_9"}, {"hours_ago": -48}],
)
def test_clicks_of_others_of_machines_and_of_other_times_do_not_count(db: Database, odd: dict[str, Any]) -> None:
    searched(db, "sch_1")
    values: dict[str, Any] = {"name": "search_click", "product_id": A, "search_id": "sch_1", **odd}
    did(db, **values)
    assert learn(db)["clicks"] == 0


def test_a_customer_is_known_in_another_browser(db: Database) -> None:
    searched(db, "sch_1", visitor_id=None, customer_id="cus_me")
    did(db, "product_view", C, "sch_1", visitor="vis_phone", user="cus_me")
    ordered(db, 1, C)
    assert learn(db) == {"clicks": 1, "carts": 0, "orders": 1, "synonyms": 0, "boosts": 0}


def test_the_numbers_are_those_of_what_happened(db: Database) -> None:
    for number in range(4):
        searched(db, f"sch_{number}", took_ms=10.0 * (number + 1))
    did(db, "search_click", A, "sch_0")
    did(db, "search_click", C, "sch_0")
    did(db, "search_click", B, "sch_1")
    did(db, "cart_add", B)
    ordered(db, 1, B, C, refunded=500)
    searched(db, "sch_9", "unicorn", total=0, first_products=[])
    learn(db)
    found = numbers(db)
    totals = found.totals
    assert (totals.searches, totals.without_result, totals.unclicked, totals.clicked) == (5, 1, 2, 2)
    assert (totals.carted, totals.bought) == (1, 2)
    assert totals.reciprocal == pytest.approx((1 + 1 / 2) / 2)
    assert totals.sold == 1500  # two lines of 1000, of which a quarter was given back
    assert (found.latency.p50_ms, found.latency.p99_ms) == (
        pytest.approx(20.0, rel=0.01),
        pytest.approx(40.0, rel=0.01),
    )
    assert found.lost == round(1500 / 4)
    assert [(row.query, row.searches, row.sold) for row in found.top] == [("sofa", 4, 1500), ("unicorn", 1, 0)]
    assert [row.query for row in found.unclicked] == ["sofa"]
    assert [one.row.query for one in found.without_result] == ["unicorn"]
    assert numbers(db, currency="usd").totals.sold == 0
    assert numbers(db, first=NOW.date() + timedelta(days=1)).totals.searches == 0


def test_queries_that_earn_less_than_others_are_told_with_what_they_cost(db: Database) -> None:
    for number in range(5):
        searched(db, f"sch_s{number}", "sofa")
        searched(db, f"sch_k{number}", "knife")
    searched(db, "sch_rare", "rare")
    did(db, "search_click", A, "sch_s0")
    ordered(db, 1, A)
    learn(db)
    assert [(row.query, row.lost) for row in numbers(db).losing] == [("knife", round(5 * 1000 / 11))]


def test_what_would_have_matched_is_told_without_the_filter_that_hid_it(db: Database) -> None:
    fill(db, CountingEncoder(), products()[:5])
    # The made encoder finds nothing but the very text a product was embedded with.
    encoder = CountingEncoder()
    fill(db, encoder, [{**products()[0], "id": "hidden", "name": "Hidden thing", "description": ""}])
    searched(db, "sch_1", encoder.texts[-1], total=0)
    day = NOW.date()
    found = analytics(
        db, encoder, first=day - timedelta(days=1), last=day, zone=UTC_ZONE, currency="eur", limit=5
    ).without_result
    assert [(near.product_id, near.name) for near in found[0].would_match] == [("hidden", "Hidden thing")]


def test_old_searches_go_with_what_became_of_them(db: Database) -> None:
    searched(db, "sch_old", hours_ago=24 * 20)
    did(db, "search_click", A, "sch_old", hours_ago=24 * 20 - 1)
    searched(db, "sch_new")
    did(db, "search_click", A, "sch_new")
    learn(db)
    assert forget.forget(db, searches_days=10)["searches"] == 1
    assert [row[0] for row in outcomes(db)] == ["sch_new"]


def test_what_became_of_a_persons_searches_is_erased_with_them(db: Database) -> None:
    searched(db, "sch_1")
    did(db, "search_click", A, "sch_1")
    learn(db)
    assert one_value(db, "SELECT forget_searches(NULL, ARRAY['vis_me'])") == 1
    assert outcomes(db) == []


def test_too_long_a_range_is_refused(db: Database) -> None:
    with pytest.raises(RangeTooLong):
        numbers(db, first=NOW.date() - timedelta(days=500))
