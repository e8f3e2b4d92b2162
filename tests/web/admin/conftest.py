"""A browser for the admin pages, without scripts: it keeps cookies, follows forms, and signs in as people do."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from boot.services import Services
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.web.admin.page import Page
from tests.web.test_orders import _open_shop  # noqa: F401 - a fixture: the shop with somebody at work in it
from web.app import create_app

Token = Callable[..., str]


@dataclass
class Browser:
    client: FlaskClient
    base: str = "http://localhost"

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=self.base)

    def page(self, path: str) -> Page:
        """A page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[-2000:]}"
        return Page(answer.text)

    def post(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data=fields, base_url=self.base)

    def send(self, page: Page, action: str, **typed: str) -> TestResponse:
        """Fill in a form of the page and send it."""
        return self.post(action, **{**page.form(action), **typed})

    def follow(self, answer: TestResponse) -> Page:
        """The page after an action."""
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[-2000:]}"
        return self.page(answer.headers["Location"])

    def sign_in(self, token: str, onward: str = "/admin") -> TestResponse:
        state = Page(self.get("/admin/sign-in").text).form("/admin/sign-in")["state"]
        return self.post("/admin/sign-in", token=token, state=state, next=onward)

    @property
    def mark(self) -> str:
        """What forms of whoever is signed in carry."""
        return Page(self.get("/admin/queues").text).form("/admin/sign-out")["mark"]


@pytest.fixture(name="token")
def _token(services: Services) -> Token:
    """A token as the Auth service signs one: `token("usr_9", "support")`."""
    secret = services.settings.auth_jwt_secret.get_secret_value()

    def sign(sub: str = "usr_9", *roles: str, lasts_s: int = 600, **claims: object) -> str:
        body = {"sub": sub, "exp": int(time.time()) + lasts_s, "roles": list(roles) or ["admin"], **claims}
        return jwt.encode(body, secret, algorithm="HS256")

    return sign


@pytest.fixture(name="app")
def _app(services: Services) -> Flask:
    return create_app(services)


@pytest.fixture(name="stranger")
def _stranger(app: Flask) -> Browser:
    """Nobody is signed in."""
    return Browser(app.test_client())


@pytest.fixture(name="admin")
def _admin(app: Flask, token: Token) -> Browser:
    browser = Browser(app.test_client())
    assert browser.sign_in(token("usr_9", "admin")).status_code == 303
    return browser


@pytest.fixture(name="support")
def _support(app: Flask, token: Token) -> Browser:
    browser = Browser(app.test_client())
    assert browser.sign_in(token("usr_7", "support")).status_code == 303
    return browser


@pytest.fixture(name="at_the_desk")
def _at_the_desk(open_shop: Shop, token: Token) -> Callable[..., Browser]:
    """Whoever is signed in to the pages of that shop: `at_the_desk("usr_7", "support")`."""
    app = create_app(open_shop.services)

    def sit(sub: str = "usr_9", *roles: str) -> Browser:
        browser = Browser(app.test_client())
        assert browser.sign_in(token(sub, *roles)).status_code == 303
        return browser

    return sit
