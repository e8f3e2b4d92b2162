"""A stand-in for each test, Stripe's own SDK to drive it, and a receiver for what it sends."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from devstack.stand_ins.stripe.app import Running, running
from devstack.stand_ins.stripe.store import OBJECTS
from tests.devstack.stripe.sdk_shapes import error_faults, faults

SECRET = "whsec_for_the_tests"


class HonestHTTPClient(stripe.RequestsClient):
    """Carries the SDK's requests and holds every answer against the SDK's own types."""

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **kwargs: Any) -> Any:
        body, status, answered = super().request(method, url, headers, post_data, **kwargs)
        parsed = json.loads(body)
        found = error_faults(parsed) if status >= 400 else faults(parsed)
        assert not found, f"{method} {url}: {found}"
        assert answered["Request-Id"].startswith("req_")
        return body, status, answered


@dataclass
class Received:
    """One delivery: the event, and the raw request it came in."""

    event: dict[str, Any]
    payload: bytes
    signature: str


@dataclass
class Receiver:
    """An endpoint for webhooks. `answers` are the statuses of the next deliveries, 200 when they have run out."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def types(self) -> list[str]:
        return [delivery.event["type"] for delivery in self.received]

    def wait_for(self, count: int) -> list[Received]:
        wait_until(lambda: len(self.received) >= count)
        return self.received


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until `true()`; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    inbox = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.answers.pop(0) if inbox.answers else 200
            inbox.received.append(Received(json.loads(payload), payload, self.headers["Stripe-Signature"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    inbox.url = f"http://127.0.0.1:{server.server_port}/hooks"
    yield inbox
    server.shutdown()
    server.server_close()


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Running]:
    with running(seed="tests", state=tmp_path / "stripe.db") as served:
        yield served
        check_kept(served)


@pytest.fixture
def listening(receiver: Receiver, tmp_path: Path) -> Iterator[Running]:
    """A stand-in that sends every event to `receiver` from the start."""
    state = tmp_path / "stripe.db"
    with running(seed="tests", webhook_url=receiver.url, webhook_secret=SECRET, state=state) as served:
        yield served
        check_kept(served)


def check_kept(served: Running) -> None:
    """Whatever a test did: what is on disk is what is in memory."""
    account = served.account
    with account.lock:
        kept = {kind: list(account.lock.rows(OBJECTS + kind)) for kind, _none in account.lock.rows("kind")}
        assert kept == {kind: _as_kept(objects) for kind, objects in account.store._kinds.items()}
        assert dict(account.lock.rows("hidden")) == account.store._hidden
        assert sorted(int(number) for number, _due in account.lock.rows("due")) == sorted(
            number for _when, number, _action, _about in account.clock._due
        )
        assert dict(account.lock.rows("clock")).get("ahead", 0.0) == account.clock._ahead
        assert {int(number) for number, _letter in account.lock.rows("letter")} == set(account.deliveries._letters)
        ended = {key: asdict(known) for key, known in account.keys._kept.items() if known.status is not None}
        assert dict(account.lock.rows("key")) == ended


def _as_kept(objects: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, json.loads(json.dumps(known))) for name, known in objects.items()]


def sdk(served: Running, key: str = "sk_test_123") -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": served.url, "files": served.url},
        max_network_retries=0,
        http_client=HonestHTTPClient(timeout=10),
    )


@pytest.fixture
def client(stand_in: Running) -> stripe.StripeClient:
    return sdk(stand_in)


def door(served: Running, path: str, **body: Any) -> dict[str, Any]:
    """Go through a door that must open."""
    answered = requests.post(f"{served.url}/standin/{path}", json=body, timeout=10)
    assert answered.status_code in {200, 201, 204}, answered.text
    return answered.json() if answered.content else {}


def authorised(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    """Return a payment of 19.99 € that waits for its capture."""
    return paid(client, capture_method="manual", **more)


def paid(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    """Return a payment of 19.99 € by a Visa card."""
    params = {
        "amount": 1999,
        "currency": "eur",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    return client.v1.payment_intents.create({**params, **more})  # type: ignore[typeddict-item]


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    return client.v1.charges.retrieve(str(intent.latest_charge))


def event_types(client: stripe.StripeClient) -> list[str]:
    """Return the types of all events, oldest first."""
    return [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]
