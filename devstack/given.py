"""A Redis that a person named answers, or they are told before the programs fail one after another over it."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.embedded import ServerFailed

ANSWERS_WITHIN_S = 3.0


def knock_at_redis(url: str) -> None:
    """Raises ServerFailed with a sentence that names the variable; PostgreSQL is asked by the migrations."""
    try:
        client = redis.Redis.from_url(
            url,
            socket_connect_timeout=ANSWERS_WITHIN_S,
            socket_timeout=ANSWERS_WITHIN_S,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServerFailed(f"Redis cannot be reached with REDIS_URL: {error}") from None
