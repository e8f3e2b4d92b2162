"""Databases by the dozen for tests: a throw-away pair of servers, and quick copies of a template."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from devstack.embedded.servers import EmbeddedServers
from devstack.embedded.state import Urls


@contextmanager
def servers_for_tests() -> Generator[Urls]:
    """The servers of DATABASE_URL and REDIS_URL when both are set, else a pair that leaves nothing behind."""
    given = Urls(os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", ""))
    if given.database_url and given.redis_url:
        yield given
        return
    with temporary_servers() as urls:
        yield urls


@contextmanager
def temporary_servers(*, durable: bool = False) -> Generator[Urls]:
    """A fresh pair in a folder that the servers' account may enter; pytest's own folders are closed to it."""
    servers = EmbeddedServers(Path(tempfile.mkdtemp(prefix="backroom-")), durable=durable)
    try:
        with servers as urls:
            yield urls
    finally:
        for folder in {servers.root, servers.home}:
            shutil.rmtree(folder, ignore_errors=True)


def create_database(url: str, name: str, *, template: str | None = None) -> str:
    """Make database `name` on the server of `url`, as a copy of `template` if given; the new database's URL.

    Nobody may be connected to the template meanwhile: PostgreSQL refuses to copy what others may be changing.
    """
    statement = sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(
        name=sql.Identifier(name), template=sql.Identifier(template or "template1")
    )
    _execute(url, statement)
    return with_database(url, name)


def drop_database(url: str, name: str) -> None:
    """Drop it even while somebody is connected."""
    _execute(url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def with_database(url: str, name: str) -> str:
    """The same server, another database (for Redis the name is a number)."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
