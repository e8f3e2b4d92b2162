"""Search analytics over HTTP: who may see them, and that they count what went through the API."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask.testing import FlaskClient

from boot.services import Services
from shop.search.learning.judging import take_judgments
from shop.search.learning.learn import learn
from shop.search.learning.replay import replay
from tests.shop.search.made import products, stock
from tests.shop.search.test_learn import did

Headers = dict[str, str]


def test_a_search_and_its_click_are_counted(
    client: FlaskClient, services: Services, signed_in: Callable[..., Headers]
) -> None:
    stock(services.db, products())
    me = signed_in("cus_1") | {"X-Visitor-Id": "vis_me"}
    found = client.get("/v1/search?q=chef+knife&mode=lexical", headers=me).get_json()
    client.get("/v1/search?q=zzqqx&mode=lexical&correct=false", headers=me)
    did(services.db, "search_click", found["data"][1]["id"], found["search_id"], ts=datetime.now(UTC))
    learn(services.db)
    told = client.get("/v1/search/analytics", headers=signed_in("usr_1", "support")).get_json()
    assert (told["searches"], told["zero_results"], told["click_through_rate"]) == (2, 1, 0.5)
    assert (told["mean_reciprocal_rank"], told["revenue"], told["cache_hits"]) == (0.5, 0, 0)
    assert told["latency"]["p99_ms"] >= told["latency"]["p50_ms"] > 0
    assert {row["query"] for row in told["top_queries"]} == {"chef knife", "zzqqx"}
    assert [row["query"] for row in told["zero_result_queries"]] == ["zzqqx"]
    assert told["to"] >= datetime.now(UTC).date().isoformat()


def test_a_range_without_searches_has_no_rates(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    told = client.get("/v1/search/analytics", headers=signed_in("usr_1", "support")).get_json()
    assert (told["searches"], told["click_through_rate"], told["latency"]["p50_ms"]) == (0, None, None)
    assert told["top_queries"] == []


def test_only_support_sees_them_and_ranges_have_an_end(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    assert client.get("/v1/search/analytics").status_code == 401
    assert client.get("/v1/search/analytics", headers=signed_in("cus_1")).status_code == 403
    support = signed_in("usr_1", "support")
    for wrong in ("from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "limit=0", "from=x"):
        assert client.get(f"/v1/search/analytics?{wrong}", headers=support).status_code == 422


def test_admins_see_and_switch_what_was_learned(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    admin = signed_in("adm_1", "admin")
    told = client.get("/v1/search/learning", headers=admin).get_json()
    assert (told["state"], told["boosts"], told["trial"]["proven"]) == ("off", 0, False)
    refused = client.put("/v1/search/learning", json={"state": "on"}, headers=admin)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_proven")
    told = client.put("/v1/search/learning", json={"state": "trial"}, headers=admin).get_json()
    assert (told["state"], told["changed_by"]) == ("trial", "adm_1")
    assert client.put("/v1/search/learning", json={"state": "maybe"}, headers=admin).status_code == 422
    assert client.get("/v1/search/learning", headers=signed_in("usr_1", "support")).status_code == 403


def test_admins_replay_logged_queries_and_see_what_would_change(
    client: FlaskClient, services: Services, signed_in: Callable[..., Headers]
) -> None:
    admin = signed_in("adm_1", "admin")
    stock(services.db, products())
    take_judgments(services.db, ['{"query": "chef knife", "gains": {"p012": 1}}'])
    asked = client.post("/v1/search/replays", json={"candidate": "learned"}, headers=admin)
    assert (asked.status_code, asked.get_json()["done"], asked.get_json()["passed"]) == (202, 0, None)
    replay_id = asked.get_json()["id"]
    assert asked.headers["Location"] == f"/v1/search/replays/{replay_id}"
    replay(services.db, services.encoder, replay_id=replay_id)
    told = client.get(f"/v1/search/replays/{replay_id}", headers=admin).get_json()
    assert (told["done"], told["passed"], told["summary"]["judged_by_people"]) == (1, False, 1)
    assert (told["data"][0]["query"], told["data"][0]["overlap"]) == ("chef knife", 1.0)
    assert [one["id"] for one in client.get("/v1/search/replays", headers=admin).get_json()["data"]] == [replay_id]
    assert client.get("/v1/search/learning", headers=admin).get_json()["replay"]["id"] == replay_id
    assert client.get("/v1/search/replays/rpl_none", headers=admin).status_code == 404
    assert client.post("/v1/search/replays", json={"candidate": "x"}, headers=admin).status_code == 422
    assert client.post("/v1/search/replays", json={}, headers=signed_in("usr_1", "support")).status_code == 403


def test_what_was_looked_at_along_with_a_product_is_public(client: FlaskClient, services: Services) -> None:
    stock(services.db, products())
    assert client.get("/v1/products/p001/also-viewed").get_json() == {"data": [], "next_cursor": None}
    assert client.get("/v1/products/none/also-viewed").status_code == 404
