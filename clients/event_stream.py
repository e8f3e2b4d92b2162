"""Redis as the place where accepted events wait: one stream entry a batch, gone once it is stored."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from clients.redis_door import open_redis
from shop.ports.events import Entry, EventStream, StreamFull, StreamUnavailable, Waiting

FULL_AT_BYTES = 128 * 1024 * 1024
"""About 400,000 events, 20 seconds of one drain: longer than a deploy, and small beside what Redis is given."""

ABANDONED_AFTER_MS = 30_000
"""A bite is stored in well under a second. Whoever has held one for half a minute has died."""

TIMEOUT_S = 1.0
"""The page's visitor is not waiting, but a web thread is; after a second PostgreSQL takes the batch instead."""

COUNTED_FOR_S = 3 * 24 * 3600
"""The door's own counts are compared with the ledger for three days, so that a weekend's loss is seen on Monday."""

READING_MS = 2_000
"""How long a reader counts as present. A bite takes a tenth of that; one who has died is missed soon enough."""

READ_COUNT = 20
"""Entries a read: at most 10,000 events, so that a bite cannot grow far past what was asked for."""

GROUP = "drain"
CONSUMER = "drain"  # one name for all: what counts is how long an entry has been held, not who holds it

# The braces keep all keys on one node of a cluster, which the scripts need.
STREAM = "{events}:stream"
WAITING = "{events}:waiting"
DOOR = "{events}:door:"
READING = "{events}:reading"

_APPEND = """
local empty = redis.call('XLEN', KEYS[1]) == 0
local size = empty and 0 or tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0')
if size + #ARGV[1] > tonumber(ARGV[5]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'n', ARGV[2], 'b', ARGV[1])
if empty then redis.call('DEL', KEYS[2]) end
redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[1])
redis.call('HINCRBY', KEYS[2], 'events', ARGV[2])
redis.call('HINCRBY', KEYS[3], ARGV[3], ARGV[2])
redis.call('EXPIRE', KEYS[3], ARGV[4])
return 1
"""
"""Room, entry and counts in one step: a crash cannot leave a batch uncounted or a count without its batch.

XADD is the first write: a Redis without memory refuses a script only before it has written anything.
"""

_SETTLE = """
for i = 2, #ARGV, 3 do
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then
        redis.call('HINCRBY', KEYS[2], 'events', 0 - tonumber(ARGV[i + 1]))
        redis.call('HINCRBY', KEYS[2], 'bytes', 0 - tonumber(ARGV[i + 2]))
    end
end
return redis.call('XLEN', KEYS[1])
"""
"""Counts go down only for an entry that was really there, so settling twice changes nothing."""

P = ParamSpec("P")
R = TypeVar("R")


def connect(url: str, *, full_at: int = FULL_AT_BYTES, abandoned_after_ms: int = ABANDONED_AFTER_MS) -> EventStream:
    """Opens nothing; the first call does."""
    # No retry: an append that timed out may have worked, and the second one would be counted twice.
    client = open_redis(url, within_s=TIMEOUT_S, retry=Retry(NoBackoff(), 0))
    return RedisEventStream(client, full_at, abandoned_after_ms)


def _says_when_away(method: Callable[P, R]) -> Callable[P, R]:
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise StreamUnavailable(f"the event stream cannot be reached: {type(error).__name__}") from error
        except redis.ResponseError as error:
            if not _is_refusing_writes(error):
                raise
            raise StreamUnavailable("the event stream takes nothing at the moment") from error

    return asked


def _is_refusing_writes(error: redis.ResponseError) -> bool:
    # A full memory, a disk that takes no snapshot, a replica: Redis answers, but keeps nothing. From inside a script
    # the word comes with a minus and a place before it.
    words = str(error)
    return isinstance(error, redis.OutOfMemoryError | redis.ReadOnlyError) or any(
        word in words for word in ("OOM ", "MISCONF", "READONLY")
    )


