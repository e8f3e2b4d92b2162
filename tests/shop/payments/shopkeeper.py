"""A whole shop around one test: the stand-ins over HTTP, a real database, and a worker that is called by hand."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import requests

from boot.services import Services, connect
from boot.settings import Settings
from boot.terms import terms
from devstack.stand_ins import auth, carts, products
from devstack.stand_ins.doors import serving
from devstack.stand_ins.stripe import app as stripe
from shop.payments.orders.order import Wish, open_order
from shop.payments.rows import Order
from shop.payments.terms import Terms
from tasks import payments as _doors  # noqa: F401 - registers the performers
from tasks.broker import performers
from tasks.runner import Runner
from web.app import create_app

CUSTOMER = "usr_1"


class FrontDoor:
    """The web application behind an address that Stripe can be told before the application is built."""

    def __init__(self) -> None:
        self.app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


@dataclass
class Shop:
    """`work()` runs staged jobs of the queue `payments` as a worker would, until none is due."""

    services: Services
    url: str
    stripe: stripe.Running
    products_url: str
    carts_url: str

    def stock(self, product_id: str, stock: int, *, price: int = 2000, currency: str = "eur", **more: Any) -> None:
        body = {"name": f"Product {product_id}", "price": price, "currency": currency, "stock": stock, **more}
        answer = requests.put(f"{self.products_url}/products/{product_id}", json=body, timeout=5)
        answer.raise_for_status()

    def product(self, product_id: str) -> dict[str, Any]:
        answer = requests.get(f"{self.products_url}/products/{product_id}", headers=self.token, timeout=5)
        return answer.json()

    def cart(self, cart_id: str, *lines: tuple[str, int], user: str = CUSTOMER, currency: str = "eur") -> None:
        listed = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]
        body = {"user_id": user, "currency": currency, "lines": listed}
        requests.put(f"{self.carts_url}/carts/{cart_id}", json=body, timeout=5).raise_for_status()

    def cart_is_there(self, cart_id: str) -> bool:
        return requests.get(f"{self.carts_url}/carts/{cart_id}", headers=self.token, timeout=5).status_code == 200

    @property
    def token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.services.settings.service_token.get_secret_value()}"}

    @property
    def terms(self) -> Terms:
        return terms(self.services.settings)

    def order(self, cart_id: str = "cart_1", **wish: Any) -> str:
        made = open_order(self.services.db, self.terms, Wish(CUSTOMER, cart_id, email="a@example.com", **wish))
        return made.id

    def simple_order(self, *, stock: int = 5, **wish: Any) -> str:
        """An order over two pieces of one product, 40.00 and shipping, worked on until it rests."""
        self.stock("prd_1", stock)
        self.cart("cart_1", ("prd_1", 2))
        order_id = self.order(**wish)
        self.work()
        return order_id

    def read(self, order_id: str) -> Order:
        from shop.payments.queries import orders

        with self.services.db.transaction() as tx:
            order = orders.order(tx, order_id)
        assert order is not None
        return order

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.services.settings.database_url.get_secret_value()) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def work(self, *, only: str | None = None, times: int = 100) -> list[str]:
        """Run due jobs, oldest first; answers their names."""
        runner = Runner(self.services, "test", threading.Event())
        done: list[str] = []
        while len(done) < times:
            rows = self.sql(
                "SELECT id, name, fence FROM jobs WHERE state = 'staged' AND queue = 'payments' AND run_after <= now()"
                " AND (%s::text IS NULL OR name = %s) ORDER BY rank_at, id LIMIT 1",
                only,
                only,
            )
            if not rows:
                break
            job_id, name, fence = rows[0]
            runner.run(performers[name], job_id, fence)
            done.append(name)
        return done

    def hurry(self) -> None:
        """Make jobs that wait for their next attempt due now."""
        self.sql("UPDATE jobs SET run_after = now() WHERE state = 'staged'")

    def fault(self, match: str, kind: str, *, times: int = 1, at: str | None = None, **more: Any) -> None:
        body = {"match": match, "kind": kind, "times": times, **more}
        requests.post(f"{at or self.stripe.url}/standin/faults", json=body, timeout=5).raise_for_status()

    def door(self, path: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.stripe.url}/standin/{path}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def intent(self, order_id: str) -> str:
        return self.sql("SELECT intent_id FROM payments WHERE order_id = %s", order_id)[0][0]

    def pay_in_browser(self, order_id: str, method: str = "pm_card_visa") -> requests.Response:
        """Confirm as Stripe.js does: with the client secret, past our server."""
        (intent, secret) = self.sql("SELECT intent_id, client_secret FROM payments WHERE order_id = %s", order_id)[0]
        return requests.post(
            f"{self.stripe.url}/v1/payment_intents/{intent}/confirm",
            data={"payment_method": method, "client_secret": secret, "return_url": "https://shop.example/return"},
            headers={"Authorization": "Bearer sk_test_of_the_tests"},
            timeout=5,
        )

    def settle(self, order_id: str, *statuses: str, within_s: float = 15.0) -> Order:
        """Work until the order is in one of these states."""
        deadline = time.monotonic() + within_s
        while (order := self.read(order_id)).status not in statuses:
            assert time.monotonic() < deadline, f"{order.status} instead of {statuses}"
            self.work()
            time.sleep(0.02)
        return order

    def read_all_news(self, within_s: float = 15.0) -> None:
        """Wait until Stripe has nothing more to tell, and work it off."""
        deadline = time.monotonic() + within_s
        while requests.get(f"{self.stripe.url}/standin/deliveries", timeout=5).json()["waiting"]:
            assert time.monotonic() < deadline, "deliveries without end"
            time.sleep(0.05)
        self.work()

    def sweep(self) -> dict[str, int]:
        from shop.payments.clocks.sweep import sweep

        return sweep(self.services.db, self.services.gateway)

    def seen_by_stripe(self, match: str) -> list[dict[str, Any]]:
        asked = requests.get(f"{self.stripe.url}/standin/requests", timeout=5).json()["data"]
        return [request for request in asked if match in f"{request['method']} {request['path']}"]


@pytest.fixture(name="shop")
def _shop(settings_with: Callable[..., Settings]) -> Iterator[Shop]:
    with ExitStack() as stack:
        token = "service-token-of-the-tests"
        door = FrontDoor()
        front = stack.enter_context(serving(door))
        hook = f"{front.url}/v1/webhooks/stripe"
        stand_in = stack.enter_context(stripe.running(webhook_url=hook, webhook_secret="whsec_of_the_tests"))
        goods = stack.enter_context(serving(products.create_app(service_token=token)))
        baskets = stack.enter_context(serving(carts.create_app(service_token=token)))
        people = stack.enter_context(serving(auth.create_app(service_token=token)))
        settings = settings_with(
            stripe_base_url=stand_in.url,
            product_url=goods.url,
            cart_url=baskets.url,
            auth_url=people.url,
            service_token=token,
        )
        services = connect(settings, name="test")
        stack.callback(services.db.close)
        door.app = create_app(services)
        yield Shop(services, front.url, stand_in, goods.url, baskets.url)
