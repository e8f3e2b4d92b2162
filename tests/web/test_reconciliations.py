"""Comparisons with Stripe over HTTP: decided about by admins, with a reason, and visible in the order's own story."""

from collections.abc import Callable
from typing import Any

import requests
from flask.testing import FlaskClient

from shop.payments.settlement.settle import settle
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.web.test_orders import Headers, _client  # noqa: F401 - a fixture

BEARER = {"Authorization": "Bearer sk_test_of_the_tests"}
CARD = {"payment_method": "pm_card_visa", "return_url": "https://shop.example/return"}


def worked(shop: Shop, client: FlaskClient, admin: Headers, path: str, body: dict[str, Any]) -> Any:
    """Ask for work, do it, and fetch what came of it."""
    asked = client.post(path, json=body, headers=admin)
    assert asked.status_code == 202, asked.text
    shop.work()
    return client.get(asked.headers["Location"], headers=admin).json


def compared(shop: Shop, client: FlaskClient, admin: Headers, **body: Any) -> Any:
    return worked(shop, client, admin, "/v1/reconciliations", body)


def paid_after_it_was_over(shop: Shop) -> str:
    """Money arrives for an order that was called off: nobody but a person can say what now."""
    order_id = shop.simple_order()
    from shop.payments.orders.cancel import ask_cancel

    ask_cancel(shop.services.db, order_id, reason="customer", actor="usr_1")
    shop.work()
    assert shop.read(order_id).status == "canceled"
    data = {"amount": 4490, "currency": "eur", "capture_method": "manual", "metadata[order_id]": order_id}
    url = f"{shop.stripe.url}/v1/payment_intents"
    late = requests.post(url, data=data, headers=BEARER, timeout=5).json()["id"]
    for path, more in (("confirm", CARD), ("capture", {})):
        requests.post(f"{url}/{late}/{path}", data=more, headers=BEARER, timeout=5).raise_for_status()
    shop.read_all_news()
    assert shop.read(order_id).status == "canceled"
    return order_id


def test_money_for_an_order_that_is_over_is_followed_only_by_a_persons_decision(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = paid_after_it_was_over(shop)
    admin = signed_in("usr_8", "admin")
    found = compared(shop, client, admin)
    (number,) = [each["number"] for each in found["differences"] if each["kind"] == "missing_here"]
    path = f"/v1/reconciliations/{found['id']}/differences/{number}/resolve"
    wish = {"action": "take_over", "reason": "the customer called"}
    assert client.post(path, json=wish, headers=signed_in("usr_9", "support")).status_code == 403
    assert client.post(path, json={"action": "take_over", "reason": ""}, headers=admin).status_code == 422
    refused = worked(shop, client, admin, path, wish)
    assert (refused["state"], refused["error"]["code"]) == ("failed", "illegal_move")
    assert shop.read(order_id).status == "canceled"
    assert worked(shop, client, admin, path, {**wish, "action": "force"})["state"] == "done"
    assert shop.read(order_id).status == "paid"
    told = client.get(f"/v1/orders/{order_id}/timeline", headers=admin).json["data"]
    (made,) = [moment for moment in told if moment["what"] == "correction.made"]
    assert made["detail"]["actor"] == "usr_8"
    assert made["detail"]["data"]["reason"] == "the customer called"
    again = client.post(path, json={**wish, "action": "accept"}, headers=admin)
    assert (again.status_code, again.json["code"]) == (409, "already_resolved")
    assert [line["unexplained"] for line in compared(shop, client, admin)["equation"]] == [0]


def test_an_accepted_difference_is_explained_here_and_in_the_next_comparison(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    admin = signed_in("usr_8", "admin")
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * 24 * 3600)
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    shop.sql("UPDATE payouts SET composed_minor = 4329")
    found = compared(shop, client, admin, dry_run=True)
    (difference,) = found["differences"]
    assert (difference["kind"], difference["ours"], difference["theirs"]) == ("payout_sum", "4329 eur", "4330 eur")
    assert (found["explained"], found["unexplained"]) == (0, 1)
    path = f"/v1/reconciliations/{found['id']}/differences/{difference['number']}/resolve"
    decided = client.post(path, json={"action": "accept", "reason": "known since the move"}, headers=admin)
    assert (decided.status_code, decided.json["unexplained"]) == (200, 0)
    assert decided.json["differences"][0]["explanation"] == "accept by usr_8: known since the move"
    again = compared(shop, client, admin, dry_run=True)
    assert again["unexplained"] == 0
    assert again["differences"][0]["explanation"].startswith("accepted by usr_8 on 20")
    for wrong in ("0", "99", "x"):
        asked = client.post(
            path.replace(f"/{difference['number']}/", f"/{wrong}/"),
            json={"action": "accept", "reason": "no"},
            headers=admin,
        )
        assert asked.status_code in {404, 422}


def test_payouts_proofs_and_sealed_days_are_for_admins(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    admin = signed_in("usr_8", "admin")
    shop.simple_order(payment_method="pm_card_visa")
    shop.door("clock", advance=3 * 24 * 3600)
    shop.read_all_news()
    settle(shop.services.db, shop.services.settlements)
    (payout,) = client.get("/v1/payouts", headers=admin).json["data"]
    assert (payout["status"], payout["amount"], payout["composed"]) == ("in_transit", 4330, 4330)
    proof = worked(shop, client, admin, "/v1/ledger/proofs", {})
    assert (proof["ok"], proof["state"]) == (True, "done")
    assert client.get("/v1/ledger/proofs", headers=admin).json["data"] == [proof]
    assert client.get("/v1/ledger/digests", headers=admin).json["data"] == []
    checked = client.get("/v1/ledger/verify", headers=admin).json
    assert (checked["ok"], checked["complete"], checked["since"]) == (True, True, None)
    kinds = {row["account"]: row["kind"] for row in client.get("/v1/ledger/accounts", headers=admin).json["data"]}
    assert kinds["authorised"] == "memo"
    for path in ("/v1/payouts", "/v1/ledger/proofs", "/v1/ledger/digests", "/v1/reconciliations"):
        assert client.get(path, headers=signed_in("usr_9", "support")).status_code == 403
