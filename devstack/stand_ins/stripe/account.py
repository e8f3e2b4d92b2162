"""One Stripe account in test mode: its objects, its time, its events and whom they are sent to, under one lock."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.stripe.clock import Clock
from devstack.stand_ins.stripe.deliveries import Deliveries
from devstack.stand_ins.stripe.idempotency import Keys
from devstack.stand_ins.stripe.store import Store
from devstack.stand_ins.stripe.wire import Json

API_VERSION = "2026-10-28.endive"  # the one the pinned SDK speaks; a test compares the two
WITHOUT_LIVEMODE = frozenset({"refund", "balance_transaction", "file"})
TICK_S = 0.5  # how long the passing of time may go unnoticed while nobody asks anything


@dataclass(frozen=True)
class Cause:
    """The API request that an event is due to, without values where time itself was the cause."""

    request_id: str | None = None
    idempotency_key: str | None = None
    base_url: str = "http://127.0.0.1:8010"
    publishable: bool = False


@dataclass
class Ordered:
    """What tests have ordered for the next payments and refunds."""

    refunds: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)


class Account:
    """Everything a route needs. Hold `lock` while touching `store`, `clock` or `cause`.

    With the file `state` all of it is kept but `ordered`, and goes on where it was; raises StateError.
    """

    def __init__(
        self,
        *,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        api_version: str = API_VERSION,
        seed: str | None = None,
        state: Path | None = None,
    ) -> None:
        self.api_version = api_version
        self.lock = Keeping(state)
        self.clock = Clock(self.lock)
        self.store = Store(seed or secrets.token_hex(8), self.lock)
        self.keys = Keys(self.clock, self.lock)
        self.deliveries = Deliveries(self.lock, self.clock, self.store)
        self.cause = Cause()
        self.ordered = Ordered()
        self._first_endpoint = (webhook_url, webhook_secret)
        self._closed = threading.Event()
        with self.lock:
            self._deliver_to_endpoints()
            self.deliveries.resume()

    def begin(self, when_due: Mapping[str, Callable[["Account", str], None]]) -> None:
        """Let time pass. `when_due` is what can be planned with the clock, by name."""
        self.clock.actions = {name: partial(action, self) for name, action in when_due.items()}
        threading.Thread(target=self._tick, name="stripe-stand-in-clock", daemon=True).start()

    def new(self, kind: str, prefix: str, **fields: object) -> Json:
        """Make an object with what all objects have, and keep it."""
        made: Json = {"id": self.store.new_id(prefix), "object": kind, "created": self.clock.now()}
        if kind not in WITHOUT_LIVEMODE:
            made["livemode"] = False
        return self.store.put(made | fields)

    def reset(self) -> None:
        """Forget everything but the webhook endpoint the process was started with."""
        with self.lock:
            self.store.clear()
            self.clock.reset()
            self.keys.clear()
            self.ordered = Ordered()
            self.deliveries.reset()
            self._deliver_to_endpoints()

    def close(self) -> None:
        """Stop the threads of this account and let its file go."""
        self._closed.set()
        self.deliveries.close()
        self.lock.close()

    def _deliver_to_endpoints(self) -> None:
        url, secret = self._first_endpoint
        if url is not None:
            self._settle_first_endpoint(url, secret)
        for endpoint in self.store.all("webhook_endpoint"):
            self.deliveries.add(endpoint["id"], endpoint["url"], self.store.hidden(endpoint)["secret"])

    def _settle_first_endpoint(self, url: str, secret: str | None) -> None:
        """Make the endpoint of the start, or move that of an earlier start to where it is wanted now."""
        known = [kept["id"] for kept in self.store.all("webhook_endpoint") if self.store.hidden(kept).get("first")]
        endpoint = self.store.get("webhook_endpoint", known[0]) if known else self._first(url)
        endpoint["url"] = url
        hidden = self.store.hidden(endpoint)
        hidden |= {"first": True, "secret": secret or hidden.get("secret") or "whsec_" + secrets.token_hex(16)}

    def _first(self, url: str) -> Json:
        return self.new(
            "webhook_endpoint",
            "we",
            url=url,
            enabled_events=["*"],
            status="enabled",
            api_version=self.api_version,
            application=None,
            description="given at the start",
            metadata={},
        )

    def _tick(self) -> None:
        while not self._closed.wait(TICK_S):
            with self.lock:
                self.cause = Cause()
                self.clock.run_due()
