"""Logged queries run again: what would change is told before it does, and nothing is switched on that loses."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from db.database import Database
from shop.errors import NotFound
from shop.search.answering.find import SearchRequest, find
from shop.search.learning.judging import BrokenJudgment, by_clicks, ndcg, take_judgments
from shop.search.learning.learn import learn
from shop.search.learning.learning import NotProven, standing, switch
from shop.search.learning.replay import replay
from shop.search.learning.replay_report import told
from shop.search.learning.replaying import ask, replay_of
from shop.search.queries import replays as queries
from shop.search.queries.replays import Candidate, Replay, Replayed
from tests.shop.search.made import CountingEncoder, one_value, products, stock
from tests.shop.search.test_learn import did, searched
from tests.shop.search.test_learn_boosts import won

ENCODER = CountingEncoder()


def first(db: Database, query: str) -> list[str]:
    request = SearchRequest(text=query, personal=False)
    return [hit.product.id for hit in find(db, ENCODER, request).hits[:10]]


def run(db: Database, candidate: Candidate = "learned", **more: object) -> tuple[Replay, dict[str, Replayed]]:
    replay_id, _ = ask(db, candidate, asked_by="adm_1", **more)  # pyright: ignore[reportArgumentType]
    replay(db, ENCODER, replay_id=replay_id)
    found, results = replay_of(db, replay_id, limit=100)
    return found, {one.query: one for one in results}


def clicked(db: Database, query: str, shown: list[str], product_id: str, *, days_ago: int, people: int = 30) -> None:
    for number in range(people):
        search_id, visitor = f"sch_{query}_{days_ago}_{number}", f"vis_{number}"
        searched(db, search_id, query, visitor_id=visitor, first_products=shown, total=12, hours_ago=24 * days_ago + 2)
        did(db, "search_click", product_id, search_id, visitor=visitor, hours_ago=24 * days_ago + 1.9)


@pytest.fixture(name="shop")
def _shop(db: Database) -> Database:
    """Everybody clicks the tenth sofa, three weeks ago and yesterday."""
    stock(db, products())
    shown = first(db, "sofa")
    for days_ago in (20, 1):
        clicked(db, "sofa", shown, shown[9], days_ago=days_ago)
    learn(db)
    return db


def test_what_older_clicks_teach_is_judged_by_newer_ones(shop: Database) -> None:
    shown = first(shop, "sofa")
    found, results = run(shop)
    sofa = results["sofa"]
    assert (found.queries, found.done) == (1, 1)
    assert (sofa.judged_by, sofa.first_before) == ("clicks", shown)
    assert sofa.first_after.index(shown[9]) < 9
    # The nine that everybody passed over sink, and what stood behind the tenth gets a place.
    assert sofa.overlap == len(set(sofa.first_after) & set(shown)) / 10
    assert 0.7 <= sofa.overlap < 1.0
    assert sofa.ndcg_before is not None
    assert sofa.ndcg_after is not None
    assert sofa.ndcg_after > sofa.ndcg_before
    assert sofa.moved == [{"product_id": shown[9], "before": 10, "after": sofa.first_after.index(shown[9]) + 1}]
    assert found.summary is not None
    assert (found.summary["won"], found.summary["lost"]) == (1, 0)
    assert found.summary["overlap"] == pytest.approx(sofa.overlap)
    assert found.passed is False  # one judged query says nothing


def test_what_was_clicked_in_the_judging_week_alone_teaches_nothing_there(db: Database) -> None:
    stock(db, products())
    shown = first(db, "sofa")
    clicked(db, "sofa", shown, shown[9], days_ago=1)
    learn(db)
    assert one_value(db, "SELECT count(*) FROM search_boosts WHERE boost > 0") == 1
    assert run(db)[1]["sofa"].first_after == shown


def test_nothing_of_a_replay_is_logged_and_rare_queries_are_in_none(shop: Database) -> None:
    searched(shop, "sch_mine", "letter of jane doe", visitor_id="vis_jane")
    before = one_value(shop, "SELECT count(*) FROM search_queries")
    assert set(run(shop)[1]) == {"sofa"}
    assert one_value(shop, "SELECT count(*) FROM search_queries") == before


def test_on_needs_a_replay_that_was_passed_beside_the_trial(shop: Database) -> None:
    won(shop, searches=150, by="B")
    with pytest.raises(NotProven, match="no replay"):
        switch(shop, "on", changed_by="adm_1")
    run(shop)
    with pytest.raises(NotProven, match="not passed"):
        switch(shop, "on", changed_by="adm_1")
    lines = [json.dumps({"query": f"red sofa {word}", "gains": {"p000": 1}}) for word in "abcdefghij"]
    assert take_judgments(shop, lines) == 10
    assert run(shop)[0].passed
    assert standing(shop).may_be_on
    assert switch(shop, "on", changed_by="adm_1").learning.state == "on"
    with shop.transaction() as tx:
        tx.execute("UPDATE search_replays SET ended_at = now() - interval '8 days'")
    assert standing(shop).replay is None


def test_what_people_of_the_shop_say_goes_before_clicks(shop: Database) -> None:
    shown = first(shop, "sofa")
    take_judgments(shop, [json.dumps({"query": "Sofa", "gains": {shown[0]: 1, shown[1]: 0.5}})])
    found, results = run(shop)
    assert results["sofa"].judged_by == "people"
    assert (results["sofa"].ndcg_before, found.summary and found.summary["judged_by_people"]) == (1.0, 1)
    take_judgments(shop, ['{"query": "sofa", "gains": {}}'])
    assert run(shop)[1]["sofa"].judged_by == "clicks"


def test_suggested_synonyms_are_tried_without_being_applied(shop: Database) -> None:
    with shop.transaction() as tx:
        tx.execute(
            """
            INSERT INTO search_synonyms (id, kind, terms, folded, state, source)
            VALUES ('syn_1', 'one_way', '{settee,sofa}', 'settee', 'suggested', 'learned')
            """
        )
    clicked(shop, "settee", [], "p001", days_ago=1, people=3)
    found, results = run(shop, "synonyms", synonym_ids=["syn_1"])
    assert results["settee"].first_before == []
    assert len(results["settee"].first_after) == 10
    assert found.summary is not None
    assert found.summary["newly_found"] == 1
    assert first(shop, "settee") == []
    assert run(shop, "synonyms", synonym_ids=["syn_other"])[1]["settee"].first_after == []


def test_what_is_answered_now_is_laid_beside_what_was_answered_then(shop: Database) -> None:
    shown = first(shop, "sofa")
    with shop.transaction() as tx:
        tx.execute("UPDATE products SET active = false WHERE name LIKE '%%belt%%'")
    clicked(shop, "belt", ["p048", "p049"], "p048", days_ago=0, people=3)
    learn(shop)
    found, results = run(shop, "log")
    assert (results["belt"].first_before, results["belt"].first_after) == (["p048", "p049"], [])
    assert results["sofa"].first_after == shown
    assert found.summary is not None
    assert (found.summary["newly_empty"], found.summary["moved_out"], found.passed) == (1, 1, False)


def test_a_killed_replay_goes_on_where_it_was(shop: Database) -> None:
    lines = [json.dumps({"query": f"sofa {number}", "gains": {"p000": 1}}) for number in range(25)]
    take_judgments(shop, lines)
    replay_id, _ = ask(shop, "learned", asked_by="adm_1")

    class Killed(Exception):
        pass

    def dies(done: int, total: int | None) -> None:
        raise Killed

    with pytest.raises(Killed):
        replay(shop, ENCODER, dies, replay_id=replay_id)
    assert replay_of(shop, replay_id, limit=1)[0].done == 20
    seen: list[int] = []
    replay(shop, ENCODER, lambda done, total: seen.append(done), replay_id=replay_id)
    assert seen == [26]
    ended = replay_of(shop, replay_id, limit=100)[0]
    assert replay(shop, ENCODER, replay_id=replay_id) == {"queries": 26, "passed": True}
    assert replay_of(shop, replay_id, limit=100)[0] == ended


def test_a_run_beside_another_says_nothing_before_all_is_run(shop: Database) -> None:
    lines = [json.dumps({"query": f"sofa {number}", "gains": {"p000": 1}}) for number in range(25)]
    take_judgments(shop, lines)
    replay_id, _ = ask(shop, "learned", asked_by="adm_1")
    ended: list[dict[str, object]] = []
    other = threading.Thread(target=lambda: ended.append(replay(shop, ENCODER, replay_id=replay_id)))

    def first_bite(done: int, total: int | None) -> None:
        if other.ident is None:
            with shop.transaction() as tx:
                assert len(queries.due(tx, replay_id, limit=20)) == 6
                other.start()
                _until_somebody_waits(shop)
                for one in queries.due(tx, replay_id, limit=20):
                    queries.save(tx, replay_id, replace(result(0.5, 0.5), query=one.query))

    replay(shop, ENCODER, first_bite, replay_id=replay_id)
    other.join()
    assert ended == [{"queries": 26, "passed": True}]
    summary = replay_of(shop, replay_id, limit=1)[0].summary
    assert summary is not None
    assert summary["queries"] == 26


def test_of_two_runs_at_once_one_chooses_the_queries(shop: Database) -> None:
    replay_id, _ = ask(shop, "learned", asked_by="adm_1")
    ended: list[dict[str, object]] = []
    other = threading.Thread(target=lambda: ended.append(replay(shop, ENCODER, replay_id=replay_id)))
    with shop.transaction() as tx:
        assert queries.is_to_choose(tx, replay_id)
        other.start()
        _until_somebody_waits(shop)
        queries.choose_queries(tx, replay_of(shop, replay_id, limit=0)[0], people=3)
    other.join()
    assert ended == [{"queries": 1, "passed": False}]
    assert replay_of(shop, replay_id, limit=100)[0].done == 1


def _until_somebody_waits(db: Database) -> None:
    for _ in range(1000):
        if one_value(db, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_there_must_be_such_a_replay(db: Database) -> None:
    with pytest.raises(NotFound):
        replay(db, ENCODER, replay_id="rpl_none")
    with pytest.raises(NotFound):
        replay_of(db, "rpl_none", limit=1)


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "[]",
        "{}",
        '{"query": "", "gains": {}}',
        '{"query": "a", "gains": {"p": 2}}',
        '{"query": "a", "gains": [1]}',
    ],
)
def test_a_broken_line_is_named_and_none_is_taken(db: Database, line: str) -> None:
    with pytest.raises(BrokenJudgment, match="line 2"):
        take_judgments(db, ['{"query": "sofa", "gains": {"p": 1}}', line])
    assert one_value(db, "SELECT count(*) FROM search_judgments") == 0


def test_a_click_that_few_could_see_says_more_and_three_people_must_say_it() -> None:

    seen = np.array([1.0, 0.5, 0.01])
    clicks = [("Sofa", "a", 1, 2), ("sofa", "b", 2, 2), ("sofa", "c", 3, 1), ("rare", "a", 1, 2)]
    assert by_clicks(clicks, seen) == {"sofa": {"a": 0.4, "b": 0.8, "c": 1.0}}
    assert ndcg(["c", "b", "a"], {"a": 0.4, "b": 0.8, "c": 1.0}) == 1.0
    assert ndcg(["x"], {"a": 1.0}) == 0.0


def result(before: float, after: float, *, empty: bool = False) -> Replayed:
    return Replayed("q", 1, ["a"], [] if empty else ["a"], 1.0, "people", before, after, [])


def test_losses_and_empty_pages_are_not_passed() -> None:
    assert told([result(0.5, 0.6)] * 10)[1]
    assert told([result(0.5, 0.5)] * 10)[1]
    assert not told([result(0.5, 0.6)] * 9)[1]
    assert not told([result(0.5, 0.49)] * 10)[1]
    assert not told([*[result(0.5, 0.6)] * 10, result(0.5, 0.5, empty=True)])[1]
    summary, _ = told([result(0.5, 0.6), result(0.5, 0.4)])
    assert (summary["won"], summary["lost"], summary["difference"]) == (1, 1, 0.0)
    assert summary["low"] < 0 < summary["high"]
