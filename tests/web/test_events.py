"""Events over HTTP: each one is answered for, money names are refused, and nothing breaks the door."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services, connect
from db.database import Database
from shop.analytics.events.ingest import ingest
from shop.analytics.events.partitions import partitions
from shop.analytics.events.strangers import Strangers
from tests.shop.analytics.conftest import PERSON, event
from web.app import create_app

Client = FlaskClient


def envelope(*events: Any, **more: Any) -> dict[str, Any]:
    return {"sent_at": datetime.now(UTC).isoformat(), "events": list(events), **more}


def send(client: Client, *events: Any, **headers: str) -> Any:
    return client.post("/v1/events", json=envelope(*events), headers={"User-Agent": PERSON, **headers})


def stored(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute("SELECT name, visitor_id, product_id, path, referrer_host, props FROM events").fetchall()


def test_good_events_are_accepted_and_stored_as_they_were_meant(client: Client, services: Services) -> None:
    answer = send(
        client,
        event(product_id="p1", path="/p/1?mail=me@example.com#top", referrer="https://www.google.com/search?q=me"),
        event("Product Added", product_id="p1", quantity=2, price=1299, currency="eur", props={"nul": "a\x00b"}),
        event("consent_set", consent={"analytics": True, "marketing": False}),
    )

    assert answer.status_code == 202
    assert answer.json["accepted"] == 3
    assert answer.json["rejected"] == []
    assert answer.json["batch"].startswith("bat_")
    assert ingest(services.db, services.events) == {"stored": 3}
    rows = {row[0]: row for row in stored(services.db)}
    assert rows["product_view"][3:5] == ("/p/1", "www.google.com")
    assert rows["cart_add"][5] == {"nul": "a\ufffdb"}


@pytest.mark.parametrize(
    "name",
    [
        "order_placed",
        "order_paid",
        "order_cancelled",
        "refund_done",
        "payment_failed",
        "shipped",
        "delivered",
        "Order Completed",
        "order_completed",
        "purchase",
    ],
)
def test_money_is_never_taken_from_a_page(client: Client, services: Services, name: str) -> None:
    answer = send(client, event(), event(name, nonsense=True))
    assert answer.status_code == 202
    assert (answer.json["accepted"], answer.json["rejected"][0]["index"]) == (1, 1)
    assert answer.json["rejected"][0]["code"] == "reserved_name"
    assert ingest(services.db, services.events) == {"stored": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("spoken", "ours"),
    [("Product Viewed", "product_view"), ("product_viewed", "product_view"), ("add_to_cart", "cart_add")],
)
def test_a_page_may_speak_as_other_counters_taught_it(
    client: Client, services: Services, spoken: str, ours: str
) -> None:
    assert send(client, event(spoken)).json["accepted"] == 1
    ingest(services.db, services.events)
    with services.db.transaction() as tx:
        assert tx.execute("SELECT name FROM events").fetchall() == [(ours,)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "made_up"}, "unknown_name"),
        ({"name": None}, "missing_field"),
        ({"id": "6f1c1bd0-54a2-4a9d-8f7e-111111111111"}, "invalid_id"),
        ({"id": 7}, "invalid_id"),
        ({"colour": "red"}, "unknown_field"),
        ({"visitor_id": "v" * 65}, "too_long"),
        ({"visitor_id": ""}, "invalid_field"),
        ({"ts": 1700000000}, "invalid_field"),
        ({"ts": "2026-11-23T12:00:00"}, "invalid_field"),
        ({"price": 12.99}, "invalid_field"),
        ({"price": "12"}, "invalid_field"),
        ({"currency": "EUR"}, "invalid_field"),
        ({"props": {"x": "y" * 9000}}, "too_long"),
        ({"props": [1]}, "invalid_field"),
        ({"consent": "perhaps"}, "invalid_field"),
    ],
)
def test_a_wrong_event_is_refused_with_its_place_and_reason(client: Client, wrong: dict[str, Any], code: str) -> None:
    answer = send(client, event(), {**event(), **wrong}, "not an object", event())
    assert answer.status_code == 202
    assert answer.json["accepted"] == 2
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(1, code), (2, "invalid_event")]
    assert all(one["detail"] for one in answer.json["rejected"])


def test_half_a_character_is_replaced_and_spoils_neither_its_text_nor_the_batch(
    client: Client, services: Services
) -> None:
    texts = [r"caf\ud83d", r"\ude00!", r"\uD83D\uDE00", r"\ud83d\ud83d\ude00\ude00", r"a\u0000b"]
    body = json.dumps({"sent_at": datetime.now(UTC).isoformat(), "events": [event(props={"q": "TEXT"}) for _ in texts]})
    for text in texts:
        body = body.replace("TEXT", text, 1)
    answer = client.post("/v1/events", data=body, content_type="application/json", headers={"User-Agent": PERSON})
    assert answer.status_code == 202
    assert answer.json
    assert answer.json["rejected"] == []
    assert ingest(services.db, services.events) == {"stored": len(texts)}
    with services.db.transaction() as tx:
        kept = {row[0] for row in tx.execute("SELECT props ->> 'q' FROM events").fetchall()}
    assert kept == {"caf\ufffd", "\ufffd!", "\U0001f600", "\ufffd\U0001f600\ufffd", "a\ufffdb"}


def test_numbers_that_json_does_not_know_do_not_reach_the_store(client: Client) -> None:
    raw = json.dumps(envelope(event(props={"n": 1}))).replace('{"n": 1}', '{"n": NaN}')
    answer = client.post("/v1/events", data=raw, content_type="application/json")
    assert answer.status_code == 400 or answer.json["rejected"][0]["code"] == "invalid_field"


@pytest.mark.parametrize(
    ("said", "headers"),
    [({"consent": False}, {}), ({"consent": {"marketing": True}}, {}), ({}, {"Sec-GPC": "1"}), ({}, {"DNT": "1"})],
)
def test_without_consent_an_event_says_nothing_personal(
    client: Client, services: Services, signed_in: Any, said: dict[str, Any], headers: dict[str, str]
) -> None:
    mine = event(visitor="v_me", session_id="s_me", product_id="p1", props={"mail": "me@example.com"}, **said)
    answer = send(client, mine, event(visitor="v_me", **said), **signed_in("cus_me"), **headers)
    assert answer.json["accepted"] == 2
    ingest(services.db, services.events)
    with services.db.transaction() as tx:
        rows = tx.execute("SELECT to_jsonb(events)::text, visitor_id FROM events").fetchall()
        links = tx.execute("SELECT count(*) FROM identity_links").fetchone()
    assert len({row[1] for row in rows}) == 1, "one stranger within the day"
    assert not any(word in row[0] for row in rows for word in ("v_me", "s_me", "cus_me", "example.com", "127.0.0.1"))
    assert any('"p1"' in row[0] for row in rows)
    assert links == (0,)


def test_strangers_are_others_on_other_machines_and_other_days(services: Services) -> None:
    today = datetime.now(UTC)
    name = services.strangers.name
    assert name(services.db, today, "192.0.2.1", "x") == Strangers().name(services.db, today, "192.0.2.1", "x")
    names = {
        name(services.db, today, "192.0.2.1", "x"),
        name(services.db, today, "192.0.2.2", "x"),
        name(services.db, today, "192.0.2.1", "y"),
        name(services.db, today + timedelta(days=1), "192.0.2.1", "x"),
    }
    assert len(names) == 4
    assert partitions(services.db, now=today + timedelta(days=1))["salts"] == 1, "yesterday's cannot be told any more"


def test_a_shop_may_refuse_events_without_consent(settings_with: Any, signed_in: Any) -> None:
    services = connect(settings_with(events_without_consent="refuse"))
    client = create_app(services).test_client()
    answer = send(client, event(consent=False), event(consent=True), event())
    assert (answer.json["accepted"], answer.json["rejected"][0]["code"]) == (2, "no_consent")
    services.db.close()


def test_the_visitor_may_be_named_once_in_the_header(client: Client, services: Services) -> None:
    lot = event()
    del lot["visitor_id"]
    assert send(client, lot, **{"X-Visitor-Id": "from-header"}).json["accepted"] == 1
    assert send(client, lot).json["rejected"][0]["code"] == "missing_field"
    ingest(services.db, services.events)
    assert [row[1] for row in stored(services.db)] == ["from-header"]


def test_more_than_five_hundred_or_none_are_refused_whole(client: Client) -> None:
    assert send(client, *[event() for _ in range(501)]).status_code in {413, 422}
    answer = send(client)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert client.post("/v1/events", json=envelope(event(), surprise=1)).status_code == 422
    assert client.post("/v1/events", data=b"{", content_type="application/json").json["code"] == "malformed_json"


def test_gzip_is_read_and_a_bomb_is_not_unpacked(client: Client) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    packed = gzip.compress(json.dumps(envelope(*[event() for _ in range(100)])).encode())
    assert client.post("/v1/events", data=packed, headers=headers).json["accepted"] == 100

    bomb = gzip.compress(b"[" * 200_000_000, compresslevel=9)
    assert len(bomb) < 256 * 1024
    answer = client.post("/v1/events", data=bomb, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_too_large_a_body_is_refused(client: Client) -> None:
    answer = send(client, event(props={"x": "y" * 300_000}))
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_page_that_is_being_closed_may_send_plain_text(client: Client) -> None:
    answer = client.post("/v1/events", data=json.dumps(envelope(event())), content_type="text/plain")
    assert answer.json["accepted"] == 1


def test_the_customer_is_known_by_the_token_and_a_service_is_not_a_person(
    client: Client, services: Services, signed_in: Any
) -> None:
    send(client, event(), **signed_in("cus_1"))
    send(client, event("page_view"), **signed_in("svc", "service"))
    ingest(services.db, services.events)
    with services.db.transaction() as tx:
        rows = tx.execute("SELECT name, source, user_id FROM events ORDER BY name").fetchall()
    assert rows == [("page_view", "server", None), ("product_view", "web", "cus_1")]


def test_while_redis_is_away_events_are_taken_all_the_same(settings_with: Any) -> None:
    from boot.services import connect
    from web.app import create_app

    services = connect(settings_with(redis_url="redis://127.0.0.1:1/0"), name="test")
    try:
        answer = create_app(services).test_client().post("/v1/events", json=envelope(event()))
        assert answer.status_code == 202
        with services.db.transaction() as tx:
            assert tx.execute("SELECT events FROM event_inbox").fetchall() == [(1,)]
    finally:
        services.db.close()


def test_with_nothing_to_keep_them_in_the_page_is_told_when_to_come_again(settings_with: Any) -> None:
    from boot.services import connect
    from web.app import create_app

    nowhere = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    services = connect(settings_with(redis_url="redis://127.0.0.1:1/0", database_url=nowhere), name="test")
    services.db._open_pool().timeout = 0.2
    try:
        answer = create_app(services).test_client().post("/v1/events", json=envelope(event()))
        assert (answer.status_code, answer.json["code"]) == (503, "events_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        services.db.close()