class RedisEventStream:
    """The methods are those of the port."""

    def __init__(self, client: Any, full_at: int, abandoned_after_ms: int) -> None:
        self._redis = client
        self._full_at = full_at
        self._abandoned_after_ms = abandoned_after_ms
        self._append = client.register_script(_APPEND)
        self._settle = client.register_script(_SETTLE)

    @_says_when_away
    def append(self, body: bytes, *, events: int, received_at: datetime) -> None:
        kept = self._append(
            keys=[STREAM, WAITING, _door(received_at)],
            args=[body, events, _minute(received_at), COUNTED_FOR_S, self._full_at],
        )
        if not kept:
            raise StreamFull("more events wait than can be stored at the moment")

    @_says_when_away
    def read(self, *, at_least: int, wait_s: float = 0) -> list[Entry]:
        entries: list[Entry] = []
        block: int | None = round(wait_s * 1000) or None
        self._redis.set(READING, b"", px=READING_MS)
        while sum(entry.events for entry in entries) < at_least:
            found = self._read_some(block)
            entries += found
            if len(found) < READ_COUNT:
                break
            block = None
        return entries

    @_says_when_away
    def claim(self) -> list[Entry]:
        answer = self._in_group(
            lambda: self._redis.xautoclaim(
                STREAM, GROUP, CONSUMER, min_idle_time=self._abandoned_after_ms, count=READ_COUNT
            )
        )
        return _entries(answer[1])

    @_says_when_away
    def settle(self, entries: Sequence[Entry]) -> None:
        if entries:
            triples = [value for entry in entries for value in (entry.id, entry.events, len(entry.body))]
            self._settle(keys=[STREAM, WAITING], args=[GROUP, *triples])

    @_says_when_away
    def enter(self) -> bool:
        return bool(self._redis.set(READING, b"", px=READING_MS, nx=True))

    @_says_when_away
    def leave(self) -> None:
        self._redis.delete(READING)

    @_says_when_away
    def length(self) -> int:
        return int(self._redis.xlen(STREAM))

    @_says_when_away
    def due(self) -> bool:
        newest = self._redis.xrevrange(STREAM, count=1)
        if not newest or self._redis.exists(READING):
            return False
        groups = self._redis.xinfo_groups(STREAM)
        delivered = next((group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()), None)
        if delivered is None or _order(newest[0][0]) > _order(delivered):
            return True
        held = self._redis.xpending_range(STREAM, GROUP, "-", "+", 1, idle=self._abandoned_after_ms)
        return bool(held)

    @_says_when_away
    def waiting(self) -> Waiting:
        batches = int(self._redis.xlen(STREAM))
        events, size = self._redis.hmget(WAITING, "events", "bytes")
        return Waiting(batches, int(events or 0) if batches else 0, int(size or 0) if batches else 0)

    @_says_when_away
    def oldest(self) -> datetime | None:
        first = self._redis.xrange(STREAM, count=1)
        return datetime.fromtimestamp(_order(first[0][0])[0] / 1000, UTC) if first else None

    @_says_when_away
    def counted(self, since: datetime, until: datetime) -> int:
        hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        first, end = int(_minute(since)), int(_minute(until))
        total = 0
        while int(_minute(hour)) < end:
            minutes = self._redis.hgetall(_door(hour))
            total += sum(int(n) for minute, n in minutes.items() if first <= int(minute) < end)
            hour += timedelta(hours=1)
        return total

    def _read_some(self, block: int | None) -> list[Entry]:
        answer = self._in_group(
            lambda: self._redis.xreadgroup(GROUP, CONSUMER, {STREAM: ">"}, count=READ_COUNT, block=block)
        )
        return _of_stream(answer)

    def _in_group(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        try:
            self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # somebody else made it in between
                raise
        return ask()


def _of_stream(answer: Any) -> list[Entry]:
    # A list in the older protocol, a map in the newer.
    if not answer:
        return []
    if isinstance(answer, dict):
        return [entry for batches in answer.values() for batch in batches for entry in _entries(batch)]
    return _entries(answer[0][1])


def _entries(rows: list[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    return [Entry(entry_id.decode(), int(fields[b"n"]), fields[b"b"]) for entry_id, fields in rows if fields]


def _order(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)


def _door(moment: datetime) -> str:
    return f"{DOOR}{moment.astimezone(UTC):%Y%m%dT%H}"


def _minute(moment: datetime) -> str:
    return str(int(moment.timestamp()) // 60)
