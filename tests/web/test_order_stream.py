"""Watching an order: its state first, each change once, and an end."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask.testing import FlaskClient

from shop.payments.orders.confirm import ask_confirm
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.web.test_orders import Headers, _client, keyed  # noqa: F401 - a fixture
from web.app import create_app


def watch(shop: Shop, order_id: str, headers: Headers) -> Any:
    return create_app(shop.services).test_client().get(f"/v1/orders/{order_id}/stream", headers=headers, buffered=False)


def orders_in(answer: Any) -> Iterator[dict[str, Any]]:
    """The body of each `order` event as it comes."""
    for chunk in answer.iter_encoded():
        lines = chunk.decode().splitlines()
        if "event: order" in lines:
            yield json.loads(lines[2].removeprefix("data: "))


def test_a_watcher_sees_the_state_now_and_each_change_until_the_order_is_paid(
    shop: Shop, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order()
    seen = orders_in(watch(shop, order_id, signed_in("usr_1")))
    first = next(seen)
    assert (first["id"], first["status"]) == (order_id, "awaiting_payment")
    assert first["payment"]["client_secret"].startswith("pi_")
    ask_confirm(shop.services.db, shop.terms, order_id, method="pm_card_authenticationRequired", actor="usr_1")
    assert next(seen)["status"] == "processing"
    shop.work()
    assert next(seen)["status"] == "requires_action"

    def finish() -> None:
        shop.door(f"3ds/{shop.intent(order_id)}", outcome="succeed")
        shop.settle(order_id, "paid")

    bank = threading.Thread(target=finish)
    bank.start()
    rest = list(seen)
    bank.join()
    assert rest[-1]["status"] == "paid"
    shown = [{**order, "updated_at": None} for order in rest]
    assert all(one != other for one, other in itertools.pairwise(shown))


def test_an_order_that_is_called_off_is_shown_once_and_a_browser_that_saw_it_is_told_to_stop(
    shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]
) -> None:
    order_id = shop.simple_order()
    client.post(f"/v1/orders/{order_id}/cancel", headers=keyed(signed_in("usr_1"), "c1", wait=0))
    shop.settle(order_id, "canceled")
    answer = watch(shop, order_id, signed_in("usr_1"))
    text = b"".join(answer.iter_encoded()).decode()
    assert text.count("event: order") == 1
    (mark,) = [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")]
    again = client.get(f"/v1/orders/{order_id}/stream", headers={**signed_in("usr_1"), "Last-Event-ID": mark})
    assert (again.status_code, again.data) == (204, b"")


def test_what_changes_nothing_visible_is_no_event(shop: Shop, signed_in: Callable[..., Headers]) -> None:
    order_id = shop.simple_order()
    seen: list[dict[str, Any]] = []
    answer = watch(shop, order_id, signed_in("usr_1"))

    def read() -> None:
        seen.extend(orders_in(answer))

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.7)
    shop.sql("UPDATE orders SET updated_at = now()")
    time.sleep(0.7)
    shop.pay_in_browser(order_id)
    shop.settle(order_id, "paid")
    reader.join()
    assert [order["status"] for order in seen].count("awaiting_payment") == 1
    assert seen[-1]["status"] == "paid"


def test_only_the_owner_watches(shop: Shop, client: FlaskClient, signed_in: Callable[..., Headers]) -> None:
    order_id = shop.simple_order()
    for other in (signed_in("usr_2"), signed_in("usr_9", "support")):
        assert client.get(f"/v1/orders/{order_id}/stream", headers=other).status_code == 404
    assert client.get("/v1/orders/ord_nothing/stream", headers=signed_in("usr_1")).status_code == 404
