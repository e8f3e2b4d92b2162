"""Many card numbers in many forms sent to every place that takes anything: refused, and afterwards nowhere to be found."""

import gzip
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote_plus

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.test import TestResponse

from boot.services import Services

Headers = dict[str, str]
SignedIn = Callable[..., Headers]

NUMBERS = ("4242424242424242", "5555555555554444", "378282246310005", "30569309025904", "4222222222222")
GROUPED = (
    "4242 4242 4242 4242", "4242-4242-4242-4242", "4242.4242.4242.4242", "3782 822463 10005", "4242\u00a04242\u00a04242\u00a04242",
    "4242 - 4242 - 4242 - 4242", "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "my card 4242424242424242 12/29",
)  # fmt: skip
TEXTS = NUMBERS + GROUPED


def requests_with(client: FlaskClient, text: str, mine: Headers, staff: Headers) -> Iterator[TestResponse]:
    """The text in each part of a request, at each kind of place that takes any."""
    keyed = {**mine, "Idempotency-Key": "k1"}
    order = {"cart_id": "cart_1"}
    yield client.post("/v1/orders", json={**order, "cart_id": text}, headers=keyed)
    yield client.post("/v1/orders", json={**order, "email": f"{text.replace(' ', '-')}@example.com"}, headers=keyed)
    yield client.post("/v1/orders", json={**order, "payment_method": text}, headers=keyed)
    yield client.post("/v1/orders", json={**order, "shipping_address": {"line1": text}}, headers=keyed)
    yield client.post("/v1/orders", json={**order, "shipping_address": {text: "x"}}, headers=keyed)
    yield client.post("/v1/orders", json={**order, text: "x"}, headers=keyed)
    yield client.post("/v1/orders", data=json.dumps({"cart_id": text}), headers=keyed, content_type="application/json")
    yield client.post("/v1/orders/ord_1/confirm", json={"payment_method": f"pm_{text}"}, headers=keyed)
    yield client.post(
        "/v1/orders/ord_1/refunds", json={"reason": text, "expected_refundable": 1}, headers=keyed | staff
    )
    yield client.get(f"/v1/orders/{quote_plus(text.replace('/', ' '))}", headers=mine)
    yield client.get("/v1/orders", query_string={"cursor": text}, headers=mine)
    yield client.get("/v1/orders", query_string={text: "1"}, headers=mine)
    yield client.get("/v1/orders/ord_1/timeline", query_string={"card": text}, headers=staff)
    yield client.get("/v1/search", query_string={"q": text})
    yield client.get("/v1/search", query_string={"q": f"red lamp {text}"})
    product = {"id": "p", "name": text, "description": "", "category": "c", "price": 1, "currency": "eur", "stock": 1}
    yield client.post("/v1/catalog/products", json=[product], headers=staff)
    yield client.post(
        "/v1/catalog/products",
        data=gzip.compress(json.dumps(product, ensure_ascii=False).encode()),
        headers=staff | {"Content-Encoding": "gzip"},
        content_type="application/x-ndjson",
    )
    yield client.post(
        "/v1/webhooks/stripe", data=json.dumps({"id": "evt_1", "card": text}, ensure_ascii=False).encode()
    )
    if text.isascii():
        for name in (
            "Idempotency-Key",
            "X-Visitor-Id",
            "User-Agent",
            "Referer",
            "X-Anything",
            "Prefer",
            "Accept-Language",
        ):
            yield client.post("/v1/orders", json=order, headers={**keyed, name: text})
        yield client.post("/v1/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": text})


def everything_stored(services: Services) -> str:
    """Every column of every table, as text."""
    with psycopg.connect(services.settings.database_url.get_secret_value()) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = (
            connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(name))).fetchall()
            for (name,) in names
        )
        return "\n".join(str(row[0]) for found in rows for row in found)


@pytest.mark.parametrize("text", TEXTS)
def test_a_card_number_is_refused_wherever_it_is_sent_and_found_nowhere_afterwards(
    client: FlaskClient,
    services: Services,
    signed_in: SignedIn,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    text: str,
) -> None:
    answers = list(requests_with(client, text, signed_in("usr_1"), signed_in("usr_9", "admin", "service")))
    assert {answer.status_code for answer in answers} <= {400, 422}, [
        (number, answer.status_code, answer.text)
        for number, answer in enumerate(answers)
        if answer.status_code not in {400, 422}
    ]
    heard = capfd.readouterr()
    assert "/v1/webhooks/stripe" in heard.out, "there was something to listen to"
    places = (
        heard.out + heard.err + caplog.text + everything_stored(services) + "".join(answer.text for answer in answers)
    )
    bare = "".join(letter for letter in text if letter.isdigit())
    assert text not in places
    assert bare[:16] not in places


def test_numbers_that_agents_add_to_a_request_are_let_through(client: FlaskClient, signed_in: SignedIn) -> None:
    client = client.application.test_client(use_cookies=False)
    headers = signed_in("usr_1") | {
        "X-Datadog-Trace-Id": "4242424242424242",
        "X-Cloud-Trace-Context": "105445aa7843bc8bf206b12000100000/4242424242424242;o=1",
        "Cookie": "oeu=oeu1696234567890r0.4242424242424242; _ga=GA1.2.1234567890.1763900000",
    }
    assert client.get("/v1/orders", headers=headers).status_code == 200
    headers["Cookie"] = "card=4242424242424242"
    answer = client.get("/v1/orders", headers=headers)
    assert (answer.status_code, answer.json and answer.json["errors"][0]["pointer"]) == (422, "/headers/Cookie")
