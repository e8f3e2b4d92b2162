"""A person gets a copy of what is known of them, and is forgotten in every store, and nobody else with them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier

from boot.services import Services
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.partitions import partitions
from shop.analytics.events.sessions import sessions
from shop.analytics.privacy.privacy import OnTheWay
from shop.analytics.queries import inbox
from shop.analytics.queries.sessions import derive, lock_sessions, replace, take_touched
from tasks.analytics import erase_person, export_person
from tests.shop.analytics import books
from tests.shop.analytics.conftest import PERSON, batch, event

DOORS = {"analytics.export": export_person, "analytics.erase": erase_person}
EVERY_ROW = SQL("SELECT to_jsonb(t)::text FROM {} AS t")
BY_LAW = frozenset(("orders", "jobs"))
"""An order names its customer and its visitor, as tax law asks. A job names who asked for it until it is pruned."""


def run(services: Services) -> dict[str, Any]:
    """Run the newest staged privacy job as its worker would, twice: the second time changes nothing."""

    class Run:
        def progress(self, done: int, total: int | None) -> None: ...

    with services.db.transaction() as tx:
        row = tx.execute(
            "SELECT name, args FROM jobs WHERE name IN ('analytics.export', 'analytics.erase') ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert row
    first, second = (DOORS[row[0]](services, Run(), **row[1]) for _ in range(2))  # pyright: ignore[reportArgumentType]
    assert first
    assert first == second
    return first


def everything(services: Services, *, only: str = "%", without: frozenset[str] = BY_LAW) -> str:
    """Every row of every table there is, and every key and value of Redis, as text."""
    with services.db.transaction() as tx:
        tables = tx.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname LIKE %s AND relname <> ALL(%s)",
            (only, list(without)),
        ).fetchall()
        assert tables
        rows = [
            f"{table} {row[0]}"
            for (table,) in tables
            for row in tx.execute(EVERY_ROW.format(Identifier(table))).fetchall()
        ]
    return "\n".join(rows + in_redis(services.settings.redis_url.get_secret_value()))


READ: dict[object, Callable[[Any, Any], object]] = {
    b"string": lambda server, key: server.get(key),
    b"hash": lambda server, key: server.hgetall(key),
    b"zset": lambda server, key: server.zrange(key, 0, -1, withscores=True),
    b"set": lambda server, key: server.smembers(key),
    b"list": lambda server, key: server.lrange(key, 0, -1),
    b"stream": lambda server, key: server.xrange(key),
}


def in_redis(url: str) -> list[str]:
    with redis.Redis.from_url(url) as server:
        # What a caller may still ask within the minute is counted under its name, and gone after it.
        keys = [key for key in server.scan_iter() if b"limit" not in key]
        return [f"{key!r} {READ[server.type(key)](server, key)}" for key in keys]


@pytest.fixture(name="lived")
def _lived(client: FlaskClient, services: Services, signed_in: Any) -> None:
    """Ann on her own browser and on one she shares with Bob, and a stranger."""

    def send(headers: dict[str, str], *events: Any) -> None:
        body = {"sent_at": datetime.now(UTC).isoformat(), "events": list(events)}
        assert client.post("/v1/events", json=body, headers={**headers, "User-Agent": PERSON}).status_code == 202

    ann, bob = signed_in("cus_ann"), signed_in("cus_bob")
    send({}, event(visitor="v_ann", product_id="p1"), event("cart_add", visitor="v_ann", product_id="p1"))
    send(ann, event(visitor="v_ann", product_id="p2"), event(visitor="v_both", product_id="p2"))
    send(bob, event(visitor="v_both", product_id="p3"))
    send({}, event(visitor="v_both", product_id="p4"), event(visitor="v_else", product_id="p1"))
    books.paid_order(services.db, at=datetime.now(UTC), customer="cus_ann", visitor="v_ann")
    admin = signed_in("boss", "admin")
    client.post("/v1/experiments", json={"key": "k", "name": "K", "variants": ["a", "b"]}, headers=admin)
    client.patch("/v1/experiments/k", json={"status": "running"}, headers=admin)
    for visitor in ("v_ann", "v_else"):
        client.post("/v1/assignments", json={"visitor_id": visitor}, headers={"User-Agent": PERSON})
    ingest(services.db, services.events)
    sessions(services.db)
    with services.db.transaction() as tx:
        for n, (customer, visitor) in enumerate((("cus_ann", "v_ann"), (None, "v_ann"), (None, "v_else"))):
            tx.execute(
                "INSERT INTO search_queries (id, customer_id, visitor_id, query, normalised, sort, mode, total,"
                " total_is_exact, ranker, took_ms) VALUES (%s, %s, %s, 'red shoes', 'red shoes', 'relevance', 'hybrid', 1,"
                " true, 'r', 1)",
                (f"q{n}", customer, visitor),
            )
        tx.execute(
            "INSERT INTO user_interests (person, product_id, kind, last_at)"
            " VALUES ('c:cus_ann', 'p1', 1, now()), ('v:v_ann', 'p1', 1, now()), ('v:v_else', 'p1', 1, now())"
        )
        tx.execute(
            "INSERT INTO quarantined_events (batch_id, raw, reason)"
            " VALUES ('b', '{\"visitor_id\": \"v_ann\"}', 'r'), ('b', '{\"visitor_id\": \"v_ann2\"}', 'r')"
        )


def test_who_may_ask_for_whom(client: FlaskClient, services: Services, signed_in: Any) -> None:
    for path in ("/v1/privacy/exports", "/v1/privacy/erasures"):
        assert client.post(path, json={}).status_code == 401
        assert client.post(path, json={"customer_id": "cus_bob"}, headers=signed_in("cus_ann")).status_code == 404
        assert client.post(path, json={"visitor_id": "v1"}, headers=signed_in("cus_ann")).status_code == 404
        assert client.post(path, json={"customer_id": "x"}, headers=signed_in("s", "support")).status_code == 404
        assert client.post(path, json={}, headers=signed_in("cus_ann")).status_code == 202
        assert client.post(path, json={"visitor_id": "v1"}, headers=signed_in("boss", "admin")).status_code == 202


def test_a_copy_holds_what_is_theirs_and_nothing_of_others(
    client: FlaskClient, services: Services, signed_in: Any, lived: None
) -> None:
    ann = signed_in("cus_ann")
    asked = client.post("/v1/privacy/exports", json={}, headers=ann)
    assert asked.status_code == 202
    assert client.get(asked.headers["Location"], headers=ann).status_code == 200
    receipt = run(services)
    assert receipt["rows"] == {
        "events": 4,
        "sign_ins": 2,
        "sessions": 1,
        "searches": 2,
        "interests": 2,
        "experiments": 1,
    }
    assert receipt["elsewhere"]["orders"] == 1

    copy = client.get(receipt["download"], headers=ann)
    assert copy.json
    assert {(one["visitor_id"], one["product_id"]) for one in copy.json["events"]} == {
        ("v_ann", "p1"),
        ("v_ann", "p2"),
        ("v_both", "p2"),
    }
    assert not any(name in copy.get_data(as_text=True) for name in ("cus_bob", "v_else", "p3", "p4"))
    assert client.get(receipt["download"], headers=signed_in("cus_bob")).status_code == 404
    with services.db.transaction() as tx:
        tx.execute("UPDATE privacy_requests SET done_at = now() - interval '8 days'")
    assert partitions(services.db)["exports"] == 1
    assert client.get(receipt["download"], headers=ann).status_code == 404
    assert "cus_ann" not in everything(services, only="privacy_requests").replace('"asked_by": "cus_ann"', "")


def test_an_erasure_leaves_no_trace_of_the_one_and_all_of_the_others(
    client: FlaskClient, services: Services, signed_in: Any, lived: None
) -> None:
    assert "v_ann" in everything(services)
    client.post("/v1/privacy/erasures", json={}, headers=signed_in("cus_ann"))
    receipt = run(services)
    assert receipt["erased"] == {
        # Four of the page and the two facts of the order, which are written before they are erased.
        "events": 6,
        "sign_ins": 2,
        "sessions": 1,
        "trend_notes": 3,
        "exposures": 1,
        "quarantined_events": 1,
        "searches": 2,
        "search_interests": 2,
        "exports": 0,
    }
    assert (receipt["visitors"], receipt["shared_visitors"]) == (1, 1)
    assert receipt["kept"]["orders"] == 1
    assert "law" in receipt["kept"]["because"]

    left = everything(services)
    assert [row for row in left.splitlines() if "cus_ann" in row or '"v_ann"' in row.replace("\\", "")] == []
    assert all(name in left for name in ("cus_bob", "v_else", "v_ann2", "p3", "p4"))


def test_rollups_are_what_counting_the_rest_gives(
    client: FlaskClient, services: Services, signed_in: Any, lived: None
) -> None:
    client.post("/v1/privacy/erasures", json={}, headers=signed_in("cus_ann"))
    run(services)
    with services.db.transaction() as tx:
        rolled = tx.execute(
            "SELECT name, sum(events)::int FROM event_hours GROUP BY 1 HAVING sum(events) > 0"
        ).fetchall()
        raw = tx.execute("SELECT name, count(*)::int FROM events GROUP BY 1").fetchall()
        hours = tx.execute("SELECT sum(views)::int, sum(carts)::int, sum(orders)::int FROM product_hours").fetchone()
        notes = tx.execute(
            "SELECT count(*) FILTER (WHERE kind = 'view')::int, count(*) FILTER (WHERE kind = 'cart')::int,"
            " count(*) FILTER (WHERE kind = 'order')::int FROM product_interest"
        ).fetchone()
    assert sorted(rolled) == sorted(raw)
    assert hours == notes


def test_an_admin_may_name_a_browser_and_what_waits_is_erased_too(
    client: FlaskClient, services: Services, signed_in: Any
) -> None:
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [event(visitor="v_late")]}
    client.post("/v1/events", json=body, headers={"User-Agent": PERSON})
    client.post("/v1/privacy/erasures", json={"visitor_id": "v_late"}, headers=signed_in("boss", "admin"))
    assert run(services)["erased"]["events"] == 1
    ingest(services.db, services.events)
    assert "v_late" not in everything(services)


@pytest.mark.parametrize("kind", ["exports", "erasures"])
def test_what_another_drain_is_just_storing_is_waited_for(
    client: FlaskClient, services: Services, signed_in: Any, kind: str
) -> None:
    body = {"sent_at": datetime.now(UTC).isoformat(), "events": [event(visitor="v_late")]}
    client.post("/v1/events", json=body, headers={"User-Agent": PERSON})
    held = services.events.read(at_least=1)
    client.post(f"/v1/privacy/{kind}", json={"visitor_id": "v_late"}, headers=signed_in("boss", "admin"))
    with pytest.raises(OnTheWay):
        run(services)
    with services.db.transaction() as tx:
        inbox.keep(tx, body=held[0].body, events=1, received_at=datetime.now(UTC))
    services.events.settle(held)
    with pytest.raises(OnTheWay):
        run(services)
    services.events.leave()
    receipt = run(services)
    assert (receipt.get("erased") or receipt["rows"])["events"] == 1


def test_an_erasure_waits_for_visits_that_are_just_derived(
    client: FlaskClient, services: Services, signed_in: Any, lived: None
) -> None:
    client.post("/v1/privacy/erasures", json={}, headers=signed_in("cus_ann"))
    with ThreadPoolExecutor(1) as other:
        with services.db.transaction() as tx:
            tx.execute("INSERT INTO visitors_touched (visitor_id, since, until) VALUES ('v_ann', '-infinity', now())")
            lock_sessions(tx)
            take_touched(tx, limit=10)
            derive(tx)
            erasure = other.submit(run, services)
            assert waits_for_a_lock(services)
            replace(tx)
        assert erasure.result()["erased"]["sessions"] > 0
    assert '"v_ann"' not in everything(services, only="sessions")


def test_an_erasure_takes_minutes_before_hours_as_drains_do_so_that_none_of_them_deadlocks(
    client: FlaskClient, services: Services, signed_in: Any, lived: None
) -> None:
    client.post("/v1/privacy/erasures", json={}, headers=signed_in("cus_ann"))
    with ThreadPoolExecutor(1) as other:
        with services.db.transaction() as drain:
            drain.execute("SELECT 1 FROM event_minutes FOR UPDATE")
            erasure = other.submit(run, services)
            assert waits_for_a_lock(services)
            drain.execute("SELECT 1 FROM event_hours FOR UPDATE")
        assert erasure.result()["erased"]["events"] == 6


def waits_for_a_lock(services: Services) -> bool:
    for _ in range(10_000):
        with services.db.transaction() as tx:
            if tx.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return True
    return False


def test_a_quarantined_event_of_somebody_with_another_alphabet_is_erased(
    client: FlaskClient, services: Services, signed_in: Any
) -> None:
    visitor = "Zoë 訪問者"
    accept(services.db, services.events, batch([event(visitor=visitor, session_id="s" * 90)]))
    assert ingest(services.db, services.events) == {"quarantined": 1}
    client.post("/v1/privacy/erasures", json={"visitor_id": visitor}, headers=signed_in("boss", "admin"))
    assert run(services)["erased"]["quarantined_events"] == 1


@pytest.mark.usefixtures("lived")
def test_a_copy_says_what_was_decided_about_sign_ins(client: FlaskClient, services: Services, signed_in: Any) -> None:
    undone = {"visitor_id": "v_both", "customer_id": "cus_ann", "linked": False, "reason": "a till in the shop"}
    decided = client.post("/v1/analytics/identity/decisions", json=undone, headers=signed_in("boss", "admin"))
    assert decided.status_code == 200
    client.post("/v1/privacy/exports", json={}, headers=signed_in("cus_ann"))
    copy = client.get(run(services)["download"], headers=signed_in("cus_ann")).get_json()
    told = {link["visitor_id"]: link["decisions"] for link in copy["sign_ins"]}
    assert [(one["linked"], one["reason"]) for one in told["v_both"]] == [(False, "a till in the shop")]
    assert told["v_ann"] == []
    assert "boss" not in str(copy["sign_ins"])
