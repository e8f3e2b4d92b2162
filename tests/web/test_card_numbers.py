"""A card number is refused wherever it can be sent, and gets into no log and no table."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from boot.services import Services

CARD = "4242 4242 4242 4242"
BARE = CARD.replace(" ", "")
Headers = dict[str, str]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"payment_method": BARE}, "/payment_method"),
        ({"payment_method": f"card_{BARE}"}, "/payment_method"),
        ({"shipping_address": {"line2": f"card {CARD}"}}, "/shipping_address/line2"),
        ({"shipping_address": {BARE: "x"}}, "/shipping_address"),
        ({"email": f"{BARE}@example.com"}, "/email"),
        ({"cart_id": CARD}, "/cart_id"),
    ],
)
def test_an_order_with_a_card_number_in_it_is_refused(
    client: FlaskClient, signed_in: Callable[..., Headers], body: dict[str, Any], pointer: str
) -> None:
    headers = signed_in("usr_1") | {"Idempotency-Key": "k1"}
    answer = client.post("/v1/orders", json={"cart_id": "cart_1", **body}, headers=headers)
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
    assert BARE not in answer.text.replace(" ", "") or pointer == "/shipping_address"


def test_a_search_for_a_card_number_is_not_made(client: FlaskClient) -> None:
    assert client.get("/v1/search", query_string={"q": CARD}).status_code == 422


def test_an_event_with_a_card_number_is_refused_alone(client: FlaskClient, services: Services) -> None:
    def event(number: int, **more: Any) -> dict[str, Any]:
        return {
            "id": f"019adf00-0000-7000-8000-00000000000{number}",
            "name": "page_view",
            "ts": "2026-11-23T12:00:00Z",
            "visitor_id": "v1",
            **more,
        }

    events = [
        event(1, props={"typed": [CARD]}),
        event(2, props={"n": int(BARE)}),
        event(3, path=f"/?c={BARE}"),
        event(4),
    ]
    answer = client.post("/v1/events", json={"sent_at": "2026-11-23T12:00:01Z", "events": events})
    assert answer.status_code == 202, answer.text
    assert [refused["index"] for refused in answer.json["rejected"]] == [0, 1, 2]
    assert answer.json["accepted"] == 1


@pytest.mark.parametrize(("name", "status"), [("X-Visitor-Id", 422), ("X-Request-Id", 200)])
def test_a_header_with_a_card_number_is_refused_or_not_taken(client: FlaskClient, name: str, status: int) -> None:
    answer = client.get("/v1/search", query_string={"q": "lamp"}, headers={name: BARE})
    assert answer.status_code in {status, 503}
    assert BARE not in answer.headers["X-Request-Id"]
