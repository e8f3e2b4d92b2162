"""Idempotency keys: the first answer of an executed request is kept for a day and given again."""

from dataclasses import asdict, dataclass

from devstack.stand_ins.keeping import Keeping
from devstack.stand_ins.stripe.clock import Clock
from devstack.stand_ins.stripe.errors import ParameterError, StripeError
from devstack.stand_ins.stripe.wire import Json

KEPT_S = 24 * 3600  # Stripe removes keys when they are at least 24 hours old
KEY_MAX = 255


@dataclass
class Kept:
    """What a key was used for and, once that has ended, how."""

    path: str
    params: Json
    since: float
    request_id: str
    status: int | None = None
    body: str = ""


class Keys:
    """All keys of the account; safe to use from several threads."""

    def __init__(self, clock: Clock, keeping: Keeping) -> None:
        self._clock, self._lock = clock, keeping
        self._kept = {key: Kept(**kept) for key, kept in keeping.rows("key")}
        with self._lock:
            self._forget_old()

    def claim(self, key: str, path: str, params: Json, request_id: str) -> Kept:
        """Return the new entry, or the ended one of the same request; refuse any other use of the key."""
        if len(key) > KEY_MAX:
            raise ParameterError(f"Idempotency keys can have up to {KEY_MAX} characters.")
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or self._clock.exact() - kept.since >= KEPT_S:
                kept = Kept(path, params, self._clock.exact(), request_id)
                self._kept[key] = kept
                return kept
            _check_same(kept, key, path, params)
            return kept

    def keep(self, key: str, kept: Kept, status: int, body: bytes) -> None:
        """Remember how it ended, on disk in the same moment as what the request did."""
        with self._lock:
            kept.status, kept.body = status, body.decode()
            if self._kept.get(key) is kept:
                self._lock.put("key", key, asdict(kept))

    def forget(self, key: str, kept: Kept) -> None:
        """Give the key back, for no endpoint ran."""
        with self._lock:
            if self._kept.get(key) is kept:
                del self._kept[key]

    def clear(self) -> None:
        with self._lock:
            self._kept = {}
            self._lock.clear("key")

    def _forget_old(self) -> None:
        for key in [key for key, kept in self._kept.items() if self._clock.exact() - kept.since >= KEPT_S]:
            del self._kept[key]
            self._lock.drop("key", key)


def _check_same(kept: Kept, key: str, path: str, params: Json) -> None:
    other = f"Try using a key other than '{key}' if you meant to execute a different request."
    if kept.status is None:
        message = f"There is currently another in-progress request using this idempotency key: {key}. Try again later."
        raise StripeError(message, status=409, kind="idempotency_error", code="idempotency_key_in_use")
    if kept.path != path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{kept.path}'). {other}"
        )
        raise StripeError(message, kind="idempotency_error")
    if kept.params != params:
        message = (
            f"Keys for idempotent requests can only be used with the same parameters they were first used with. {other}"
        )
        raise StripeError(message, kind="idempotency_error")
