"""A client of the API: it signs its own tokens with the secret of the tests."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from boot.services import Services
from boot.settings import Settings
from tests.web import serving, toyshop
from tests.web.serving import Running, Serve
from web.app import create_app

Headers = dict[str, str]


@pytest.fixture(name="client")
def _client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


@pytest.fixture(name="signed_in")
def _signed_in(services: Services) -> Callable[..., Headers]:
    """Headers of a caller: `signed_in("cus_1", "support")`; claims can be overridden."""

    def headers(sub: str = "usr_1", *roles: str, **claims: Any) -> Headers:
        body = {"sub": sub, "exp": int(time.time()) + 60, "roles": list(roles) or ["customer"], **claims}
        token = jwt.encode(body, services.settings.auth_jwt_secret.get_secret_value(), algorithm="HS256")
        return {"Authorization": f"Bearer {token}"}

    return headers


@pytest.fixture(name="toys")
def _toys(services: Services) -> FlaskClient:
    """A client of the toy shop: the same foundation under a few routes made for trying it."""
    toyshop.GATE.clear()
    toyshop.INSIDE.clear()
    toyshop.make_table(services.db)
    return create_app(services, [toyshop.group()]).test_client()


@pytest.fixture(name="serve")
def _serve(settings_with: Callable[..., Settings], tmp_path: Path) -> Iterator[Serve]:
    """Start granian with `serve("web.wsgi:app", workers=2, threads=8)`; it is stopped with the test."""
    started: list[Running] = []

    def begin(target: str, *, workers: int, threads: int) -> Running:
        started.append(serving.start(settings_with(), tmp_path, target, workers=workers, threads=threads))
        return started[-1]

    yield begin
    for running in started:
        running.process.terminate()
        running.process.wait(20)
