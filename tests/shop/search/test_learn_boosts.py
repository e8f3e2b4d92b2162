"""What clicks teach: freed of places, bounded, fading, and without a say before it has won its trial."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from db.database import Database
from shop.search.answering.find import SearchRequest, SearchResult, find
from shop.search.answering.rank import Ranked
from shop.search.learning import click_model
from shop.search.learning.learn import learn
from shop.search.learning.learn_boosts import build_boosts
from shop.search.learning.learned import draft
from shop.search.learning.learning import NotProven, standing, switch
from shop.search.merchandise import save_pins
from shop.search.queries import boosts as queries
from shop.search.queries import outcomes
from shop.search.recommending.objections import choose
from tests.shop.search.made import CountingEncoder, one_value, products, stock
from tests.shop.search.test_learn import A, B, C, did, searched

SOFAS = SearchRequest(text="sofa", mode="lexical", explain=True)


def clicked(
    db: Database, product_id: str, *, times: int = 30, people: int = 30, days_ago: float = 0, **more: Any
) -> None:
    """Searches for sofas, in which A, B and C were shown and one was clicked."""
    for number in range(times):
        visitor, search_id = f"vis_{number % people}", f"sch_{days_ago}_{product_id}_{number}"
        searched(db, search_id, visitor_id=visitor, hours_ago=2 + 24 * days_ago, **more)
        did(db, "search_click", product_id, search_id, visitor=visitor, hours_ago=1.9 + 24 * days_ago)


def boosts(db: Database) -> dict[str, float]:
    with db.transaction() as tx:
        return dict(tx.execute("SELECT product_id, boost FROM search_boosts WHERE query = 'sofa'").fetchall())


def ids(result: SearchResult) -> list[str]:
    return [hit.product.id for hit in result.hits]


def won(db: Database, *, searches: int, by: str) -> None:
    """Searches of a trial in which the product of that list was clicked; A's came first."""
    with db.transaction() as tx:
        for number in range(searches):
            values = {"id": f"sch_{by}_{number}", "position": 1 if by == "A" else 2}
            tx.execute(
                """
                INSERT INTO search_queries (id, query, normalised, sort, mode, total, total_is_exact, ranker, took_ms,
                                            teams)
                VALUES (%(id)s, 'x', 'x', 'relevance', 'hybrid', 2, true, 'test', 1, 'AB')
                """,
                values,
            )
            tx.execute(
                """
                INSERT INTO search_outcomes (search_id, product_id, searched_at, position, clicked_at)
                VALUES (%(id)s, 'p', now(), %(position)s, now())
                """,
                values,
            )


def test_places_are_taken_out_of_clicks() -> None:
    looked, likes = np.array([1.0, 0.5, 0.2]), np.array([0.2, 0.4, 0.6])
    pairs, places = (axis.ravel() for axis in np.meshgrid(np.arange(3), np.arange(3), indexing="ij"))
    # The best product is nearly always last, the worst first: by clicks alone they change places.
    shown = np.array([[900, 50, 50], [100, 800, 100], [50, 50, 900]], float).ravel() * 100
    attraction, seen = click_model.fit(pairs, places, shown, shown * looked[places] * likes[pairs])
    assert attraction == pytest.approx(likes, abs=0.01)
    assert seen == pytest.approx(looked, abs=0.01)


def test_few_clicks_do_not_make_a_later_place_more_looked_at_than_an_earlier_one() -> None:
    pairs, places = np.arange(4), np.arange(4)
    _, seen = click_model.fit(pairs, places, np.full(4, 10.0), np.array([3.0, 0.0, 2.0, 1.0]))
    assert seen[0] == 1
    assert all(np.diff(seen) <= 0)


def test_what_people_choose_is_lifted_what_they_pass_over_sinks_both_within_bounds(db: Database) -> None:
    clicked(db, C)
    assert learn(db)["boosts"] == 3
    found = boosts(db)
    assert 0.01 <= found[C] <= 0.15
    # Who clicks the third has looked at both before it: no place is looked at more than those above.
    assert -0.05 <= found[A] <= -0.01
    assert -0.05 <= found[B] <= -0.01
    assert learn(db)["boosts"] == 0  # once a day


