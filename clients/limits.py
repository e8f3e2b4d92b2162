"""Rate limits counted in Redis: one key per bucket, one script per request, the same clock for every process."""

import time
from math import ceil
from typing import Any, cast

import redis
import structlog

from clients.redis_door import open_redis
from shop.ports.limits import Allowance

TIMEOUT_S = 0.25
"""A counter that takes longer than this costs more than it protects."""

REST_S = 2.0
"""After a failure Redis is left alone for so long; otherwise each request of an outage would wait TIMEOUT_S."""

# GCRA, the leaky bucket told by one number: `tat` is when the bucket will be empty again, in microseconds. A full
# bucket refills evenly, so no caller gets two windows' worth around the turn of a minute.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local limit = tonumber(ARGV[1])
local period = tonumber(ARGV[2]) * 1000000
local step = period / limit
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local room = period - (tat - now)
if room < step then
    return {0, 0, tat - now, step - room}
end
tat = tat + step
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000))
return {1, math.floor((period - (tat - now)) / step + 0.000001), tat - now, 0}
"""


class RedisLimits:
    """See shop.ports.limits.Limits."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._script = client.register_script(SCRIPT)
        self._resting_until = 0.0

    def take(self, bucket: str, *, limit: int, per_s: int) -> Allowance:
        if time.monotonic() < self._resting_until:
            return _free(limit)
        try:
            answer = cast("list[Any]", self._script(keys=[f"limit:{bucket}"], args=[limit, per_s]))
        except redis.RedisError as error:
            self._resting_until = time.monotonic() + REST_S
            structlog.get_logger().warning("limits_unavailable", error=type(error).__name__)
            return _free(limit)
        allowed, remaining, reset_us, retry_us = (int(part) for part in answer)
        return Allowance(allowed == 1, limit, remaining, ceil(reset_us / 1e6), ceil(retry_us / 1e6))

    def alive(self) -> bool:
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False


def connect(url: str) -> RedisLimits:
    """Opens nothing: the pool connects at the first request, once in each process."""
    return RedisLimits(open_redis(url, within_s=TIMEOUT_S, health_check_interval=30, retry=None))


def _free(limit: int) -> Allowance:
    return Allowance(allowed=True, limit=limit, remaining=limit, reset_s=0, retry_after_s=0)
