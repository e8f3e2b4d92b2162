"""Cart as a neighbour would see it: read, cleared once or often, filled by a door."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from devstack.stand_ins.carts import create_app
from devstack.stand_ins.doors import Served, serving

BEARER = {"Authorization": "Bearer s3cret"}
LINES = [{"product_id": "prd_1", "quantity": 2}]


@pytest.fixture
def carts() -> Iterator[Served]:
    with serving(create_app(service_token="s3cret")) as served:
        yield served


def put(carts: Served, cart_id: str, **cart: object) -> requests.Response:
    return requests.put(f"{carts.url}/carts/{cart_id}", json=cart, timeout=5)


def get(carts: Served, cart_id: str) -> requests.Response:
    return requests.get(f"{carts.url}/carts/{cart_id}", headers=BEARER, timeout=5)


def delete(carts: Served, cart_id: str) -> int:
    return requests.delete(f"{carts.url}/carts/{cart_id}", headers=BEARER, timeout=5).status_code


def test_a_cart_is_shown_as_it_was_put(carts: Served):
    put(carts, "crt_1", user_id="usr_1", currency="eur", lines=LINES)
    assert get(carts, "crt_1").json() == {"id": "crt_1", "user_id": "usr_1", "currency": "eur", "lines": LINES}


def test_clearing_twice_is_as_good_as_once(carts: Served):
    put(carts, "crt_1", user_id="usr_1", currency="eur", lines=LINES)
    assert [delete(carts, "crt_1"), delete(carts, "crt_1")] == [204, 204]
    assert get(carts, "crt_1").json()["code"] == "cart_not_found"


def test_a_wrong_token_opens_nothing_and_without_one_a_cart_can_only_be_looked_at(carts: Served):
    put(carts, "crt_1", user_id="usr_1", currency="eur", lines=LINES)
    wrong = {"Authorization": "Bearer wrong"}
    assert requests.get(f"{carts.url}/carts/crt_1", headers=wrong, timeout=5).status_code == 401
    assert requests.get(f"{carts.url}/carts/crt_1", timeout=5).json()["lines"] == LINES
    assert requests.delete(f"{carts.url}/carts/crt_1", timeout=5).status_code == 401
    assert get(carts, "crt_1").status_code == 200


@pytest.mark.parametrize(
    "cart",
    [
        {"user_id": "u", "lines": [{"product_id": "p", "quantity": 0}]},
        {"user_id": "u", "lines": [{"product_id": "p", "quantity": 1, "price": 1}]},
        {"user_id": "u", "lines": "two grinders"},
        {"user_id": "u", "id": "crt_2"},
        {"lines": []},
    ],
)
def test_a_cart_that_makes_no_sense_is_refused(carts: Served, cart: dict):
    assert put(carts, "crt_1", **cart).status_code == 422
    assert get(carts, "crt_1").status_code == 404


def test_it_runs_as_a_process_of_its_own_and_stops_when_asked():
    command = [sys.executable, "-m", "devstack.stand_ins.carts", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert requests.get(f"{url}/carts/crt_1", timeout=5).status_code == 404
        process.terminate()
        assert process.wait(10) == 0
