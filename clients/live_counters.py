"""Redis as the place that is asked for the figures of this moment: a hash a minute, and who is here."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from secrets import token_hex
from typing import Any, ParamSpec, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from clients.redis_door import open_redis
from shop.ports.live import LiveCounters, LiveUnavailable, MinuteCount, Presence

TIMEOUT_S = 0.5
"""The store can answer as well; nobody waits for this."""

KEPT_S = 48 * 3600
HERE_FOR = timedelta(minutes=30)
"""Longer than anybody counts as present."""

FILLING_S = 300
A_CALL = 2_000
"""Values a script: Redis does nothing else meanwhile, and this takes it a few milliseconds."""

# The braces keep all keys on one node of a cluster, which the scripts need.
MINUTE = "{live}:minute:"
VISITORS = "{live}:visitors"
WORD = "{live}:filling"
WHOLE = "{live}:whole"

_RAISE = """
local raised = 0
for i = 2, #ARGV, 3 do
    local key, field, count = KEYS[1] .. ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
    if tonumber(redis.call('HGET', key, field) or '-1') < count then
        redis.call('HSET', key, field, count)
        redis.call('EXPIRE', key, ARGV[1])
        raised = raised + 1
    end
end
return raised
"""
_FILLED = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], '1')
return 1
"""
"""A flush between the two takes the word with it, and then nothing is said to be whole."""

P = ParamSpec("P")
R = TypeVar("R")


def connect(url: str) -> LiveCounters:
    """Opens nothing; the first call does."""
    return RedisLiveCounters(open_redis(url, within_s=TIMEOUT_S, retry=Retry(NoBackoff(), 0)))


def _says_when_away(method: Callable[P, R]) -> Callable[P, R]:
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except redis.RedisError as error:
            raise LiveUnavailable(type(error).__name__) from error

    return asked


class RedisLiveCounters:
    """The methods are those of the port."""

    def __init__(self, client: Any) -> None:
        self._redis = client
        self._raise = client.register_script(_RAISE)
        self._filled = client.register_script(_FILLED)

    @_says_when_away
    def tell(self, minutes: Sequence[MinuteCount], present: Iterable[Presence]) -> int:
        raised = 0
        for some in _in_parts(minutes):
            words = [word for one in some for word in (_number(one.minute), _field(one), one.events)]
            raised += int(self._raise(keys=[MINUTE], args=[KEPT_S, *words]))
        oldest = datetime.now(UTC) - HERE_FOR
        for some in _in_parts(present):
            seen = {str(one.visitor): one.at.timestamp() for one in some if one.at > oldest}
            if seen:
                self._redis.zadd(VISITORS, seen, gt=True)
        self._redis.zremrangebyscore(VISITORS, "-inf", oldest.timestamp())
        return raised

    @_says_when_away
    def filling(self) -> str:
        word = token_hex(8)
        self._redis.set(WORD, word, ex=FILLING_S)
        return word

    @_says_when_away
    def filled(self, word: str) -> bool:
        return bool(self._filled(keys=[WORD, WHOLE], args=[word]))

    @_says_when_away
    def minutes(self, since: datetime, until: datetime) -> list[MinuteCount] | None:
        numbers = range(_number(since), _number(until) + 1)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(WHOLE)
            for number in numbers:
                pipe.hgetall(f"{MINUTE}{number}")
            whole, *found = pipe.execute()
        if not whole:
            return None
        return [
            one
            for number, fields in zip(numbers, found, strict=True)
            for one in sorted(_counts(number, fields), key=lambda count: (count.name, not count.human))
        ]

    @_says_when_away
    def present(self, since: datetime) -> int | None:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(WHOLE)
            pipe.zcount(VISITORS, since.timestamp(), "+inf")
            whole, count = pipe.execute()
        return int(count) if whole else None

    @_says_when_away
    def forget(self) -> None:
        self._redis.delete(WHOLE, WORD, VISITORS)
        for some in _in_parts(self._redis.scan_iter(f"{MINUTE}*", count=A_CALL)):
            self._redis.delete(*some)


def _in_parts(values: Iterable[Any]) -> Iterable[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, A_CALL)):
        yield some


def _number(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _field(one: MinuteCount) -> str:
    return f"{'human' if one.human else 'machine'} {one.name}"


def _counts(number: int, fields: dict[bytes, bytes]) -> Iterable[MinuteCount]:
    for field, events in fields.items():
        kind, _, name = field.decode().partition(" ")
        if int(events):
            yield MinuteCount(datetime.fromtimestamp(number * 60, UTC), name, kind == "human", int(events))
