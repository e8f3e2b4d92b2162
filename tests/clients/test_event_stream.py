"""The event stream on a real Redis: order, hand-over, leftovers, counts, and what happens when it is away or full."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import redis

from clients import event_stream
from shop.ports.events import EventStream, StreamFull, StreamUnavailable, Waiting

NOW = datetime.now(UTC)


@pytest.fixture(name="stream")
def _stream(redis_url: str) -> EventStream:
    return event_stream.connect(redis_url, abandoned_after_ms=50)


def append(stream: EventStream, count: int, *, events: int = 3, body: bytes = b"{}", at: datetime = NOW) -> None:
    for _ in range(count):
        stream.append(body, events=events, received_at=at)


def test_batches_come_back_in_order_until_enough_events_are_together(stream: EventStream) -> None:
    for n in range(45):
        stream.append(str(n).encode(), events=10, received_at=NOW)
    first = stream.read(at_least=150)
    assert [entry.body for entry in first] == [str(n).encode() for n in range(20)]
    rest = stream.read(at_least=5_000)
    assert [int(entry.body) for entry in rest] == list(range(20, 45))
    assert stream.read(at_least=1) == []


def test_a_settled_batch_is_gone_and_settling_twice_changes_nothing(stream: EventStream) -> None:
    append(stream, 3, body=b"1234567890")
    one, two, _ = stream.read(at_least=9)
    stream.settle([one, two])
    stream.settle([one, two])
    assert stream.waiting() == Waiting(batches=1, events=3, size=10)
    assert stream.length() == 1


def test_what_a_dead_reader_held_is_claimed_by_the_next(stream: EventStream) -> None:
    append(stream, 2)
    assert len(stream.read(at_least=6)) == 2
    assert stream.claim() == []  # it may still be at work
    stream.leave()
    assert not stream.due()
    time.sleep(0.06)
    assert stream.due()
    claimed = stream.claim()
    assert len(claimed) == 2
    stream.settle(claimed)
    assert not stream.due()


def test_nothing_is_due_while_somebody_reads(stream: EventStream, redis_url: str) -> None:
    append(stream, 1)
    stream.settle(stream.read(at_least=1))
    append(stream, 1)
    assert not stream.due()
    with redis.Redis.from_url(redis_url) as server:
        assert 0 < server.pttl("{events}:reading") <= 2000  # one who dies is missed after that
    stream.leave()
    assert stream.due()


def test_there_is_one_reader_at_a_time(stream: EventStream) -> None:
    assert stream.enter()
    assert not stream.enter()
    stream.leave()
    assert stream.enter()


def test_a_reader_may_wait_for_the_first_batch(stream: EventStream) -> None:
    started = time.monotonic()
    assert stream.read(at_least=1, wait_s=0.1) == []
    assert 0.09 < time.monotonic() - started < 1


def test_the_door_counts_by_minute(stream: EventStream) -> None:
    minute = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    append(stream, 1, events=5, at=minute)
    append(stream, 1, events=7, at=minute + timedelta(minutes=1))
    assert stream.counted(minute, minute + timedelta(minutes=1)) == 5
    assert stream.counted(minute, minute + timedelta(minutes=2)) == 12
    assert stream.counted(minute + timedelta(minutes=2), minute + timedelta(hours=5)) == 0


def test_a_full_stream_takes_nothing_and_counts_nothing(redis_url: str) -> None:
    stream = event_stream.connect(redis_url, full_at=100)
    append(stream, 1, body=b"x" * 90)
    with pytest.raises(StreamFull):
        append(stream, 1, body=b"x" * 20)
    assert stream.waiting().batches == 1
    assert stream.counted(NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)) == 3


def test_counts_that_outlived_their_batches_do_not_block_the_door(stream: EventStream, redis_url: str) -> None:
    append(stream, 2, body=b"x" * 50)
    with redis.Redis.from_url(redis_url) as server:
        server.delete("{events}:stream")
    assert stream.waiting() == Waiting(0, 0, 0)
    append(stream, 1, body=b"x")
    assert stream.waiting() == Waiting(1, 3, 1)


def test_a_group_that_was_lost_is_made_again_and_nothing_is_skipped(stream: EventStream, redis_url: str) -> None:
    append(stream, 2)
    assert stream.due()
    stream.read(at_least=1)
    with redis.Redis.from_url(redis_url) as server:
        server.xgroup_destroy("{events}:stream", "drain")
    assert len(stream.read(at_least=1)) == 2


@pytest.mark.parametrize("method", ["length", "due", "waiting", "claim", "leave"])
def test_away_is_said_quickly_and_in_our_words(method: str) -> None:
    nowhere = event_stream.connect("redis://127.0.0.1:1/0")
    with pytest.raises(StreamUnavailable):
        getattr(nowhere, method)()
    with pytest.raises(StreamUnavailable):
        append(nowhere, 1)


def test_a_redis_that_keeps_nothing_counts_as_away(stream: EventStream, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as server:
        before = server.config_get("maxmemory")["maxmemory"]
        server.config_set("maxmemory", "1")
        try:
            with pytest.raises(StreamUnavailable):
                append(stream, 1)
        finally:
            server.config_set("maxmemory", before)
