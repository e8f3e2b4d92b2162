"""The inbox over HTTP: who sees what, what is decided, which secrets verify, and from which addresses."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import stripe
from flask.testing import FlaskClient

from boot.services import connect
from boot.settings import Settings
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.shop.payments.strays import PRICE, orphan, signed
from web.app import create_app

Headers = dict[str, str]
BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "created": 1, "data": {"object": {"id": "in_1"}}})


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    return create_app(shop.services).test_client()


def as_(shop: Shop, *roles: str) -> Headers:
    body = {"sub": "usr_clerk", "exp": int(time.time()) + 60, "roles": list(roles)}
    secret = shop.services.settings.auth_jwt_secret.get_secret_value()
    return {"Authorization": f"Bearer {jwt.encode(body, secret, algorithm='HS256')}"}


def post(client: FlaskClient, body: str, headers: Headers) -> tuple[int, str]:
    answer = client.post("/v1/webhooks/stripe", data=body, headers=headers, content_type="application/json")
    return answer.status_code, answer.json.get("code", "")


def test_support_sees_orphans_with_their_money_and_admins_the_body_without_client_secrets(
    shop: Shop, client: FlaskClient
) -> None:
    intent, delivery_id = orphan(shop)
    path = f"/v1/webhooks/deliveries/{delivery_id}"
    listed = client.get("/v1/webhooks/deliveries?state=orphan", headers=as_(shop, "support")).json
    assert {row["payment"] for row in listed["data"]} == {intent}
    seen = listed["data"][0]["seen"]
    assert (seen["amount"], seen["currency"], seen["status"]) == (PRICE, "eur", "requires_capture")
    assert listed["data"][0]["secret"].startswith("secret ")
    told = client.get(path, headers=as_(shop, "support")).json
    assert "body" not in told
    assert "headers" not in told
    whole = client.get(path, headers=as_(shop, "admin")).json
    assert whole["body"]["data"]["object"]["id"] == intent
    assert whole["headers"]["Stripe-Signature"].startswith("t=")
    stored = shop.sql("SELECT body FROM webhook_deliveries WHERE id = %s", delivery_id)[0][0]
    assert "_secret_" in stored
    assert "_secret_" not in json.dumps(whole)
    assert whole["body"]["data"]["object"]["client_secret"] == "[removed]"
    assert client.get(path, headers=as_(shop, "customer")).status_code == 403
    assert client.get("/v1/webhooks/deliveries/whd_none", headers=as_(shop, "admin")).status_code == 404


def test_lists_are_paged_and_filtered(shop: Shop, client: FlaskClient) -> None:
    intent, _ = orphan(shop)
    post(client, BODY, signed(BODY))
    shop.work()
    support = as_(shop, "support")
    ids: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/v1/webhooks/deliveries?limit=1{cursor}", headers=support).json
        ids += [row["id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert ids == [row[0] for row in shop.sql("SELECT id FROM webhook_deliveries ORDER BY id DESC")]
    ignored = client.get("/v1/webhooks/deliveries?state=ignored", headers=support).json["data"]
    assert [row["event_id"] for row in ignored] == ["evt_1"]
    assert ignored[0]["reason"] == "not a kind of news that changes an order"
    of_payment = client.get(f"/v1/webhooks/deliveries?payment={intent}", headers=support).json["data"]
    assert {row["state"] for row in of_payment} == {"orphan"}
    assert client.get("/v1/webhooks/deliveries?state=nonsense", headers=support).status_code == 422


def test_adopting_over_http_pays_the_order_and_its_timeline_tells_who_and_why(shop: Shop, client: FlaskClient) -> None:
    order_id = shop.simple_order()
    _, delivery_id = orphan(shop)
    path = f"/v1/webhooks/deliveries/{delivery_id}/adopt"
    wish = {"order_id": order_id, "reason": "typed the wrong number"}
    assert client.post(path, json=wish, headers=as_(shop, "support")).status_code == 403
    assert client.post(path, json={"order_id": order_id}, headers=as_(shop, "admin")).status_code == 422
    answer = client.post(path, json=wish, headers=as_(shop, "admin"))
    assert (answer.status_code, answer.json["state"], answer.json["adopt_into"]) == (202, "received", order_id)
    assert answer.headers["Location"].endswith(delivery_id)
    assert [(act["act"], act["actor"]) for act in answer.json["acts"]] == [("adopt", "usr_clerk")]
    shop.settle(order_id, "paid")
    told = client.get(f"/v1/orders/{order_id}/timeline", headers=as_(shop, "support")).json["data"]
    adopted = next(moment for moment in told if moment["what"] == "payment.adopted")
    assert (adopted["detail"]["actor"], adopted["detail"]["data"]["reason"]) == ("usr_clerk", wish["reason"])
    again = client.post(path, json=wish, headers=as_(shop, "admin"))
    assert (again.status_code, again.json["code"]) == (409, "delivery_settled")


def test_what_does_not_fit_is_refused_with_the_reason(shop: Shop, client: FlaskClient) -> None:
    order_id = shop.simple_order()
    _, delivery_id = orphan(shop, 999)
    admin = as_(shop, "admin")
    wish = {"order_id": order_id, "reason": "it looks right"}
    answer = client.post(f"/v1/webhooks/deliveries/{delivery_id}/adopt", json=wish, headers=admin)
    assert (answer.status_code, answer.json["code"]) == (409, "not_adoptable")
    assert "999 eur" in answer.json["detail"]
    wish = {"order_id": "ord_none", "reason": "it looks right"}
    answer = client.post(f"/v1/webhooks/deliveries/{delivery_id}/adopt", json=wish, headers=admin)
    assert answer.status_code == 404


def test_dismissing_retrying_and_giving_back_over_http(shop: Shop, client: FlaskClient) -> None:
    admin, why = as_(shop, "admin"), {"reason": "nobody's"}
    _, first = orphan(shop)
    assert (
        client.post(f"/v1/webhooks/deliveries/{first}/retry", json={}, headers=as_(shop, "support")).status_code == 202
    )
    shop.work()
    answer = client.post(f"/v1/webhooks/deliveries/{first}/dismiss", json=why, headers=admin)
    assert (answer.status_code, answer.json["state"]) == (200, "dismissed")
    assert [act["act"] for act in answer.json["acts"]] == ["retry", "dismiss"]
    _, second = orphan(shop, capture="automatic")
    answer = client.post(f"/v1/webhooks/deliveries/{second}/refund", json=why, headers=admin)
    assert (answer.status_code, answer.json["state"], answer.json["money_back"]["outcome"]) == (202, "returning", None)
    shop.work()
    told = client.get(f"/v1/webhooks/deliveries/{second}", headers=admin).json
    assert (told["state"], told["money_back"]["operation"], told["money_back"]["amount"]) == (
        "returned",
        "refund",
        PRICE,
    )
    refused = client.post(f"/v1/webhooks/deliveries/{first}/refund", json=why, headers=admin)
    assert (refused.status_code, refused.json["code"]) == (409, "delivery_settled")
    for act in ("dismiss", "refund"):
        path = f"/v1/webhooks/deliveries/{first}/{act}"
        assert client.post(path, json=why, headers=as_(shop, "support")).status_code == 403


def test_secrets_are_shown_by_name_with_their_last_use_and_never_themselves(shop: Shop, client: FlaskClient) -> None:
    post(client, BODY, signed(BODY))
    post(client, BODY, signed(BODY))
    answer = client.get("/v1/webhooks/secrets", headers=as_(shop, "admin"))
    (secret,) = answer.json["data"]
    assert (secret["place"], secret["count"], secret["retire_ok"]) == (1, 2, False)
    assert secret["last_verified_at"]
    assert "whsec" not in answer.text
    assert client.get("/v1/webhooks/secrets", headers=as_(shop, "support")).status_code == 403


def test_readiness_warns_without_failing_and_the_metrics_tell_the_figures(shop: Shop, client: FlaskClient) -> None:
    assert client.get("/health/ready").json["warnings"] == []
    orphan(shop)
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.json["status"], ready.json["warnings"]) == (200, "ok", ["webhooks_orphans"])
    figures: dict[str, float] = {}
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("backroom_webhook"):
            name, _, value = line.rpartition(" ")
            figures[name] = float(value)
    waiting = dict(shop.sql("SELECT state, count(*) FROM webhook_deliveries GROUP BY state"))
    assert figures['backroom_webhook_waiting{state="orphan"}'] == waiting["orphan"] > 0
    assert figures['backroom_webhook_settled_total{state="orphan"}'] == waiting["orphan"]
    assert figures['backroom_webhook_arrived_total{way="webhook"}'] == sum(waiting.values())
    assert figures["backroom_webhook_only_sweep_saw"] == 0
    assert figures["backroom_webhook_other_version_total"] == 0


@pytest.mark.parametrize(
    ("hops", "forwarded", "status"),
    [
        (0, None, 403),
        (0, "192.0.2.7", 403),
        (1, "192.0.2.7", 200),
        (1, "198.51.100.1", 403),
        (1, "192.0.2.7, 198.51.100.1", 403),
        (1, "::ffff:192.0.2.7", 200),
        (1, "unknown", 403),
    ],
)
def test_with_a_list_of_addresses_only_the_address_that_our_own_proxy_saw_counts(
    settings_with: Callable[..., Settings], hops: int, forwarded: str | None, status: int
) -> None:
    services = connect(settings_with(stripe_webhook_addresses="192.0.2.0/24", proxy_hops=hops), name="test")
    client = create_app(services).test_client()
    headers = signed(BODY) | ({"X-Forwarded-For": forwarded} if forwarded else {})
    answered = post(client, BODY, headers)
    assert answered == (status, "" if status == 200 else "wrong_address")
    with services.db.transaction() as tx:
        row: Any = tx.execute("SELECT state, reason, secret_label FROM webhook_deliveries").fetchone()
    warned = client.get("/health/ready").json["warnings"]
    services.db.close()
    if status == 403:
        assert row[:2] == ("refused", "wrong_address")
        assert row[2].startswith("secret ")
        assert warned == ["webhooks_wrong_address"]
    else:
        assert row[0] == "received"
        assert warned == []


def test_a_rotation_is_followed_by_name_through_the_front_door(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(stripe_webhook_secrets="summer:whsec_new,whsec_of_the_tests"), name="test")
    client = create_app(services).test_client()
    # While Stripe signs with both, the newest is the one that counts.
    moment = int(time.time())
    new, old = (
        stripe.WebhookSignature.generate_signature_header(BODY, secret, timestamp=moment)
        for secret in ("whsec_new", "whsec_of_the_tests")
    )
    assert post(client, BODY, {"Stripe-Signature": f"{old},{new.partition(',')[2]}"}) == (200, "")
    with services.db.transaction() as tx:
        assert tx.execute("SELECT secret_label FROM webhook_deliveries").fetchall() == [("summer",)]
        assert tx.execute("SELECT name, count FROM webhook_tallies WHERE kind = 'secret'").fetchall() == [("summer", 1)]
    services.db.close()


def test_many_forged_deliveries_are_counted_but_fill_no_disk(shop: Shop, client: FlaskClient) -> None:
    shop.sql(
        "INSERT INTO webhook_deliveries (id, source, body, state, reason, settled_at) SELECT 'whd_' || n, 'webhook', 'x',"
        " 'refused', 'bad_signature', now() FROM generate_series(1, 1000) AS n"
    )
    assert post(client, BODY, signed(BODY, "whsec_forged")) == (400, "bad_signature")
    assert shop.sql("SELECT count(*) FROM webhook_deliveries") == [(1000,)]
    assert shop.sql("SELECT name, count FROM webhook_tallies") == [("refused_unkept", 1)]