def test_two_that_make_boosts_at_once_do_so_one_after_the_other(db: Database) -> None:
    clicked(db, C)
    learn(db)
    made: list[int] = []
    other = threading.Thread(target=lambda: made.append(build_boosts(db, built_at=datetime.now(UTC))))
    with db.transaction() as tx:
        outcomes.lock(tx)
        other.start()
        for _ in range(1000):
            if one_value(db, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
                break
            time.sleep(0.01)
        queries.replace_boosts(tx, [queries.Boost("sofa", C, 0.1, 0.5, 3)], built_at=datetime.now(UTC))
    other.join()
    assert made == [3]
    assert len(boosts(db)) == 3


@pytest.mark.parametrize("more", [{"people": 2}, {"times": 10}, {"days_ago": 100}, {"sort": "price_asc"}])
def test_few_people_few_searches_and_old_ones_lift_nothing(db: Database, more: dict[str, Any]) -> None:
    clicked(db, C, **more)
    learn(db)
    assert C not in boosts(db)


def test_a_person_who_repeats_it_teaches_once_a_day(db: Database) -> None:
    clicked(db, C)
    learn(db)
    before = boosts(db)
    clicked(db, B, times=80, people=1, days_ago=1)  # another product, all day long
    with db.transaction() as tx:
        tx.execute("DELETE FROM search_marks WHERE name = 'learn.built'")
    learn(db)
    assert boosts(db)[C] == pytest.approx(before[C], abs=0.01)
    assert B not in {product for product, boost in boosts(db).items() if boost > 0}


def test_machines_teach_nothing_even_unseen_ones(db: Database) -> None:
    clicked(db, C)
    for number in range(201):  # without a click, as a crawler does it
        searched(db, f"sch_bot_{number}", visitor_id="vis_bot", hours_ago=2)
    clicked(db, B, times=30, days_ago=1)
    learn(db)
    found = one_value(db, "SELECT attraction FROM search_boosts WHERE query = 'sofa' AND product_id = %(id)s", id=C)
    with db.transaction() as tx:
        tx.execute("DELETE FROM search_queries WHERE visitor_id = 'vis_bot'")
        tx.execute("DELETE FROM search_marks WHERE name = 'learn.built'")
    learn(db)
    assert found == pytest.approx(
        one_value(db, "SELECT attraction FROM search_boosts WHERE query = 'sofa' AND product_id = %(id)s", id=C),
        abs=1e-4,
    )


def test_who_said_no_teaches_nothing(db: Database) -> None:
    clicked(db, C)
    for number in range(30):
        choose(db, customer_id=None, visitor_id=f"vis_{number}", allowed=False)
    assert learn(db)["boosts"] == 0
    assert learn(db)["clicks"] == 0  # they were counted all the same


def test_a_click_without_consent_to_personalisation_counts_and_teaches_nothing(db: Database) -> None:
    clicked(db, C)
    with db.transaction() as tx:
        tx.execute("UPDATE events SET consent = 2")
    assert learn(db)["clicks"] == 30
    assert C not in boosts(db)


def test_searches_of_nobody_known_teach_nothing(db: Database) -> None:
    clicked(db, C)
    with db.transaction() as tx:
        tx.execute("UPDATE search_queries SET visitor_id = NULL")
    assert learn(db)["boosts"] == 0


def test_boosts_that_are_not_made_again_fade(shop: Database) -> None:
    with shop.transaction() as tx:
        tx.execute("UPDATE search_learning SET state = 'on'")
        _, fresh = queries.counting(tx, "sofa", half_life=30)
        tx.execute("UPDATE search_boosts SET built_at = now() - interval '30 days'")
        _, old = queries.counting(tx, "sofa", half_life=30)
    assert fresh
    assert old == pytest.approx({product: boost / 2 for product, boost in fresh.items()}, rel=0.01)


def test_a_newer_choice_outweighs_an_older_one(db: Database) -> None:
    clicked(db, C)
    clicked(db, B, days_ago=20)
    learn(db)
    found = boosts(db)
    assert found[C] > found.get(B, 0.0)


@pytest.fixture(name="shop")
def _shop(db: Database) -> Database:
    """Twelve sofas, of which the last one in the list is what everybody clicks."""
    stock(db, products())
    shown = ids(find(db, CountingEncoder(), SOFAS))
    clicked(db, shown[9], first_products=shown[:10], total=12)
    learn(db)
    return db


def test_nothing_moves_while_it_is_off_and_on_needs_a_trial_that_was_won(shop: Database) -> None:
    before = ids(find(shop, CountingEncoder(), SOFAS))
    assert standing(shop).learning.state == "off"
    assert "learned" not in {
        name for hit in find(shop, CountingEncoder(), SOFAS).hits if hit.explanation for name in hit.explanation.parts
    }
    with pytest.raises(NotProven):
        switch(shop, "on", changed_by="adm_1")
    won(shop, searches=90, by="B")
    won(shop, searches=60, by="A")
    assert standing(shop).proven
    with shop.transaction() as tx:
        tx.execute(
            """
            INSERT INTO search_replays (id, candidate, days, most_queries, ended_at, summary, passed)
            VALUES ('rpl_1', 'learned', 28, 200, now(), '{}', true)
            """
        )
    assert switch(shop, "on", changed_by="adm_1").learning.state == "on"
    after = find(shop, CountingEncoder(), SOFAS)
    assert ids(after).index(before[9]) < 9
    assert sorted(ids(after)) == sorted(before)
    lifted = next(hit.explanation for hit in after.hits if hit.product.id == before[9])
    assert lifted is not None
    assert 0 < lifted.parts["learned"] <= 0.15
    ranker = "SELECT ranker FROM search_queries WHERE id = %(id)s"
    assert str(one_value(shop, ranker, id=after.search_id)).endswith("+learned")
    switch(shop, "off", changed_by="adm_1")
    assert ids(find(shop, CountingEncoder(), SOFAS)) == before


@pytest.mark.parametrize(("b", "a"), [(60, 30), (80, 70), (70, 80)])
def test_few_close_and_lost_trials_prove_nothing(db: Database, b: int, a: int) -> None:
    won(db, searches=b, by="B")
    won(db, searches=a, by="A")
    found = standing(db)
    assert (found.wins.won, found.wins.lost, found.proven) == (b, a, False)
    with pytest.raises(NotProven):
        switch(db, "on", changed_by="adm_1")


def test_in_a_trial_both_lists_take_turns_and_the_log_says_whose_each_place_was(shop: Database) -> None:
    before = ids(find(shop, CountingEncoder(), SOFAS))
    switch(shop, "trial", changed_by="adm_1")
    result = find(shop, CountingEncoder(), SOFAS)
    assert sorted(ids(result)) == sorted(before)
    teams = str(one_value(shop, "SELECT teams FROM search_queries WHERE id = %(id)s", id=result.search_id))
    assert len(teams) == 10
    assert all(sorted(teams[place : place + 2]) == ["A", "B"] for place in range(0, 10, 2))
    second = find(shop, CountingEncoder(), SearchRequest(text="sofa", mode="lexical", limit=4))
    assert second.next_place is not None
    rest = SearchRequest(text="sofa", mode="lexical", limit=20, after=second.next_place)
    pages = [*ids(second), *ids(find(shop, CountingEncoder(), rest))]
    assert sorted(pages) == sorted(before)
    other = find(shop, CountingEncoder(), SearchRequest(text="blue belt", mode="lexical"))
    assert one_value(shop, "SELECT teams FROM search_queries WHERE id = %(id)s", id=other.search_id) is None


def test_what_the_shop_pinned_stays_first_and_is_of_no_list(shop: Database) -> None:
    pinned = ids(find(shop, CountingEncoder(), SOFAS))[5]
    save_pins(shop, query="sofa", product_ids=[pinned], starts_at=None, ends_at=None)
    switch(shop, "trial", changed_by="adm_1")
    result = find(shop, CountingEncoder(), SOFAS)
    assert ids(result)[0] == pinned
    assert str(one_value(shop, "SELECT teams FROM search_queries WHERE id = %(id)s", id=result.search_id))[0] == "-"


def test_lists_that_begin_alike_have_no_teams() -> None:
    empty: list[Ranked] = []
    assert draft(empty, empty) == ([], "")
