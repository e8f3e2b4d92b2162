"""Orders over HTTP, with a worker in a thread beside the web application."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from web.app import create_app

Headers = dict[str, str]


@pytest.fixture(name="open_shop")
def _open_shop(shop: Shop) -> Iterator[Shop]:
    """The shop with somebody at work in it."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            if not shop.work():
                time.sleep(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    yield shop
    stop.set()
    worker.join()


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    return create_app(shop.services).test_client()


def keyed(headers: Headers, key: str, wait: int = 20) -> Headers:
    return {**headers, "Idempotency-Key": key, "Prefer": f"wait={wait}"}


def place(client: FlaskClient, headers: Headers, key: str = "k1", **body: Any) -> Any:
    return client.post("/v1/orders", json={"cart_id": "cart_1", **body}, headers=keyed(headers, key))


def test_an_order_settles_with_a_client_secret_for_its_owner_only(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    answer = place(client, signed_in("usr_1", email="ada@example.com"))
    assert answer.status_code == 201, answer.text
    order = answer.json
    assert answer.headers["Preference-Applied"] == "wait"
    assert order["status"] == "awaiting_payment"
    assert order["email"] == "ada@example.com"
    assert order["payment"]["client_secret"].startswith("pi_")
    assert order["lines"][0] | {"id": ""} == {
        "id": "",
        "product_id": "prd_1",
        "name": "Product prd_1",
        "quantity": 2,
        "unit_price": 2000,
        "total": 4000,
    }
    path = f"/v1/orders/{order['id']}"
    others, nobodys = (client.get(at, headers=signed_in("usr_2")) for at in (path, "/v1/orders/ord_none"))
    assert others.status_code == nobodys.status_code == 404
    assert others.json["detail"] == nobodys.json["detail"], "a stranger learns which orders exist"
    support = client.get(path, headers=signed_in("usr_9", "support")).json
    assert "client_secret" not in support["payment"]


def test_a_card_given_with_the_order_pays_it_and_the_repeat_gets_the_first_answer(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 1))
    first = place(client, signed_in(), payment_method="pm_card_visa")
    assert (first.status_code, first.json["status"]) == (201, "paid"), first.text
    assert first.json["refundable"] == first.json["total"] == 2490
    assert first.json["payment"]["card"]["last4"] == "4242"
    again = place(client, signed_in(), payment_method="pm_card_visa")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    listed = client.get("/v1/orders?status=paid", headers=signed_in()).json
    assert [order["id"] for order in listed["data"]] == [first.json["id"]]
    assert client.get("/v1/orders", headers=signed_in("usr_2")).json == {"data": [], "next_cursor": None}
    everybody = client.get("/v1/orders", headers=signed_in("usr_9", "support")).json
    assert [order["id"] for order in everybody["data"]] == [first.json["id"]]


def test_a_refused_card_says_why_and_another_card_pays(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 1))
    order = place(client, signed_in(), payment_method="pm_card_visa_chargeDeclinedInsufficientFunds").json
    assert order["status"] == "payment_failed"
    assert order["payment"]["decline"]["code"] == "insufficient_funds"
    paid = client.post(
        f"/v1/orders/{order['id']}/confirm",
        json={"payment_method": "pm_card_mastercard"},
        headers=keyed(signed_in(), "k2"),
    )
    assert (paid.status_code, paid.json["status"]) == (200, "paid"), paid.text
    assert "decline" not in paid.json["payment"]


