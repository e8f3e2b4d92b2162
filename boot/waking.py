"""Dramatiq's Redis broker with three changes: consumers are woken instead of polling, messages go out in batches, and
the relay can ask which messages Redis still holds."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis
from dramatiq import Message, MessageProxy
from dramatiq.brokers import redis as stock
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed
from dramatiq.logging import get_logger
from dramatiq.middleware import Middleware

HEARTBEAT_TIMEOUT_MS = 15_000
"""After this the stock broker hands a silent process's messages to others. One constant for every process, because
each caller's value is applied to everybody. A message handed over twice is harmless: the row's fence stops it."""

MAINTENANCE_CHANCE = 20_000
"""Of a million commands, how many look for silent processes; with the default of 1,000 it takes minutes."""

DEAD_MESSAGE_TTL_MS = 86_400_000
"""Messages that Dramatiq itself gives up on are of no use: the job row has the error. One day for the curious."""

WAKE_TTL_MS = 60_000
IDLE_POLL_S = 1.0
"""A lost wake token costs at most this long."""

TROUBLE_S = 0.5
"""Pause between two tries while Redis is away. Dramatiq's own restart of a consumer waits three seconds, its repeated
acknowledgement five, and it keeps a thread meanwhile."""

UNKNOWN_JOB = "unknown.job"
"""The actor that gets the messages of jobs this version has no door for."""

# Appended to the stock script: enqueueing also puts a token on the queue's wake list. Tokens are hints, so a short list
# is enough, and it expires by itself when nobody listens.
_WAKE = f"""
if command == "enqueue" then
    local wake = namespace .. ":wake:" .. queue_name
    redis.call("lpush", wake, "1")
    redis.call("ltrim", wake, 0, 31)
    redis.call("pexpire", wake, {WAKE_TTL_MS})
end
"""


class BrokerDown(Exception):
    """Redis did not answer. Nothing is lost: the rows wait in PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to be: `message_id` must be unique, so that what Redis holds can be compared with the rows."""

    message_id: str
    queue: str
    job: str
    job_id: str
    fence: int


class WakingBroker(stock.RedisBroker):
    """Drop-in for RedisBroker; the differences are in the module's first line."""

    def __init__(self, client: "redis.Redis", middleware: list[Middleware]) -> None:
        super().__init__(
            client=client,
            middleware=middleware,
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
            maintenance_chance=MAINTENANCE_CHANCE,
            dead_message_ttl=DEAD_MESSAGE_TTL_MS,
        )
        self.leaving = threading.Event()
        """Set: nothing more is fetched, and what was fetched and not begun goes back."""
        script = cast("dict[str, bytes]", stock._scripts)["dispatch"]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self.scripts["dispatch"] = self.client.register_script(script + _WAKE.encode())

    @property
    def consumer_class(self) -> type["WakingConsumer"]:
        return WakingConsumer

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Hand over a batch in one MULTI: all of it is in Redis afterwards, or none (BrokerDown)."""
        try:
            script = self.scripts["dispatch"]
            pipeline = self.client.pipeline(transaction=True)
            for message in messages:
                script(keys=[self.namespace], args=self._enqueue_args(message), client=pipeline)
            pipeline.execute()
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error

    def missing(self, queue: str, message_ids: Sequence[str]) -> list[str]:
        """Those of the messages that Redis no longer knows: neither waiting nor in anybody's hands."""
        try:
            bodies = cast("list[Any]", self.client.hmget(f"{self.namespace}:{queue}.msgs", list(message_ids)))
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error
        return [message_id for message_id, body in zip(message_ids, bodies, strict=True) if body is None]

    def stranded(self, queue: str, message_ids: Sequence[str]) -> list[str]:
        """Those whose body is there but which nobody will ever fetch, since they are not in the list.

        A Redis that lost its last second keeps such bodies. So does one whose answer to a fetch never arrived: by its
        books the messages are in the hands of a process that knows nothing of them and may live for days. A process
        takes no more than it has threads for and claims at once, so only messages that wait suspiciously long are
        asked for, and a wrong suspicion costs one message too many.
        """
        try:
            waiting = cast("list[bytes]", self.client.lrange(f"{self.namespace}:{queue}", 0, -1))
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error
        known = {message_id.decode() for message_id in waiting}
        return [message_id for message_id in message_ids if message_id not in known]

    def drop(self, queue: str, message_ids: Sequence[str]) -> None:
        """Forget the bodies of messages whose rows are handed over anew."""
        try:
            self.client.hdel(f"{self.namespace}:{queue}.msgs", *message_ids)
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error

    def take_from_dead(self, broker_id: str, queue: str) -> list[str]:
        """Remove what a dead process had fetched, and answer the ids, so that their rows can be handed over anew."""
        acks = f"{self.namespace}:__acks__.{broker_id}.{queue}"
        try:
            held = [member.decode() for member in cast("set[bytes]", self.client.smembers(acks))]
            pipeline = self.client.pipeline(transaction=True)
            pipeline.delete(acks)
            pipeline.zrem(f"{self.namespace}:__heartbeats__", broker_id)
            if held:
                pipeline.hdel(f"{self.namespace}:{queue}.msgs", *held)
            pipeline.execute()
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error
        return held

    def run_id(self) -> str:
        """Changes when Redis restarts, and with it perhaps its memory."""
        return self._told("server", "run_id")

    def version(self) -> str:
        """As the server says it: `7.2.4`."""
        return self._told("server", "redis_version")

    def memory_policy(self) -> str:
        """`noeviction`, or a policy under which Redis throws queues away when a cache fills."""
        return self._told("memory", "maxmemory_policy")

    def _told(self, section: str, name: str) -> str:
        try:
            return str(cast("dict[str, Any]", self.client.info(section)).get(name, "unknown"))
        except redis.RedisError as error:
            raise BrokerDown(str(error)) from error

    def _enqueue_args(self, outgoing: Outgoing) -> list[Any]:
        message: Message[Any] = Message(
            queue_name=outgoing.queue,
            actor_name=outgoing.job,
            args=(),
            kwargs={"job_id": outgoing.job_id, "fence": outgoing.fence},
            options={"redis_message_id": outgoing.message_id},
        )
        return [
            "enqueue",
            current_millis(),
            outgoing.queue,
            self.broker_id,
            HEARTBEAT_TIMEOUT_MS,
            DEAD_MESSAGE_TTL_MS,
            0,
            self._max_unpack_size(),
            outgoing.message_id,
            message.encode(),
        ]


