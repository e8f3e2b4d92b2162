"""One whole shop for the journeys of a test process: every program of it is real and its own process."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from devstack.day.api import Api, Json
from devstack.day.town import Town, town_of
from devstack.embedded.databases import create_database, drop_database, with_database
from devstack.environment import given_servers

ROOT = Path(__file__).parents[2]
UP_WITHIN_S = 120
LAST_REDIS_NUMBER, PYTEST_WORKERS = 15, 4
"""On a server that was given, each of pytest's workers has a number of its own for its stack, counted from the end:
two stacks on one would take each other's jobs, and the other tests count from the beginning."""


class Stack:
    """A running shop, with its processes' ids for those who want to kill one."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        told = json.loads((folder / "up.json").read_text())
        self.environment: dict[str, str] = told["environment"]
        self.town: Town = town_of(self.environment)
        self.support = self.town.staff("support")
        self.admin = self.town.staff("admin")

    def pid(self, name: str) -> int:
        """The program's present process id; it changes when the supervisor starts it again."""
        return int(json.loads((self.folder / "up.json").read_text())["pids"][name])

    def customer(self) -> tuple[Api, str]:
        """A new customer and the id of the user."""
        user = f"usr_j{random.randrange(10**12)}"
        self.town.products()
        Api(self.town.auth_url, token=self.town.service_token).put(
            f"/users/{user}", {"id": user, "email": f"{user}@example.com", "name": "Jo Journey", "active": True}
        )
        return self.town.customer(user, f"{user}@example.com", f"vis_{user}"), user

    def product(self, *, stock: int = 100, price: int = 2599) -> str:
        """A new product at the Product service."""
        product = f"prd_j{random.randrange(10**12)}"
        body = {
            "id": product,
            "name": "Journey lamp",
            "description": "A lamp that is bought in tests.",
            "category": "Home > Lamps",
            "brand": "Luma",
            "price": price,
            "currency": "eur",
            "stock": stock,
            "attributes": {},
            "active": True,
        }
        self.town.products().put(f"/products/{product}", body)
        return product

    def cart(self, user: str, product: str, quantity: int = 1) -> str:
        cart = f"crt_j{random.randrange(10**12)}"
        lines = [{"product_id": product, "quantity": quantity}]
        self.town.carts().put(f"/carts/{cart}", {"user_id": user, "currency": "eur", "lines": lines})
        return cart

    def fault(self, url: str, match: str, **how: object) -> None:
        Api(url).post("/standin/faults", {"match": match, "times": 1, **how}, expect=(200, 201, 204))


@pytest.fixture(scope="session", name="stack")
def _stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="backroom-journeys-"))
    command = [str(Path(sys.executable).parent / "backroom"), "up", "--any-ports", "--root", str(folder)]
    log = (folder / "up.out").open("wb")
    with _servers_of_its_own() as variables:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **variables}
        )
        try:
            _wait_until_up(process, folder)
            yield Stack(folder, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            log.close()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _servers_of_its_own() -> Generator[dict[str, str]]:
    """On servers that were given: databases that are gone afterwards, never those that the variables name."""
    given = given_servers(os.environ)
    if given is None:
        yield {}
        return
    name = f"backroom_test_{os.getpid()}_journeys"
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))))
    redis_url = with_database(given.redis_url, str(LAST_REDIS_NUMBER - worker % PYTEST_WORKERS))
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield {"DATABASE_URL": create_database(given.database_url, name), "REDIS_URL": redis_url}
        client.flushdb()
    drop_database(given.database_url, name)


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    while not (folder / "up.json").exists():
        said = (folder / "up.out").read_text(errors="replace")
        assert process.poll() is None, f"the shop did not come up:\n{said}"
        assert time.monotonic() < deadline, f"the shop was not up in time:\n{said}"
        time.sleep(0.2)


def confirm(town: Town, order: Json, card: str = "pm_card_visa") -> None:
    """What Stripe.js does in the customer's browser."""
    secret = str(order["payment"]["client_secret"])
    intent = secret.partition("_secret_")[0]
    fields = {"client_secret": secret, "payment_method": card, "return_url": "https://shop.example.com/thanks"}
    town.browser_to_stripe().form(f"/v1/payment_intents/{intent}/confirm", fields, expect=(200, 402))
