"""A whole shop for a proof: real servers, stand-ins over HTTP, and nothing that happens before it is told to happen."""

import itertools
import os
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import requests
import stripe
from flask.testing import FlaskClient

from boot.services import Services, connect
from boot.settings import Settings
from db import job_recovery, outbox
from db.migrations.runner import migrate
from db.outbox import Job
from devstack.embedded.databases import create_database, drop_database, servers_for_tests, with_database
from devstack.embedded.state import Urls
from devstack.stand_ins import auth, carts, products
from devstack.stand_ins.doors import serving
from devstack.stand_ins.mail import create_mail
from devstack.stand_ins.stripe import app as stripe_stand_in
from shop.payments.orders.order import Wish, open_order
from tasks import documents, payments
from tasks.broker import performers
from tasks.runner import Runner
from tests.shop.payments.shopkeeper import Shop
from web.app import create_app

SECRET = "whsec_of_the_proofs"
BEARER = {"Authorization": "Bearer sk_test_of_the_proofs"}
TOKEN = "service-token-of-the-proofs"
QUEUES = ("payments", "documents")
DOORS = (documents, payments)
"""Importing them registers what they perform."""

ROUNDS = 8
"""Of work and hurrying: a job that is not done after so many tries waits for something that does not come."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with a cart of two pieces of a product that nobody else buys: 40.00, and 4.90 shipping."""

    id: str
    product: str
    cart: str
    email: str


