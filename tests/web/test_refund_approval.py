"""Large refunds over HTTP: asked for by support, decided by an admin who is somebody else."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.web.test_orders import Headers, keyed
from web.app import create_app


@pytest.fixture(name="client")
def _client(shop: Shop) -> FlaskClient:
    """The shop's application with the rule switched on."""
    values: dict[str, Any] = {name: getattr(shop.services, name) for name in Services.__dataclass_fields__}
    values["settings"] = shop.services.settings.model_copy(update={"refund_approval_from_minor": 2000})
    return create_app(Services(**values)).test_client()


def ask(client: FlaskClient, shop: Shop, order_id: str, who: Headers, amount: int, key: str) -> Any:
    wish = {"reason": "broken", "expected_refundable": shop.read(order_id).refundable, "amount": amount}
    return client.post(f"/v1/orders/{order_id}/refunds", json=wish, headers=keyed(who, key, wait=0))


def test_support_asks_an_admin_decides_and_the_customer_sees_only_the_money(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    support, admin = signed_in("usr_9", "support"), signed_in("usr_8", "admin")
    asked = ask(client, shop, order_id, support, 3000, "r1")
    assert (asked.status_code, asked.json["status"], asked.json["requested_by"]) == (202, "requested", "usr_9")
    refund_id = asked.json["id"]
    assert client.get(f"/v1/orders/{order_id}", headers=signed_in()).json["refundable"] == 1490
    waiting = client.get("/v1/refunds", headers=support).json["data"]
    assert [refund["id"] for refund in waiting] == [refund_id]
    for path, body in (("approve", {}), ("decline", {"reason": "no"})):
        refused = client.post(f"/v1/refunds/{refund_id}/{path}", json=body, headers=support)
        assert refused.status_code == 403
        own = client.post(f"/v1/refunds/{refund_id}/{path}", json=body, headers=signed_in("usr_9", "admin"))
        assert (own.status_code, own.json["code"]) == (403, "own_request")
    approved = client.post(f"/v1/refunds/{refund_id}/approve", json={"reason": "seen"}, headers=admin)
    assert approved.status_code == 200
    assert approved.json["status"] == "pending"
    assert (approved.json["decision"]["by"], approved.json["decision"]["reason"]) == ("usr_8", "seen")
    again = client.post(f"/v1/refunds/{refund_id}/decline", json={"reason": "no"}, headers=signed_in("usr_7", "admin"))
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    shop.work()
    theirs = client.get(f"/v1/refunds/{refund_id}", headers=signed_in()).json
    assert theirs["status"] == "succeeded"
    assert not {"requested_by", "decision"} & set(theirs)
    assert client.get("/v1/refunds", headers=support).json["data"] == []


def test_a_declined_request_frees_the_money_and_says_why(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    refund_id = ask(client, shop, order_id, signed_in("usr_9", "support"), 4490, "r1").json["id"]
    admin = signed_in("usr_8", "admin")
    assert client.post(f"/v1/refunds/{refund_id}/decline", json={}, headers=admin).status_code == 422
    declined = client.post(f"/v1/refunds/{refund_id}/decline", json={"reason": "worn for a year"}, headers=admin)
    assert (declined.json["status"], declined.json["decision"]["reason"]) == ("declined", "worn for a year")
    assert client.get(f"/v1/orders/{order_id}", headers=signed_in()).json["refundable"] == 4490
    missing = client.post("/v1/refunds/ref_none/approve", json={}, headers=admin)
    assert missing.status_code == 404


def test_an_admin_is_the_second_person_already_and_small_sums_need_none(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    assert ask(client, shop, order_id, signed_in("usr_9", "support"), 1999, "r1").json["status"] == "pending"
    assert ask(client, shop, order_id, signed_in("usr_8", "admin"), 2491, "r2").json["status"] == "pending"
    assert client.get("/v1/refunds", headers=signed_in()).status_code == 403


def test_a_preview_says_what_a_refund_comes_to_and_leaves_and_changes_nothing(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order(payment_method="pm_card_visa")
    shop.settle(order_id, "paid")
    support = signed_in("usr_9", "support")
    order = client.get(f"/v1/orders/{order_id}", headers=support).json
    assert order is not None
    wish = {
        "reason": "one was broken",
        "expected_refundable": order["refundable"],
        "lines": [{"line_id": order["lines"][0]["id"], "quantity": 1}],
        "shipping": 90,
    }
    path = f"/v1/orders/{order_id}/refunds"
    seen = client.post(f"{path}/preview", json=wish, headers=support)
    assert seen.status_code == 200
    assert (seen.json["amount"], seen.json["refundable_after"], seen.json["needs_approval"]) == (2090, 2400, True)
    assert client.get(path, headers=support).json["data"] == []
    made = client.post(path, json=wish, headers=keyed(support, "r1", wait=0)).json
    assert (made["amount"], made["lines"]) == (seen.json["amount"], seen.json["lines"])
    again = client.post(f"{path}/preview", json=wish, headers=support)
    assert (again.status_code, again.json["code"]) == (409, "refundable_changed")
    assert client.post(f"{path}/preview", json=wish, headers=signed_in()).status_code == 403
