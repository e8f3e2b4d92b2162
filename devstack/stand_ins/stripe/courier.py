"""Carries events to one webhook endpoint: one at a time, first tries in order, failures again later."""

import heapq
import http.client
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from devstack.stand_ins.stripe.clock import Clock
from devstack.stand_ins.stripe.wire import Json

# Growing as Stripe's do, but shorter: a person at the local stack wants to see the retry. On the stand-in's clock.
RETRY_AFTER_S = (1, 5, 30, 300, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 24 * 3600)
ANSWER_WITHIN_S = 20.0  # an endpoint that takes longer has failed this try
LOOK_AGAIN_S = 1.0  # the longest sleep: real time drives the stand-in's clock too


@dataclass(eq=False)
class Letter:
    """An event on its way to one endpoint; the number is its own for ever."""

    number: int
    endpoint_id: str
    event: Json
    tries: int = 0


class Courier:
    """The thread that delivers to one endpoint."""

    def __init__(
        self,
        endpoint_id: str,
        url: str,
        secret: str,
        clock: Clock,
        post_of: Callable[[Letter, str], tuple[bytes, str]],
        done: Callable[[dict[str, Any], Letter], None],
    ) -> None:
        self._url, self._secret, self._clock = url, secret, clock
        self._post_of, self._done = post_of, done
        self._numbers = itertools.count()
        self._letters: list[tuple[float, int, Letter]] = []
        self._changed = threading.Condition()
        self._stopped, self._busy = False, False
        threading.Thread(target=self._run, name=f"courier-{endpoint_id}", daemon=True).start()

    def queue(self, letter: Letter, due: float) -> None:
        with self._changed:
            heapq.heappush(self._letters, (due, next(self._numbers), letter))
            self._changed.notify()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._letters = []
            self._changed.notify()

    def waiting(self) -> int:
        with self._changed:
            return len(self._letters) + self._busy

    def _run(self) -> None:
        while (letter := self._next()) is not None:
            self._done(self._try(letter), letter)
            with self._changed:
                self._busy = False

    def _next(self) -> Letter | None:
        with self._changed:
            while not self._stopped:
                wait_s = self._letters[0][0] - self._clock.exact() if self._letters else LOOK_AGAIN_S
                if self._letters and wait_s <= 0:
                    self._busy = True
                    return heapq.heappop(self._letters)[2]
                self._changed.wait(min(wait_s, LOOK_AGAIN_S))
        return None

    def _try(self, letter: Letter) -> dict[str, Any]:
        letter.tries += 1
        payload, signature = self._post_of(letter, self._secret)
        status, reason = _post(self._url, payload, signature)
        return {
            "event": letter.event["id"],
            "type": letter.event["type"],
            "endpoint": letter.endpoint_id,
            "url": self._url,
            "try": letter.tries,
            "status": status,
            "error": reason,
            "delivered": status is not None and 200 <= status < 300,
        }


def _post(url: str, payload: bytes, signature: str) -> tuple[int | None, str | None]:
    """Return the endpoint's status, or why there was none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=ANSWER_WITHIN_S)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (stand-in)",
        "Accept": "*/*; q=0.5, application/xml",
        "Connection": "close",
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body=payload, headers=headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as failed:
        return None, f"{type(failed).__name__}: {failed}"
    finally:
        connection.close()
    return answer.status, None
