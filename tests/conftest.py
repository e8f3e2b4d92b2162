"""What tests stand on: real servers, a migrated empty database for each test, and services built from settings."""

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import structlog

from boot.services import Services, connect
from boot.settings import Settings
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests, with_database
from devstack.embedded.state import Urls
from tests.sharing_out import ByFile, slowest_first

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--screenshots",
        metavar="FOLDER",
        help="Keep a picture of each page of the admin pages, in light, dark and narrow.",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slowest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    config.option.loadscopereorder = False  # they come in our order
    return ByFile(config, log)


REDIS_NUMBERS = 8, 15
"""Tests flush the Redis database they use, so on a server that was given they keep to the upper numbers."""


@pytest.fixture(scope="session", name="servers")
def _servers() -> Iterator[Urls]:
    with servers_for_tests() as urls:
        yield urls


@pytest.fixture(scope="session", name="template")
def _template(servers: Urls) -> Iterator[str]:
    """The name of a migrated database that tests copy."""
    name = f"backroom_test_{os.getpid()}_template"
    migrate(create_database(servers.database_url, name))
    yield name
    drop_database(servers.database_url, name)


@pytest.fixture(name="database_url")
def _database_url(servers: Urls, template: str) -> Iterator[str]:
    name = f"backroom_test_{os.getpid()}_{next(_numbers)}"
    yield create_database(servers.database_url, name, template=template)
    drop_database(servers.database_url, name)


@pytest.fixture(name="db")
def _db(database_url: str) -> Iterator[Database]:
    """A migrated, empty database."""
    db = Database(database_url, name="test")
    yield db
    db.close()


@pytest.fixture(name="redis_url")
def _redis_url(servers: Urls) -> str:
    """An empty Redis database of this test process alone."""
    low, high = REDIS_NUMBERS
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))))
    url = with_database(servers.redis_url, str(low + worker % (high - low + 1)))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(name="settings_with")
def _settings_with(database_url: str, redis_url: str) -> Callable[..., Settings]:
    """Settings of a shop on this test's servers; keywords override single ones."""

    def make(**overrides: Any) -> Settings:
        values: dict[str, Any] = {
            "database_url": database_url,
            "redis_url": redis_url,
            "stripe_secret_key": "sk_test_of_the_tests",
            "stripe_webhook_secrets": "whsec_of_the_tests",
            "auth_jwt_secret": "a secret that only the tests know, long enough for HS256",
            "service_token": "service-token-of-the-tests",
            "shipping_minor": 490,
            **overrides,
        }
        return Settings(**values)

    return make


@pytest.fixture(name="services")
def _services(settings_with: Callable[..., Settings]) -> Iterator[Services]:
    connected = connect(settings_with(), name="test")
    yield connected
    connected.db.close()


@pytest.fixture(name="log_as_before")
def _log_as_before() -> Iterator[None]:
    """Afterwards nobody writes to the stream of a test that is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