def test_a_paid_order_is_refunded_and_the_books_balance(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in(), payment_method="pm_card_visa").json
    path = f"/v1/orders/{order['id']}/refunds"
    support = signed_in("usr_9", "support")
    wish = {"amount": 1000, "reason": "scratched", "expected_refundable": order["refundable"]}
    refund = client.post(path, json=wish, headers=keyed(support, "r1"))
    assert (refund.status_code, refund.json["status"]) == (201, "succeeded"), refund.text
    late = client.post(path, json=wish, headers=keyed(support, "r2"))
    assert (late.status_code, late.json["code"]) == (409, "refundable_changed")
    greedy = client.post(path, json={**wish, "expected_refundable": 3490, "amount": 3491}, headers=keyed(support, "r3"))
    assert (greedy.status_code, greedy.json["code"]) == (422, "refund_too_large")
    assert client.post(path, json=wish, headers=keyed(signed_in(), "r4")).status_code == 403
    unticked = {"reason": "returned", "expected_refundable": 3490, "lines": []}
    assert client.post(path, json=unticked, headers=keyed(support, "r5")).status_code == 422, "all of it went back"
    after = client.get(f"/v1/orders/{order['id']}", headers=signed_in()).json
    assert (after["status"], after["amount_refunded"], after["refundable"]) == ("partially_refunded", 1000, 3490)
    admin = signed_in("usr_8", "admin")
    assert client.get("/v1/ledger/verify", headers=admin).json["ok"] is True
    balances = {row["account"]: row["balance"] for row in client.get("/v1/ledger/accounts", headers=admin).json["data"]}
    assert sum(balances.values()) == 0
    assert balances["stripe"] == 4490 - 1000 - balances["fees"]
    entries = client.get(f"/v1/ledger/entries?order={order['id']}&limit=3", headers=admin).json
    assert len(entries["data"]) == 3
    assert entries["next_cursor"]
    assert all(sum(line["amount"] for line in entry["lines"]) == 0 for entry in entries["data"])
    owner_sees = client.get(path, headers=signed_in()).json["data"]
    assert [row["amount"] for row in owner_sees] == [1000]
    assert client.get(f"/v1/refunds/{owner_sees[0]['id']}", headers=signed_in("usr_2")).status_code == 404


def test_the_refunds_of_an_order_come_page_by_page(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in(), payment_method="pm_card_visa").json
    path = f"/v1/orders/{order['id']}/refunds"
    for number, left in enumerate((4490, 3990, 3490)):
        wish = {"amount": 500, "reason": "scratched", "expected_refundable": left}
        assert (
            client.post(path, json=wish, headers=keyed(signed_in("usr_9", "support"), f"r{number}")).status_code == 201
        )
    first = client.get(f"{path}?limit=2", headers=signed_in()).json
    rest = client.get(f"{path}?limit=2&cursor={first['next_cursor']}", headers=signed_in()).json
    ids = [row["id"] for row in [*first["data"], *rest["data"]]]
    assert (len(first["data"]), len(set(ids)), rest["next_cursor"]) == (2, 3, None)
    assert ids == sorted(ids, reverse=True)
    for wrong in ("limit=0", "limit=101", "cursor=x", "cursor=WyJyZWZfeCJd"):
        assert client.get(f"{path}?{wrong}", headers=signed_in()).json["code"] == "invalid_request"


def test_an_order_called_off_gives_its_goods_back_and_a_paid_one_cannot_be(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in()).json
    gone = client.post(f"/v1/orders/{order['id']}/cancel", headers=keyed(signed_in(), "c1"))
    assert (gone.status_code, gone.json["status"], gone.json["status_reason"]) == (200, "canceled", "customer")
    paid = place(client, signed_in(), "k2", payment_method="pm_card_visa").json
    refused = client.post(f"/v1/orders/{paid['id']}/cancel", headers=keyed(signed_in(), "c2"))
    assert (refused.status_code, refused.json["code"]) == (409, "already_captured")


def test_the_timeline_tells_why_and_reconciliation_finds_nothing_unexplained(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in(), payment_method="pm_card_visa").json
    path = f"/v1/orders/{order['id']}/timeline"
    assert client.get(path, headers=signed_in()).status_code == 403
    told = client.get(path, headers=signed_in("usr_9", "support")).json["data"]
    kinds = [moment["what"] for moment in told if moment["kind"] == "fact"]
    assert kinds[:3] == ["order.opened", "order.priced", "stock.reserved"]
    assert kinds.index("stock.committed") < len(kinds) - 1
    assert {moment["kind"] for moment in told} >= {"attempt", "fact", "ledger", "effect"}
    done = client.post("/v1/reconciliations", json={}, headers={**signed_in("usr_8", "admin"), "Prefer": "wait=20"})
    assert done.status_code == 201, done.text
    assert (done.json["unexplained"], done.json["checked"]["payments"]) == (0, 1)


