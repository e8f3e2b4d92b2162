"""Answers in Redis for a few minutes, sealed: who reads Redis learns nothing, who writes to it cannot make us say
anything.
"""

import os
import time
from collections.abc import Callable

import redis
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from clients.redis_door import open_redis
from shop.ports.answers import KEPT_S

TIMEOUT_S = 0.1
"""PostgreSQL answers the same question in a millisecond or two; a Redis that takes longer is no short cut."""

REST_S = 2.0
"""After a failure Redis is left alone for so long; otherwise each request of an outage would wait TIMEOUT_S."""

LARGEST = 65_536
"""Bytes. Longer answers are not repeated often enough to be worth the memory."""

NONCE = 12
"""Bytes, as AES-GCM wants them; drawn anew for each answer."""


class RedisAnswers:
    """See shop.ports.answers.Answers. `secret` is one that all processes of the shop share and Redis does not know."""

    def __init__(self, client: "redis.Redis", secret: bytes) -> None:
        self._redis = client
        derived = HKDF(SHA256(), 32, salt=None, info=b"backroom answers of keyed requests").derive(secret)
        self._cipher = AESGCM(derived)
        self._resting_until = 0.0

    def find(self, name: str) -> bytes | None:
        sealed = self._ask(lambda: self._redis.get(f"answer:{name}"))
        if not isinstance(sealed, bytes):
            return None
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
        except (InvalidTag, ValueError):
            structlog.get_logger().warning("answer_forged_or_of_another_secret")
            return None

    def keep(self, name: str, answer: bytes, *, for_s: int = KEPT_S) -> None:
        if len(answer) > LARGEST:
            return
        nonce = os.urandom(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, answer, name.encode())
        self._ask(lambda: self._redis.set(f"answer:{name}", sealed, ex=for_s))

    def _ask(self, question: Callable[[], object]) -> object:
        if time.monotonic() < self._resting_until:
            return None
        try:
            return question()
        except redis.RedisError as error:
            self._resting_until = time.monotonic() + REST_S
            structlog.get_logger().warning("answers_unavailable", error=type(error).__name__)
            return None


def connect(url: str, secret: str) -> RedisAnswers:
    """Opens nothing: the pool connects at the first request, once in each process."""
    client = open_redis(url, within_s=TIMEOUT_S, health_check_interval=30, retry=None)
    return RedisAnswers(client, secret.encode())
