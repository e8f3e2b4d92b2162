"""Many card numbers in many notations, wherever a stranger can write: afterwards no log, table or Redis key holds one."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from flask.testing import FlaskClient
from psycopg import sql

from boot import logs
from boot.services import Services

Headers = dict[str, str]

CARDS = (
    "4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5105105105105100",
    "378282246310005", "371449635398431", "6011111111111117", "30569309025904", "3566002020360505",
    "6205500000000000004", "4222222222222",
)  # fmt: skip
"""The numbers that Stripe's documentation publishes for tests, of every scheme and length."""


def grouped(card: str, gap: str) -> str:
    return gap.join(re.findall(r"\d{1,4}", card))


NOTATIONS: dict[str, Callable[[str], str]] = {
    "plain": lambda card: card,
    "spaces": lambda card: grouped(card, " "),
    "hyphens": lambda card: grouped(card, "-"),
    "no-break spaces": lambda card: grouped(card, "\u00a0"),
    "dashes": lambda card: grouped(card, "\u2013"),
    "full width": lambda card: "".join(chr(ord("\uff10") + int(digit)) for digit in card),
    "in a sentence": lambda card: f"please charge {grouped(card, ' ')}, thanks",
    "in an address": lambda card: f"https://shop.example/pay?card={card}&cvc=123",
}

GAPS = re.compile(r"(?<=\d)[\s\-._/\u2010-\u2015\u00b7]+(?=\d)")


def holds(text: str) -> list[str]:
    squeezed = GAPS.sub("", unicodedata.normalize("NFKC", text))
    return [card for card in CARDS if card in squeezed]


def test_the_search_for_numbers_finds_them_in_every_notation() -> None:
    for card in CARDS:
        assert all(holds(f"x {write(card)} y") == [card] for write in NOTATIONS.values()), card


@pytest.fixture(name="everywhere")
def _everywhere(client: FlaskClient, signed_in: Callable[..., Headers]) -> Callable[[str], list[int]]:
    """Send a text to every place that takes one; answers the statuses."""
    customer, support = signed_in("usr_1"), signed_in("usr_8", "support")

    def send(text: str) -> list[int]:
        latin = text.encode("utf-8").decode("latin-1")
        as_json = {"Content-Type": "application/json"}
        event = {
            "id": "019adf00-0000-7000-8000-000000000001",
            "name": "page_view",
            "ts": "2026-11-23T12:00:00Z",
            "visitor_id": "v1",
        }
        bodies = [
            {"cart_id": text},
            {"cart_id": "cart_1", "payment_method": text},
            {"cart_id": "cart_1", "email": text},
            {"cart_id": "cart_1", "shipping_address": {"name": text, "line2": text}},
            {"cart_id": "cart_1", text: "x"},
        ]
        answers = [
            client.post(
                "/v1/orders", data=json.dumps(body), headers={**customer, **as_json, "Idempotency-Key": f"k{n}"}
            )
            for n, body in enumerate(bodies)
        ]
        answers += [
            client.post("/v1/orders", json={"cart_id": "c"}, headers={**customer, "Idempotency-Key": latin}),
            client.post("/v1/orders", data=text.encode(), headers={**customer, **as_json, "Idempotency-Key": "raw"}),
            client.get("/v1/search", query_string={"q": text}),
            client.get("/v1/search", query_string={text: "x"}),
            client.get(
                "/v1/search", query_string={"q": "lamp"}, headers={"X-Visitor-Id": latin, "X-Request-Id": latin}
            ),
            client.get("/v1/search", query_string={"q": "lamp"}, headers={"User-Agent": latin, "Referer": latin}),
            client.get(f"/v1/orders/{text}", headers=customer),
            client.get("/v1/orders", query_string={"status": text, "cursor": text}, headers=support),
            client.post(f"/v1/orders/{text}/refunds", json={}, headers={**support, "Idempotency-Key": "r"}),
            client.post("/v1/events", json={"events": [{**event, "props": {"typed": text}, "path": f"/{text}"}]}),
            client.post("/v1/events", json={"events": [{**event, "visitor_id": text}]}),
            client.post("/v1/events", data=json.dumps({"events": [{**event, "name": text}]}), headers=as_json),
            client.post("/v1/webhooks/stripe", data=text.encode(), headers={"Stripe-Signature": latin, **as_json}),
            client.post("/v1/webhooks/stripe", json={"id": "evt_1", "card": text}, headers={"User-Agent": latin}),
            client.get("/v1/orders", headers={"Authorization": f"Bearer {latin}"}),
        ]
        return [answer.status_code for answer in answers]

    return send


@pytest.mark.usefixtures("log_as_before")
def test_no_card_number_stays_anywhere(
    everywhere: Callable[[str], list[int]], services: Services, redis_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(process="test")
    statuses: list[int] = []
    for card in CARDS:
        for write in NOTATIONS.values():
            statuses += everywhere(write(card))
    sent = len(CARDS) * len(NOTATIONS)
    assert len(statuses) == 20 * sent
    assert 500 not in statuses
    said = capfd.readouterr()
    assert (said.out + said.err).count('"request"') >= sent, "the log was heard"
    assert holds(said.out + said.err) == []
    rows = list(rows_of(services))
    assert rows
    assert [(table, found) for table, text in rows if (found := holds(text))] == []
    assert [(key, found) for key, text in values_of(redis_url) if (found := holds(text))] == []
    with capfd.disabled():
        print(f"\n{len(statuses)} requests with {len(CARDS)} numbers in {len(NOTATIONS)} notations, {len(rows)} rows")


def rows_of(services: Services) -> Iterator[tuple[str, str]]:
    """Every row of every table as text, whatever its columns are."""
    with psycopg.connect(services.settings.database_url.get_secret_value()) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables.fetchall():
            for (text,) in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))):
                yield table, text


def values_of(redis_url: str) -> Iterator[tuple[str, str]]:
    reading: dict[bytes, Callable[[Any, bytes], Any]] = {
        b"string": lambda client, key: client.get(key),
        b"hash": lambda client, key: client.hgetall(key),
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
        b"stream": lambda client, key: client.xrange(key),
    }
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter():
            yield repr(key), f"{key!r} {reading[client.type(key)](client, key)!r}"
