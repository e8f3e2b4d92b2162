"""Webhook deliveries: signed, in order, repeated with growing delay until the endpoint says 2xx."""

import hashlib
import hmac
import threading
import time
from collections import deque
from typing import Any

from devstack.stand_ins.stripe.clock import Clock
from devstack.stand_ins.stripe.courier import Courier, Letter
from devstack.stand_ins.stripe.wire import Json, encode

MODES = ("normal", "drop", "double", "delay", "shuffle")
DELAY_S = 3.0  # long enough that later events overtake a delayed one
SHUFFLE_WAIT_S = 3.0  # a shuffled hand is dealt after this long even if it never got full
KEPT_ATTEMPTS = 500  # enough for the tests that look at what was sent


class Deliveries:
    """Sends events to endpoints, one courier thread each, and misbehaves as the doors order."""

    def __init__(self, lock: "threading.RLock", clock: Clock) -> None:
        self._lock, self._clock = lock, clock
        self._couriers: dict[str, Courier] = {}
        self._attempts: deque[Json] = deque(maxlen=KEPT_ATTEMPTS)
        self._mode, self._left, self._delay_s = "normal", 0, DELAY_S
        self._hand: list[tuple[Json, list[str]]] = []
        self._dealer: threading.Timer | None = None

    def add(self, endpoint_id: str, url: str, secret: str) -> None:
        """Begin to deliver to an endpoint."""
        self._couriers[endpoint_id] = Courier(endpoint_id, url, secret, self._clock, self._post_of, self._done)

    def drop(self, endpoint_id: str) -> None:
        """Stop delivering to an endpoint; what waits for it is never sent."""
        if courier := self._couriers.pop(endpoint_id, None):
            courier.stop()

    def set_mode(self, mode: str, events: int, delay_s: float = DELAY_S) -> None:
        """Misbehave for the next `events` events; `normal` ends it and lets go what was held back."""
        with self._lock:
            self._mode, self._left, self._delay_s = mode, events, delay_s
            self._deal()

    def mode(self) -> Json:
        return {"mode": self._mode if self._left else "normal", "for": self._left}

    def send(self, event: Json, endpoint_ids: list[str]) -> None:
        """Queue an event for its endpoints, in the way the current mode says."""
        mode = self._mode if self._left else "normal"
        self._left = max(0, self._left - 1)
        if mode == "drop":
            return
        if mode == "shuffle":
            self._hold(event, endpoint_ids)
            return
        self._queue(event, endpoint_ids, wait_s=self._delay_s if mode == "delay" else 0.0)
        if mode == "double":
            self._queue(event, endpoint_ids)

    def attempts(self) -> list[Json]:
        """Return what was tried, newest first."""
        with self._lock:
            return list(reversed(self._attempts))

    def hasten(self) -> None:
        """Let the couriers look again at what is due; called when the clock has moved."""
        for courier in list(self._couriers.values()):
            courier.wake()

    def waiting(self) -> int:
        return len(self._hand) + sum(courier.waiting() for courier in list(self._couriers.values()))

    def reset(self) -> None:
        for endpoint_id in list(self._couriers):
            self.drop(endpoint_id)
        self._hand, self._left = [], 0
        self._attempts.clear()

    def close(self) -> None:
        with self._lock:
            self.reset()
            if self._dealer is not None:
                self._dealer.cancel()

    def _queue(self, event: Json, endpoint_ids: list[str], wait_s: float = 0.0) -> None:
        for endpoint_id in endpoint_ids:
            if courier := self._couriers.get(endpoint_id):
                courier.queue(Letter(event), self._clock.exact() + wait_s)

    def _hold(self, event: Json, endpoint_ids: list[str]) -> None:
        self._hand.append((event, endpoint_ids))
        if not self._left:
            self._deal()
        elif self._dealer is None:
            self._dealer = threading.Timer(SHUFFLE_WAIT_S, self._deal)
            self._dealer.daemon = True
            self._dealer.start()

    def _deal(self) -> None:
        """Send what was held back, last first: the furthest from the true order there is."""
        with self._lock:
            hand, self._hand = self._hand, []
            if self._dealer is not None:
                self._dealer.cancel()
                self._dealer = None
            for event, endpoint_ids in reversed(hand):
                self._queue(event, endpoint_ids)

    def _post_of(self, event: Json, secret: str) -> tuple[bytes, str]:
        with self._lock:
            payload = encode(event)
        return payload, signature(payload, secret, int(time.time()))

    def _done(self, attempt: dict[str, Any], letter: Letter) -> None:
        with self._lock:
            self._attempts.append(attempt)
            if attempt["delivered"] and not letter.delivered:
                letter.delivered = True
                letter.event["pending_webhooks"] = max(0, letter.event["pending_webhooks"] - 1)


def signature(payload: bytes, secret: str, at: int) -> str:
    """Return the Stripe-Signature header for a payload sent at `at`, in seconds of the real clock."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
