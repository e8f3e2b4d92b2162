"""Rate limits: fair, told in headers, and never a reason not to sell."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flask.testing import FlaskClient

from boot.services import connect
from boot.settings import Settings
from clients import limits
from tests.web import toyshop
from web.app import create_app

SignedIn = Callable[..., dict[str, str]]


def test_one_too_many_is_told_when_to_come_back(toys: FlaskClient) -> None:
    answers = [toys.get("/toys/rare") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    last = answers[3]
    assert last.json is not None
    assert last.json["code"] == "rate_limited"
    assert 1 <= int(last.headers["Retry-After"]) <= 20
    assert last.headers["RateLimit-Limit"] == "3"


def test_callers_are_counted_apart_and_a_new_visitor_id_is_no_new_caller(
    toys: FlaskClient, signed_in: SignedIn
) -> None:
    for number in range(3):
        assert toys.get("/toys/rare", headers={"X-Visitor-Id": f"v{number}"}).status_code == 200
    assert toys.get("/toys/rare", headers={"X-Visitor-Id": "v9"}).status_code == 429
    assert toys.get("/toys/rare", headers=signed_in("usr_1")).status_code == 200


def test_without_redis_everybody_is_served(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(redis_url="redis://127.0.0.1:1/0"), name="test")
    client = create_app(services, [toyshop.group()]).test_client()
    started = time.monotonic()
    assert [client.get("/toys/rare").status_code for _ in range(10)] == [200] * 10
    assert time.monotonic() - started < 2
    services.db.close()


def test_the_scale_widens_every_limit_and_zero_lifts_them(settings_with: Callable[..., Settings]) -> None:
    for scale, served in ((2.0, 6), (0, 10)):
        services = connect(settings_with(rate_limit_scale=scale), name="test")
        client = create_app(services, [toyshop.group()]).test_client()
        assert sum(client.get("/toys/rare").status_code == 200 for _ in range(10)) == served
        services.db.close()


def test_many_at_once_get_exactly_what_is_allowed(redis_url: str) -> None:
    counter = limits.connect(redis_url)
    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(lambda _: counter.take("crowd", limit=10, per_s=3600).allowed, range(40)))
    assert sum(allowed) == 10


def test_a_full_bucket_refills_evenly(redis_url: str) -> None:
    counter = limits.connect(redis_url)
    assert [counter.take("b", limit=5, per_s=1).allowed for _ in range(6)] == [True] * 5 + [False]
    time.sleep(0.25)
    assert [counter.take("b", limit=5, per_s=1).allowed for _ in range(3)] == [True, False, False]


def test_behind_a_proxy_the_caller_is_the_one_before_it(settings_with: Callable[..., Settings]) -> None:
    services = connect(settings_with(proxy_hops=1), name="test")
    client = create_app(services, [toyshop.group()]).test_client()
    for _ in range(3):
        assert client.get("/toys/rare", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 200
    assert client.get("/toys/rare", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 429
    assert client.get("/toys/rare", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 200
    # What the caller itself claims to have forwarded is not believed.
    assert client.get("/toys/rare", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}).status_code == 429
    services.db.close()
