"""Builds the broker from the settings, with the middleware that is wanted and no other."""

import redis
from dramatiq.middleware import Middleware, TimeLimit

from boot.settings import Settings
from boot.waking import WakingBroker
from clients.redis_door import open_redis


def connect(settings: Settings) -> WakingBroker:
    """A broker that declares no queue. Opens no connection.

    Of Dramatiq's middleware only the time limit is used. Retries, delays, results and age limits are columns of the
    job row: a counter in a message cannot count the run that killed its process.
    """
    middleware: list[Middleware] = [TimeLimit(interval=500)]
    return WakingBroker(_client(settings), middleware)


def _client(settings: Settings) -> "redis.Redis":
    # Retries are left to the callers: a repeated enqueue would only make a second message. The health check finds
    # connections that a proxy cut silently. BLPOP waits one second, so five seconds of silence mean trouble.
    return open_redis(
        settings.redis_address, within_s=5, connect_within_s=3, socket_keepalive=True, health_check_interval=30
    )
