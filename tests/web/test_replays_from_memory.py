"""Repeats are answered from Redis while it remembers, and from PostgreSQL when it does not: nobody sees which."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from boot.services import Services
from clients.answers import RedisAnswers, connect
from db.database import Database
from tests.web import toyshop
from tests.web.test_keyed_requests import write

SignedIn = Callable[..., dict[str, str]]


@pytest.fixture(name="memory")
def _memory(redis_url: str) -> Iterator["redis.Redis"]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


def kept_in(memory: "redis.Redis") -> list[Any]:
    return list(memory.scan_iter("answer:*"))


def test_a_repeat_does_not_need_the_database(
    services: Services, db: Database, toys: FlaskClient, signed_in: SignedIn, memory: "redis.Redis"
) -> None:
    first = write(toys, signed_in(), "k1")
    with db.transaction() as tx:
        tx.execute("DELETE FROM idempotency_keys")
    again = write(toys, signed_in(), "k1")
    assert (again.status_code, again.data, again.headers["Location"]) == (202, first.data, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert toyshop.count(db) == 1
    (name,) = kept_in(memory)
    assert 0 < memory.ttl(name) <= 600


def test_a_flush_of_redis_in_the_middle_changes_no_answer(
    db: Database, toys: FlaskClient, signed_in: SignedIn, memory: "redis.Redis"
) -> None:
    first = write(toys, signed_in(), "k1")
    for _ in range(2):
        for name in kept_in(memory):
            memory.delete(name)
        again = write(toys, signed_in(), "k1")
        assert (again.status_code, again.data) == (202, first.data)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert write(toys, signed_in(), "k1", "other").status_code == 422
    assert toyshop.count(db) == 1
    assert kept_in(memory) == [], "a repeat writes nothing there: it could put an older answer over a newer one"


def test_what_lies_in_redis_shows_nothing_and_cannot_be_forged(
    db: Database, toys: FlaskClient, signed_in: SignedIn, memory: "redis.Redis"
) -> None:
    first = write(toys, signed_in(), "k1", "a very secret note")
    (name,) = kept_in(memory)
    sealed: Any = memory.get(name)
    assert b"secret" not in sealed
    assert b"202" not in sealed
    write(toys, signed_in(), "k2", "another")
    (other,) = set(kept_in(memory)) - {name}
    moved: Any = memory.get(other)
    for forged in (b"", b"x", sealed[:-1] + bytes([sealed[-1] ^ 1]), moved):
        memory.set(name, forged)
        assert write(toys, signed_in(), "k1", "a very secret note").data == first.data
    assert toyshop.count(db) == 2


def test_the_answer_that_was_waited_for_is_remembered_and_not_the_first_promise(
    db: Database, toys: FlaskClient, signed_in: SignedIn, memory: "redis.Redis"
) -> None:
    worker = threading.Timer(0.3, toyshop.settle, (db,))
    worker.start()
    first = write(toys, signed_in(), "k1", Prefer="wait=10")
    worker.join()
    assert first.status_code == 201
    with db.transaction() as tx:
        tx.execute("DELETE FROM idempotency_keys")
    again = write(toys, signed_in(), "k1")
    assert (again.status_code, again.data) == (201, first.data)


def test_without_redis_and_with_another_secret_nothing_is_known(redis_url: str, memory: "redis.Redis") -> None:
    ours, theirs = RedisAnswers(memory, b"one secret"), RedisAnswers(memory, b"another")
    ours.keep("name", b"answer")
    assert ours.find("name") == b"answer"
    assert theirs.find("name") is None
    ours.keep("large", b"x" * 70_000)
    assert ours.find("large") is None
    away = connect("redis://127.0.0.1:1/0", "secret")
    away.keep("name", b"answer")
    assert away.find("name") is None
