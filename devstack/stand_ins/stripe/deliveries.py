"""Webhook deliveries: signed, in order, repeated with growing delay until the endpoint says 2xx."""

import hashlib
import hmac
import itertools
import threading
import time
from collections import deque
from typing import Any

from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.stripe.clock import Clock
from devstack.stand_ins.stripe.courier import RETRY_AFTER_S, Courier, Letter
from devstack.stand_ins.stripe.store import Store
from devstack.stand_ins.stripe.wire import Json, encode

MODES = ("normal", "drop", "double", "delay", "shuffle")
DELAY_S = 3.0  # long enough that later events overtake a delayed one
SHUFFLE_WAIT_S = 3.0  # a shuffled hand is dealt after this long even if it never got full
KEPT_ATTEMPTS = 500  # enough for the tests that look at what was sent


class Deliveries:
    """Sends events to endpoints, one courier thread each, and misbehaves as the doors order.

    What is on its way is kept; which misbehaviour was ordered and what was tried so far is not.
    """

    def __init__(self, keeping: Keeping, clock: Clock, store: Store) -> None:
        self._lock, self._clock, self._store = keeping, clock, store
        self._couriers: dict[str, Courier] = {}
        self._letters: dict[int, Letter] = {}
        self._numbers = itertools.count(1)
        self._attempts: deque[Json] = deque(maxlen=KEPT_ATTEMPTS)
        self._mode, self._left, self._delay_s = "normal", 0, DELAY_S
        self._hand: list[Letter] = []
        self._dealer: threading.Timer | None = None

    def add(self, endpoint_id: str, url: str, secret: str) -> None:
        """Begin to deliver to an endpoint."""
        self._couriers[endpoint_id] = Courier(endpoint_id, url, secret, self._clock, self._post_of, self._done)

    def drop(self, endpoint_id: str) -> None:
        """Stop delivering to an endpoint; what waits for it is never sent."""
        if courier := self._couriers.pop(endpoint_id, None):
            courier.stop()
        for letter in [letter for letter in self._letters.values() if letter.endpoint_id == endpoint_id]:
            self._forget(letter)

    def resume(self) -> None:
        """Go on with what was on its way when the process ended; called once, when all endpoints are there."""
        for number, (endpoint_id, event_id, tries, due) in list(self._lock.rows("letter")):
            event = self._store.find("event", event_id)
            if event is None or endpoint_id not in self._couriers:
                self._lock.drop("letter", number)
                continue
            letter = Letter(int(number), endpoint_id, event, tries)
            self._letters[letter.number] = letter
            self._couriers[endpoint_id].queue(letter, due)
        self._numbers = itertools.count(1 + max(self._letters, default=0))

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
        letters = [self._letter(event, endpoint_id) for endpoint_id in endpoint_ids if endpoint_id in self._couriers]
        if mode == "double":
            letters += [self._letter(event, letter.endpoint_id) for letter in letters]
        due = self._clock.exact() + (self._delay_s if mode == "delay" else 0.0)
        for letter in letters:
            self._keep(letter, due)
        if mode == "shuffle":
            self._hold(letters)
        else:
            self._queue(letters, due)

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
        """End the threads; what is on its way goes on with the next start."""
        with self._lock:
            for courier in self._couriers.values():
                courier.stop()
            if self._dealer is not None:
                self._dealer.cancel()

    def _letter(self, event: Json, endpoint_id: str) -> Letter:
        letter = Letter(next(self._numbers), endpoint_id, event)
        self._letters[letter.number] = letter
        return letter

    def _keep(self, letter: Letter, due: float) -> None:
        kept = (letter.endpoint_id, letter.event["id"], letter.tries, due)
        self._lock.put("letter", str(letter.number), kept)

    def _forget(self, letter: Letter) -> None:
        del self._letters[letter.number]
        self._lock.drop("letter", str(letter.number))

    def _queue(self, letters: list[Letter], due: float) -> None:
        for letter in letters:
            if letter.number in self._letters:
                self._couriers[letter.endpoint_id].queue(letter, due)

    def _hold(self, letters: list[Letter]) -> None:
        self._hand += letters
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
            self._queue(hand[::-1], self._clock.exact())

    def _post_of(self, letter: Letter, secret: str) -> tuple[bytes, str]:
        with self._lock:
            endpoint = self._store.find("webhook_endpoint", letter.endpoint_id) or {}
            # Only the version's name: the objects within are those of the one version that is spoken here.
            version = endpoint.get("api_version") or letter.event["api_version"]
            payload = encode(letter.event | {"api_version": version})
        return payload, signature(payload, secret, int(time.time()))

    def _done(self, attempt: dict[str, Any], letter: Letter) -> None:
        with self._lock:
            wanted = letter.number in self._letters  # its endpoint may have gone meanwhile
            again = wanted and not attempt["delivered"] and letter.tries <= len(RETRY_AFTER_S)
            self._attempts.append(attempt | {"retries": again})
            if attempt["delivered"] and wanted and (event := self._store.find("event", letter.event["id"])):
                event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            if again:
                due = self._clock.exact() + RETRY_AFTER_S[letter.tries - 1]
                self._keep(letter, due)
                self._queue([letter], due)
            elif wanted:
                self._forget(letter)


def signature(payload: bytes, secret: str, at: int) -> str:
    """Return the Stripe-Signature header for a payload sent at `at`, in seconds of the real clock."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