@dataclass
class House(Shop):
    """A shop whose news come only through `hear` or a sweep, and whose jobs only run in `work`.

    With `queues` that leave out the papers, invoices and mails are staged but not drawn: three times as quick.
    """

    mail_url: str = ""
    line: "psycopg.Connection[tuple[Any, ...]] | None" = None
    web: FlaskClient | None = None
    heard: set[str] = field(default_factory=set[str])
    queues: tuple[str, ...] = QUEUES
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def customer(self, *, stock: int = 5) -> Customer:
        number = next(self.numbers)
        made = Customer(f"usr_{number}", f"prd_{number}", f"cart_{number}", f"c{number}@example.com")
        self.stock(made.product, stock)
        self.cart(made.cart, (made.product, 2), user=made.id)
        return made

    def buy(self, who: Customer, *, capture: str = "automatic", **wish: Any) -> str:
        """The id of an order in state `placing`."""
        terms = replace(self.terms, capture=capture)
        return open_order(self.services.db, terms, Wish(who.id, who.cart, email=who.email, **wish)).id

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._execute(statement, values or None)

    def ask(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._execute(statement, values)

    def _execute(self, statement: str, values: Any) -> list[tuple[Any, ...]]:
        if self.line is None:
            self.line = psycopg.connect(self.services.settings.database_url.get_secret_value(), autocommit=True)
        cursor = self.line.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def work(self, *, only: str | None = None, but: str | None = None, times: int = 200) -> list[str]:
        """Run due jobs of `queues`, oldest first, but none called `but`; answers their names."""
        runner = Runner(self.services, "proof", threading.Event())
        done: list[str] = []
        while len(done) < times:
            rows = self.sql(
                "SELECT id, name, fence FROM jobs WHERE state = 'staged' AND queue = ANY(%s) AND run_after <= now()"
                " AND (%s::text IS NULL OR name = %s) AND name IS DISTINCT FROM %s ORDER BY rank_at, id LIMIT 1",
                list(self.queues),
                only,
                only,
                but,
            )
            if not rows:
                break
            job_id, name, fence = rows[0]
            runner.run(performers[name], job_id, fence)
            done.append(name)
        return done

    def settle_all(self) -> None:
        """Let the leases and claims of the dead run out, and work until nothing is left."""
        for _ in range(ROUNDS):
            self.bury()
            self.work()
            if not self.sql(
                "SELECT 1 FROM jobs WHERE state IN ('staged', 'running') AND queue = ANY(%s)", list(self.queues)
            ):
                return
            self.hurry()
        left = self.sql("SELECT name, state, error FROM jobs WHERE state IN ('staged', 'running') LIMIT 9")
        raise AssertionError(f"work without end: {left}")

    def bury(self) -> None:
        """As if the time had passed after which whoever says nothing is taken for dead."""
        self.sql("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE state = 'running'")
        self.sql("UPDATE mails SET claimed_until = now() - interval '1 second' WHERE state = 'sending'")
        with self.services.db.transaction() as tx:
            job_recovery.put_back_expired(tx, limit=100)

    def stage(self, job: Job, **args: Any) -> str:
        with self.services.db.transaction() as tx:
            return outbox.stage(tx, job, **args)

    def news(self) -> list[dict[str, Any]]:
        """What Stripe has to tell and has not told, oldest first."""
        with self.stripe.account.lock:
            events = self.stripe.account.store.all("event")
        return [dict(event) for event in events if event["id"] not in self.heard]

    def hear(self, *events: dict[str, Any]) -> None:
        """Take these news, or all there are, at the webhook's door. Reading them is work."""
        for event in events or self.news():
            self.heard.add(event["id"])
            body = stripe_stand_in.encode(event).decode()
            signed = stripe.WebhookSignature.generate_signature_header(body, SECRET)
            assert self.web is not None
            answer = self.web.post(
                "/v1/webhooks/stripe",
                data=body.encode(),
                headers={"Stripe-Signature": signed, "Content-Type": "application/json"},
            )
            assert answer.status_code == 200, answer.text

    def never_hear(self) -> None:
        """What Stripe has to tell now is lost, and so long ago that it is not listed any more."""
        account = self.stripe.account
        with account.lock:
            for event in account.store.all("event"):
                account.store.remove("event", event["id"])

    def at_stripe(self, path: str, **data: Any) -> dict[str, Any]:
        """What somebody does in Stripe's dashboard."""
        answer = requests.post(f"{self.stripe.url}/v1/{path}", data=data, headers=BEARER, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def letters(self, to: str) -> list[str]:
        """The Message-ID of each mail that arrived there."""
        found = requests.get(f"{self.mail_url}/messages", params={"to": to}, timeout=10).json()["data"]
        return [mail["headers"]["Message-ID"] for mail in found]


@contextmanager
def open_house(database_url: str, redis_url: str, **settings: Any) -> Generator[House]:
    """A house on an empty migrated database; keywords are settings."""
    with ExitStack() as stack:
        stand_in = stack.enter_context(stripe_stand_in.running())
        goods = stack.enter_context(serving(products.create_app(service_token=TOKEN)))
        baskets = stack.enter_context(serving(carts.create_app(service_token=TOKEN)))
        people = stack.enter_context(serving(auth.create_app(service_token=TOKEN)))
        mail = create_mail(smtp_port=0)
        smtp_port = mail.start()
        stack.callback(mail.stop)
        letters = stack.enter_context(serving(mail.app))
        services = _services(
            database_url=database_url,
            redis_url=redis_url,
            stripe_base_url=stand_in.url,
            product_url=goods.url,
            cart_url=baskets.url,
            auth_url=people.url,
            smtp_url=f"smtp://127.0.0.1:{smtp_port}",
            **settings,
        )
        stack.callback(services.db.close)
        house = House(services, "", stand_in, goods.url, baskets.url, mail_url=letters.url)
        house.web = create_app(services).test_client()
        stack.callback(lambda: house.line and house.line.close())
        yield house


@contextmanager
def building() -> Generator[Callable[[], "House"]]:
    """Servers for a run of a proof outside the tests: each call of what is given opens one more empty house."""
    with servers_for_tests() as urls, ExitStack() as stack:
        template = f"backroom_proof_{os.getpid()}"
        migrate(create_database(urls.database_url, template))
        stack.callback(drop_database, urls.database_url, template)
        numbers = itertools.count(1)
        yield lambda: stack.enter_context(_one_more(urls, template, next(numbers)))


@contextmanager
def _one_more(urls: Urls, template: str, number: int) -> Generator[House]:
    name = f"{template}_{number}"
    url = create_database(urls.database_url, name, template=template)
    try:
        with open_house(url, with_database(urls.redis_url, "15")) as house:
            yield house
    finally:
        drop_database(urls.database_url, name)


def _services(**settings: Any) -> Services:
    values: dict[str, Any] = {
        "stripe_secret_key": "sk_test_of_the_proofs",
        "stripe_webhook_secrets": SECRET,
        "auth_jwt_secret": "a secret that only the proofs know, long enough for HS256",
        "service_token": TOKEN,
        "shipping_minor": 490,
        **settings,
    }
    return connect(Settings(**values), name="proof")
