"""A real browser, and pages for it: Chromium driven by Playwright, skipped where there is none."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

import jwt
import pytest
from flask import Flask, Response
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from boot.services import Services, connect
from boot.settings import Settings
from web.app import create_app

NOT_HERE = "there is no Chromium here; `make browser` installs one"

WAIT_MS = 10_000
"""Two busy cores: a page that has not done it by then does not do it."""

Serve = Callable[[Any], str]


@pytest.fixture(scope="session", name="playwright")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session", name="browser")
def _browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, or the one Playwright keeps. Started once; each test has a profile of its own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    # root may not use Chromium's sandbox, and a container's /dev/shm is small.
    words = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    try:
        browser = playwright.chromium.launch(executable_path=found, args=words)
    except Error as error:
        pytest.skip(f"{NOT_HERE} ({error.message.splitlines()[0]})")
    yield browser
    browser.close()


@pytest.fixture(name="page")
def _page(browser: Browser) -> Iterator[Page]:
    """An empty page of a fresh profile: no cookies, nothing stored. `page.clock` moves its time on, so that no test
    waits for a timer."""
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.clock.install()
    yield page
    context.close()


@pytest.fixture(name="serve")
def _serve() -> Iterator[Serve]:
    """Serve a WSGI application on a free port of this machine; answers its address without a slash at the end."""
    running: list[tuple[BaseWSGIServer, Thread]] = []

    def begin(app: Any) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Site:
    """A shop's site: every path answers `html`."""

    url: str = ""
    html: str = ""

    def answer(self, _: str = "") -> Response:
        return Response(self.html, content_type="text/html")


@pytest.fixture(name="site")
def _site(serve: Serve) -> Site:
    """An empty site on an address of its own; the test writes its page into `html`."""
    site, app = Site(), Flask("shop")
    app.add_url_rule("/", view_func=site.answer)
    app.add_url_rule("/<path:_>", endpoint="any", view_func=site.answer)
    site.url = serve(app)
    return site


@dataclass(frozen=True)
class Api:
    url: str
    services: Services


@pytest.fixture(name="token")
def _token(settings_with: Callable[..., Settings]) -> Callable[..., str]:
    """A token as the Auth service signs one: `token("cus_1", "support")`."""
    secret = settings_with().auth_jwt_secret.get_secret_value()

    def sign(sub: str, *roles: str) -> str:
        claims = {"sub": sub, "exp": int(time.time()) + 600, "roles": list(roles) or ["customer"]}
        return jwt.encode(claims, secret, algorithm="HS256")

    return sign


@pytest.fixture(name="api")
def _api(settings_with: Callable[..., Settings], serve: Serve, site: Site) -> Iterator[Api]:
    """Backroom itself over HTTP, open to the pages of the site."""
    services = connect(settings_with(cors_origins=site.url), name="test")
    yield Api(serve(create_app(services)), services)
    services.db.close()
