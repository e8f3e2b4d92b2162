"""Tokens of the Auth service, from its own doors: keys published, fetched, kept, and changed while customers shop."""

import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from boot.services import Services, connect
from boot.settings import Settings
from devstack.stand_ins.auth.app import create_app as auth_stand_in
from devstack.stand_ins.serving import serving
from shop.identity import keys
from tests.web import toyshop
from web.app import create_app


@pytest.fixture(name="auth_url")
def _auth_url() -> Iterator[str]:
    with serving(auth_stand_in(issuer="http://auth", audience="backroom")) as served:
        yield served.url


@pytest.fixture(name="shop")
def _shop(auth_url: str, settings_with: Callable[..., Settings]) -> Iterator[Services]:
    settings = settings_with(auth_jwt_secret="", auth_url=auth_url, auth_issuer="http://auth", auth_audience="backroom")
    services = connect(settings, name="test")
    yield services
    services.db.close()


def token(auth_url: str, **wish: object) -> dict[str, str]:
    answer = requests.post(f"{auth_url}/dev/tokens", json={"sub": "usr_1", **wish}, timeout=5)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def fetch(services: Services) -> None:
    keys.keys(services.db, services.users)


def test_who_signs_in_at_auth_is_known_here(auth_url: str, shop: Services) -> None:
    fetch(shop)
    client = create_app(shop, [toyshop.group()]).test_client()
    seen = client.get("/toys/me", headers=token(auth_url)).json
    assert seen is not None
    assert seen["sub"] == "usr_1"
    assert client.get("/toys/me", headers=token(auth_url, expires_in=-3600)).status_code == 401
    assert client.get("/v1/nothing", headers=token(auth_url)).status_code == 404


def test_roles_open_and_close_doors(auth_url: str, shop: Services) -> None:
    fetch(shop)
    client = create_app(shop).test_client()
    assert client.get("/v1/queues", headers=token(auth_url, roles=["support"])).status_code == 200
    assert client.get("/v1/queues", headers=token(auth_url, roles=["customer"])).status_code == 403


def test_the_first_customer_of_a_new_shop_waits_a_moment_and_is_served(auth_url: str, shop: Services) -> None:
    client = create_app(shop, [toyshop.group()]).test_client()
    worker = threading.Timer(0.5, fetch, (shop,))
    worker.start()
    assert client.get("/toys/me", headers=token(auth_url)).status_code == 200
    worker.join()


def test_a_changed_key_signs_nobody_out(auth_url: str, shop: Services) -> None:
    fetch(shop)
    client = create_app(shop, [toyshop.group()]).test_client()
    old = token(auth_url)
    assert client.get("/toys/me", headers=old).status_code == 200
    requests.post(f"{auth_url}/dev/keys", timeout=5).raise_for_status()
    worker = threading.Timer(0.5, fetch, (shop,))
    worker.start()
    assert client.get("/toys/me", headers=token(auth_url)).status_code == 200
    worker.join()
    assert client.get("/toys/me", headers=old).status_code == 200


def test_while_auth_is_away_tokens_are_still_checked(auth_url: str, shop: Services) -> None:
    fetch(shop)
    client = create_app(shop, [toyshop.group()]).test_client()
    held = token(auth_url)
    requests.post(
        f"{auth_url}/standin/faults",
        json={"match": "GET /.well-known/jwks.json", "times": 100, "kind": "status", "status": 500},
        timeout=5,
    ).raise_for_status()
    with pytest.raises(Exception, match="auth"):
        fetch(shop)
    assert client.get("/toys/me", headers=held).status_code == 200
