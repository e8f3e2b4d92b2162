"""Two at once, at the very moment that matters: one of them wins, and nobody pays or gets anything twice.

`python -m bench.proofs races --rounds 20` runs each again and again.
"""

import json
from collections.abc import Iterator

import jwt
import pytest
import stripe

from bench.proofs.house import SECRET, House, open_house
from bench.proofs.races import RACES, _Held, both
from bench.proofs.scenarios import pay_in_browser, waiting
from devstack.embedded.databases import create_database, drop_database
from devstack.embedded.state import Urls


@pytest.fixture(scope="module", name="house")
def _house(servers: Urls, template: str) -> Iterator[House]:
    name = f"{template}_races"
    url = create_database(servers.database_url, name, template=template)
    with open_house(url, servers.redis_url) as house:
        house.queues = ("payments",)
        yield house
    drop_database(servers.database_url, name)


@pytest.mark.parametrize("name", RACES)
def test_of_two_at_once_one_wins(house: House, name: str) -> None:
    try:
        RACES[name](house, house.customer())
    finally:
        house.never_hear()
        house.sql("DELETE FROM jobs")


def test_a_webhook_that_comes_twice_at_the_same_moment_is_kept_once(house: House) -> None:
    from dataclasses import replace

    from web.app import create_app

    pay_in_browser(house, waiting(house, house.customer()))
    event = house.news()[-1]
    body = json.dumps(event)
    headers = {
        "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, SECRET),
        "Content-Type": "application/json",
    }

    def told(held: object) -> int:
        services = replace(house.services, db=held) if isinstance(held, _Held) else house.services
        client = create_app(services).test_client()
        return client.post("/v1/webhooks/stripe", data=body, headers=headers).status_code

    assert both(house, told, lambda: told(None)) == (200, 200)
    rows = house.sql("SELECT id, repeats FROM webhook_deliveries WHERE event_id = %s", event["id"])
    assert [repeats for _, repeats in rows] == [1]
    staged = "SELECT count(*) FROM jobs WHERE name = 'payments.inbox' AND args ->> 'delivery_id' = %s"
    assert house.sql(staged, rows[0][0]) == [(1,)]
    house.never_hear()
    house.sql("DELETE FROM jobs")


def test_one_key_used_twice_at_once_makes_one_order(house: House) -> None:
    from dataclasses import replace

    from web.app import create_app

    who = house.customer()
    secret = house.services.settings.auth_jwt_secret.get_secret_value()
    token = jwt.encode({"sub": who.id, "exp": 4102444800, "roles": ["customer"]}, secret, algorithm="HS256")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "the same"}

    def orders(held: object) -> tuple[int, str | None]:
        services = replace(house.services, db=held) if isinstance(held, _Held) else house.services
        answer = create_app(services).test_client().post("/v1/orders", json={"cart_id": who.cart}, headers=headers)
        return answer.status_code, answer.json and answer.json.get("code")

    first, second = both(house, orders, lambda: orders(None))
    assert first[0] == 202
    assert second in {(409, "idempotency_in_flight"), (202, None)}
    assert house.sql("SELECT count(*) FROM orders WHERE customer_id = %s", who.id) == [(1,)]
    assert orders(None)[0] == 202
    assert house.sql("SELECT count(*) FROM orders WHERE customer_id = %s", who.id) == [(1,)]
    house.sql("DELETE FROM jobs")
