"""Disputes over HTTP: for support only, with what they cost and what they block."""

import time
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.web.test_orders import Headers, _client, _open_shop, keyed, place  # noqa: F401 - fixtures


def test_support_sees_disputes_and_what_they_block(
    open_shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    open_shop.stock("prd_1", 5)
    open_shop.cart("cart_1", ("prd_1", 2))
    order = place(client, signed_in(), payment_method="pm_card_visa").json
    assert order["disputed"] is False
    (charge,) = open_shop.sql("SELECT charge_id FROM payments")[0]
    open_shop.door("disputes", charge=charge, reason="product_not_received")
    deadline = time.monotonic() + 15
    while not open_shop.read(order["id"]).disputed:
        assert time.monotonic() < deadline, "the dispute was never seen"
        time.sleep(0.05)
    support = signed_in("usr_9", "support")
    page = client.get("/v1/disputes?status=needs_response&limit=1", headers=support).json
    (found,) = page["data"]
    assert page["next_cursor"] is None
    assert (found["order_id"], found["reason"], found["amount"]) == (order["id"], "product_not_received", 4490)
    assert (found["withdrawn"], found["fee"], found["blocks_refunds"]) == (4490, 1500, True)
    assert client.get(f"/v1/disputes/{found['id']}", headers=support).json == found
    assert client.get("/v1/disputes?status=won", headers=support).json["data"] == []
    assert client.get(f"/v1/disputes?order={order['id']}", headers=support).json["data"] == [found]
    assert client.get(f"/v1/orders/{order['id']}", headers=signed_in()).json["disputed"] is True
    wish = {"reason": "sorry", "expected_refundable": 4490}
    refused = client.post(f"/v1/orders/{order['id']}/refunds", json=wish, headers=keyed(support, "r1"))
    assert (refused.status_code, refused.json["code"]) == (409, "dispute_open")
    timeline = client.get(f"/v1/orders/{order['id']}/timeline", headers=support).json["data"]
    assert {"dispute.seen", "dispute"} <= {moment["what"] for moment in timeline}


def test_customers_do_not_see_disputes(client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    assert client.get("/v1/disputes", headers=signed_in()).status_code == 403
    assert client.get("/v1/disputes/dsp_1", headers=signed_in()).status_code == 403
    assert client.get("/v1/disputes/dsp_1", headers=signed_in("usr_9", "support")).status_code == 404