def test_what_a_stranger_sends_is_refused(shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    assert place(client, {}).status_code == 401
    unknown = place(client, signed_in(), amount=1)
    assert (unknown.status_code, unknown.json["errors"][0]["pointer"]) == (422, "/amount")
    without = client.post("/v1/orders", json={"cart_id": "cart_1"}, headers=signed_in())
    assert (without.status_code, without.json["code"]) == (400, "idempotency_key_required")
    number = place(client, signed_in(), "k2", payment_method="4242 4242 4242 4242")
    assert number.status_code == 422
    assert client.get("/v1/orders/ord_nothing", headers=signed_in()).status_code == 404


def test_an_address_may_come_in_stripes_own_shape(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    parts = {"line1": "1 Market Street", "line2": None, "city": "Berlin", "country": "DE"}
    given = {"name": "Ada Byron", "address": parts}
    order = client.post(
        "/v1/orders", json={"cart_id": "cart_1", "shipping_address": given}, headers=keyed(signed_in(), "k1", wait=0)
    )
    assert order.json["shipping_address"] == {"name": "Ada Byron", **parts}


def test_a_shop_that_captures_at_shipping_time_asks_for_it(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.services.settings.__dict__["capture"] = "manual"
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in(), payment_method="pm_card_visa").json
    assert (order["status"], order["amount_captured"]) == ("authorized", 0)
    assert order["payment"]["capture_before"] > order["created_at"]
    path = f"/v1/orders/{order['id']}/capture"
    assert client.post(path, json={}, headers=keyed(signed_in(), "x1")).status_code == 403
    warehouse = signed_in("svc_1", "service")
    greedy = client.post(path, json={"amount": 4491}, headers=keyed(warehouse, "x2"))
    assert (greedy.status_code, greedy.json["code"]) == (422, "capture_too_large")
    taken = client.post(path, json={"amount": 2000}, headers=keyed(warehouse, "x3"))
    assert (taken.status_code, taken.json["status"], taken.json["amount_captured"]) == (200, "paid", 2000)
    again = client.post(path, json={}, headers=keyed(warehouse, "x4"))
    assert (again.status_code, again.json["code"]) == (409, "already_captured")


def test_without_a_wish_to_wait_the_answer_is_202_and_the_order_is_found_at_its_location(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    shop.stock("prd_1", 5)
    shop.cart("cart_1", ("prd_1", 1))
    first = place_without_waiting(client, signed_in())
    assert (first.status_code, first.json["status"], first.json["payment"]) == (202, "placing", None)
    early = client.post(
        f"{first.headers['Location']}/confirm",
        json={"payment_method": "pm_card_visa"},
        headers={**signed_in(), "Idempotency-Key": "c1"},
    )
    assert (early.status_code, early.json["code"]) == (409, "wrong_state")
    shop.work()
    found = client.get(first.headers["Location"], headers=signed_in()).json
    assert found["status"] == "awaiting_payment"


def place_without_waiting(client: FlaskClient, headers: Headers) -> Any:
    return client.post("/v1/orders", json={"cart_id": "cart_1"}, headers={**headers, "Idempotency-Key": "k1"})


def test_a_comparison_over_a_span_of_time_changes_nothing_in_a_dry_run(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    admin = signed_in("usr_8", "admin")
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dry_run": True}
    done = client.post("/v1/reconciliations", json=span, headers={**admin, "Prefer": "wait=20"})
    assert (done.status_code, done.json["state"], done.json["dry_run"]) == (201, "done", True), done.text
    assert (done.json["from"], done.json["to"]) == ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")
    assert client.get(done.headers["Location"], headers=admin).json == done.json
    backwards = client.post("/v1/reconciliations", json={**span, "to": span["from"]}, headers=admin)
    assert (backwards.status_code, backwards.json["errors"][0]["pointer"]) == (422, "/to")
    assert client.get("/v1/reconciliations/rec_nothing", headers=admin).status_code == 404
    assert open_shop.sql("SELECT count(*) FROM orders") == [(0,)]
