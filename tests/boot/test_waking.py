"""The waking broker: what a leaving process gives back, and what becomes of messages when Redis fails in between."""

from collections.abc import Callable, Iterator

import pytest
import redis
from dramatiq import MessageProxy

from boot import broker as brokers
from boot.settings import Settings
from boot.waking import UNKNOWN_JOB, Outgoing, WakingBroker, WakingConsumer


@pytest.fixture(name="broker")
def _broker(settings_with: Callable[..., Settings]) -> Iterator[WakingBroker]:
    broker = brokers.connect(settings_with())
    yield broker
    broker.client.close()


def consumer_of(broker: WakingBroker, prefetch: int) -> WakingConsumer:
    consumer = broker.consume("probe", prefetch=prefetch, timeout=1000)
    assert isinstance(consumer, WakingConsumer)
    return consumer


def send(broker: WakingBroker, count: int) -> list[str]:
    ids = [f"job_{number}.0.{number}" for number in range(count)]
    broker.publish([Outgoing(message_id, "probe", "probe.wait", message_id, 0) for message_id in ids])
    return ids


def taken(consumer: WakingConsumer) -> MessageProxy:
    message = next(consumer)
    assert message is not None
    return message


def test_a_leaving_process_fetches_nothing_and_gives_back_what_it_has_not_begun(broker: WakingBroker) -> None:
    ids = send(broker, 4)
    consumer = consumer_of(broker, prefetch=3)
    begun = taken(consumer)
    broker.leaving.set()
    for _ in range(3):
        message = next(consumer)
        assert message is None
    consumer.ack(begun)
    waiting = broker.client.lrange("dramatiq:probe", 0, -1)
    assert {message_id.decode() for message_id in waiting} == set(ids[1:])  # type: ignore[union-attr]


def test_messages_whose_fetch_was_never_answered_are_found_though_their_process_lives(broker: WakingBroker) -> None:
    ids = send(broker, 3)
    broker.do_fetch("probe", 2)  # the answer is lost on its way
    assert broker.missing("probe", ids) == []
    assert broker.stranded("probe", ids) == ids[:2]
    broker.drop("probe", ids[:2])
    assert broker.missing("probe", ids) == ids[:2]


def test_an_acknowledgement_that_fails_is_given_later_and_holds_nobody_up(broker: WakingBroker) -> None:
    ids = send(broker, 1)
    consumer = consumer_of(broker, prefetch=1)
    message = taken(consumer)
    client, broker.client = broker.client, redis.Redis.from_url("redis://127.0.0.1:1")
    there = broker.scripts["dispatch"].registered_client
    broker.scripts["dispatch"].registered_client = broker.client
    consumer.ack(message)
    assert next(consumer) is None
    broker.client, broker.scripts["dispatch"].registered_client = client, there
    assert next(consumer) is None
    assert broker.missing("probe", ids) == ids


def test_a_job_this_version_does_not_know_goes_to_the_actor_for_such(broker: WakingBroker) -> None:
    send(broker, 1)
    message = taken(consumer_of(broker, prefetch=1))
    assert message.actor_name == UNKNOWN_JOB
    assert message.kwargs == {"job_id": "job_0.0.0", "fence": 0}


def test_redis_own_dead_letters_stay_empty(broker: WakingBroker) -> None:
    ids = send(broker, 1)
    consumer = consumer_of(broker, prefetch=1)
    consumer.nack(taken(consumer))
    assert broker.client.exists("dramatiq:probe.XQ") == 0
    assert broker.missing("probe", ids) == ids