class WakingConsumer(stock._RedisConsumer):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    """Fetches as the stock consumer does, but waits for a token or for a free thread instead of sleeping.

    While Redis is away it waits and stays, and no thread waits with it: an acknowledgement that cannot be given is
    given later. Should it get lost, the message comes again and finds no row to claim.
    """

    broker: WakingBroker
    queue_name: str
    prefetch: int
    message_cache: list[bytes]
    queued_message_ids: set[str]

    def __init__(self, broker: WakingBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self.logger = get_logger(__name__, type(self))
        self._room = threading.Event()
        self._late_acks: list[MessageProxy] = []

    def __next__(self) -> MessageProxy | None:
        if self.queue_name.endswith(".DQ"):
            # Delays are rows with a time in PostgreSQL; nothing ever waits in Dramatiq's delay queues.
            time.sleep(IDLE_POLL_S)
            return None
        try:
            self._next_messages()
        except redis.RedisError as error:
            self.logger.warning("Redis is away: %s", type(error).__name__)
            time.sleep(TROUBLE_S)
        return self._from_cache()

    def ack(self, message: MessageProxy) -> None:
        try:
            super().ack(message)
        except (redis.RedisError, ConnectionClosed):
            self._late_acks.append(message)
        finally:
            self._room.set()

    def nack(self, message: MessageProxy) -> None:
        """Dramatiq's own dead letters stay empty: the row has the error."""
        self.ack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        try:
            super().requeue(messages)
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None

    def _next_messages(self) -> None:
        if self.broker.leaving.is_set():
            self.requeue(MessageProxy(Message.decode(body)) for body in self.message_cache)
            self.message_cache = []
            time.sleep(0.1)  # until the worker stops asking
        elif not self.message_cache:
            self._room.clear()
            self._fetch_or_wait()

    def _fetch_or_wait(self) -> None:
        while self._late_acks:
            self.broker.do_ack(self.queue_name, self._late_acks[0].options["redis_message_id"])
            del self._late_acks[0]
        free = self.prefetch - self.outstanding_message_count
        if free <= 0:
            self._room.wait(IDLE_POLL_S)
            return
        self.message_cache = [body for body in self.broker.do_fetch(self.queue_name, free) if body is not None]
        if not self.message_cache:
            self.broker.client.blpop([f"{self.broker.namespace}:wake:{self.queue_name}"], timeout=IDLE_POLL_S)

    def _from_cache(self) -> MessageProxy | None:
        if not self.message_cache:
            return None
        message = Message.decode(self.message_cache.pop(0))
        self.queued_message_ids.add(message.message_id)
        if message.actor_name not in self.broker.actors:
            message = message.copy(actor_name=UNKNOWN_JOB)
        return MessageProxy(message)
