"""The clients for Product, Cart and Auth against their stand-ins."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from clients import auth, carts, products
from clients.neighbours import MAX_ANSWER
from devstack.stand_ins import auth as auth_stand_in
from devstack.stand_ins import carts as cart_stand_in
from devstack.stand_ins import products as product_stand_in
from devstack.stand_ins.doors import Served, serving
from shop.ports.neighbours import NeighbourAway, NeighbourRefused, OutOfStock, ReservationGone, StockLine

TOKEN = "service-token"
SOON = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture(name="goods")
def _goods() -> Iterator[Served]:
    with serving(product_stand_in.create_app(service_token=TOKEN)) as served:
        put(served, "/products/prd_1", {"name": "Lamp", "price": 1299, "currency": "eur", "stock": 3})
        yield served


@pytest.fixture(name="baskets")
def _baskets() -> Iterator[Served]:
    with serving(cart_stand_in.create_app(service_token=TOKEN)) as served:
        yield served


@pytest.fixture(name="people")
def _people() -> Iterator[Served]:
    with serving(auth_stand_in.create_app(service_token=TOKEN)) as served:
        yield served


def put(served: Served, path: str, body: dict[str, Any]) -> None:
    requests.put(f"{served.url}{path}", json=body, timeout=5).raise_for_status()


def fault(served: Served, match: str, kind: str, **more: Any) -> None:
    body = {"match": match, "kind": kind, **more}
    requests.post(f"{served.url}/standin/faults", json=body, timeout=5).raise_for_status()


def test_goods_are_set_aside_committed_and_returned_each_once(goods: Served) -> None:
    service = products.connect(goods.url, TOKEN)
    lines = [StockLine("prd_1", 2)]
    for _ in range(2):
        service.reserve("ord_1", expires_at=SOON, lines=lines)
    left = service.product("prd_1")
    assert left is not None
    assert (left.name, left.price, left.currency, left.stock) == ("Lamp", 1299, "eur", 1)
    for _ in range(2):
        service.commit("ord_1")
    service.release("ord_1")  # too late, and no error: what is committed comes back by a return
    for _ in range(2):
        service.take_back("ord_1", lines)
    back = service.product("prd_1")
    assert back is not None
    assert back.stock == 3


def test_short_lines_are_named_and_a_lost_reservation_is_told(goods: Served) -> None:
    service = products.connect(goods.url, TOKEN)
    with pytest.raises(OutOfStock) as short:
        service.reserve("ord_1", expires_at=SOON, lines=[StockLine("prd_1", 4)])
    assert short.value.short == ("prd_1",)
    with pytest.raises(ReservationGone):
        service.commit("ord_unknown")
    assert service.product("prd_unknown") is None
    service.release("ord_unknown")


def test_the_catalogue_comes_in_pages(goods: Served) -> None:
    service = products.connect(goods.url, TOKEN)
    page = service.page()
    assert [product.id for product in page.products] == ["prd_1"]
    assert page.next_cursor is None
    assert service.page(updated_since=SOON).products == ()


def test_a_cart_is_read_and_cleared(baskets: Served) -> None:
    service = carts.connect(baskets.url, TOKEN)
    put(baskets, "/carts/c1", {"user_id": "usr_1", "currency": "EUR", "lines": [{"product_id": "p", "quantity": 2}]})
    cart = service.cart("c1")
    assert cart is not None
    assert (cart.user_id, cart.currency, cart.lines) == ("usr_1", "eur", (StockLine("p", 2),))
    service.clear("c1")
    service.clear("c1")
    assert service.cart("c1") is None


def test_people_and_their_keys(people: Served) -> None:
    service = auth.connect(people.url, TOKEN)
    put(people, "/users/usr_1", {"email": "ada@example.com", "name": "Ada"})
    user = service.user("usr_1")
    assert user is not None
    assert (user.email, user.active) == ("ada@example.com", True)
    assert service.user("usr_2") is None
    assert service.signing_keys()["keys"]
    elsewhere = auth.connect("http://127.0.0.1:9", TOKEN, keys_url=f"{people.url}/.well-known/jwks.json")
    assert elsewhere.signing_keys() == service.signing_keys()


@pytest.mark.parametrize(
    ("kind", "more"),
    [("status", {"status": 503}), ("status", {"status": 429}), ("reset", {}), ("timeout", {"seconds": 1})],
)
def test_a_neighbour_in_trouble_is_away_and_answers_later(goods: Served, kind: str, more: dict[str, Any]) -> None:
    service = products.connect(goods.url, TOKEN, read_timeout_s=0.3)
    fault(goods, "GET /products/*", kind, **more)
    with pytest.raises(NeighbourAway):
        service.product("prd_1")
    assert service.product("prd_1") is not None


def test_a_wrong_token_is_for_a_person(goods: Served) -> None:
    with pytest.raises(NeighbourRefused):
        products.connect(goods.url, "wrong").product("prd_1")


def test_writes_carry_a_key_that_is_the_same_at_every_repeat(goods: Served) -> None:
    service = products.connect(goods.url, TOKEN)
    for _ in range(2):
        service.reserve("ord_1", expires_at=SOON, lines=[StockLine("prd_1", 1)])
    asked = requests.get(f"{goods.url}/standin/requests", timeout=5).json()["data"]
    sent = [request["headers"] for request in asked if request["method"] == "POST"]
    assert [headers["idempotency-key"] for headers in sent] == ["reserve-ord_1"] * 2
    assert len({headers["x-request-id"] for headers in sent}) == 2


class Stranger:
    """A service that answers whatever it is told to, and notes who asked for what."""

    def __init__(self, status: str, body: bytes, *headers: tuple[str, str]) -> None:
        self.status, self.body, self.headers = status, body, [("Content-Type", "application/json"), *headers]
        self.asked: list[str] = []

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        start_response(self.status, self.headers)
        return [self.body]


def test_a_redirect_is_not_followed_with_our_token() -> None:
    thief = Stranger("200 OK", b"{}")
    with serving(thief) as elsewhere:
        lure = Stranger("307 Temporary Redirect", b"", ("Location", f"{elsewhere.url}/products/prd_1"))
        with serving(lure) as served, pytest.raises(NeighbourRefused):
            products.connect(served.url, TOKEN).product("prd_1")
    assert thief.asked == []


def test_an_answer_without_end_is_given_up() -> None:
    bomb = gzip.compress(b" " * (MAX_ANSWER + 1))
    with (
        serving(Stranger("200 OK", bomb, ("Content-Encoding", "gzip"))) as served,
        pytest.raises(NeighbourRefused, match="more than"),
    ):
        products.connect(served.url, TOKEN).product("prd_1")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"not json", b"\xff\xfe", b""])
def test_an_answer_that_is_no_json_is_not_believed(body: bytes) -> None:
    with serving(Stranger("200 OK", body)) as served, pytest.raises((NeighbourAway, NeighbourRefused)):
        products.connect(served.url, TOKEN).product("prd_1")


@pytest.mark.parametrize(("asked", "wait"), [("7", 7), ("999999999999", 3600), ("²", None), ("-1", None), ("", None)])
def test_how_long_to_wait_is_their_wish_within_reason(asked: str, wait: float | None) -> None:
    with serving(Stranger("503 Service Unavailable", b"", ("Retry-After", asked))) as served:
        with pytest.raises(NeighbourAway) as away:
            products.connect(served.url, TOKEN).product("prd_1")
        assert away.value.retry_after_s == wait


@pytest.mark.parametrize("email", ["a@b.example\r\nBcc: x@y.example", "nobody", 7, "a" * 320 + "@b.example"])
def test_an_address_that_no_mail_can_go_to_is_none(email: Any) -> None:
    body = json.dumps({"id": "usr_1", "email": email}).encode()
    with serving(Stranger("200 OK", body)) as served:
        user = auth.connect(served.url, TOKEN).user("usr_1")
    assert user is not None
    assert user.email is None
