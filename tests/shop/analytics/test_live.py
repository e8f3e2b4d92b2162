"""The figures of this moment are those of the store, whatever Redis has forgotten and whenever it did."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from clients import live_counters as client
from db.database import Database
from shop.analytics.behaviour.live import Live, live
from shop.analytics.behaviour.live_counters import live_counters
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.ports.events import EventStream
from shop.ports.live import LiveCounters
from tests.shop.analytics.conftest import batch, event

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture(name="counters")
def _counters(redis_url: str) -> LiveCounters:
    return client.connect(redis_url)


def some_happen(db: Database, stream: EventStream, counters: LiveCounters, visitors: int) -> None:
    now = datetime.now(UTC)
    lot = [event("page_view", visitor=f"v{n}", ts=now - timedelta(minutes=n)) for n in range(visitors)]
    accept(db, stream, batch([*lot, event("cart_add", visitor="v0", product_id="p1")]))
    accept(db, stream, batch([event("page_view", visitor="robot")], agent="Googlebot/2.1"))
    ingest(db, stream, counters=counters)


def told(found: Live) -> tuple[Any, ...]:
    return found.visitors_now, list(found.minutes)


def from_the_store(db: Database, stream: EventStream) -> tuple[Any, ...]:
    found = live(db, stream, client.connect(AWAY))
    assert found.counted_by == "postgresql"
    return told(found)


def test_drains_tell_what_is_new_and_people_are_apart_from_machines(
    db: Database, stream: EventStream, counters: LiveCounters
) -> None:
    live_counters(db, counters)
    some_happen(db, stream, counters, 8)
    found = live(db, stream, counters)
    assert found.counted_by == "redis"
    assert told(found) == from_the_store(db, stream)
    assert found.visitors_now == 5
    assert sum(one.events for one in found.minutes if one.human) == 9
    assert [one.events for one in found.minutes if not one.human] == [1]


def test_after_a_flush_the_store_answers_and_redis_is_told_again(
    db: Database, stream: EventStream, counters: LiveCounters, redis_url: str
) -> None:
    live_counters(db, counters)
    some_happen(db, stream, counters, 4)
    with redis.Redis.from_url(redis_url) as server:
        server.flushall()
    some_happen(db, stream, counters, 3)

    found = live(db, stream, counters)
    assert found.counted_by == "postgresql"
    assert told(found) == from_the_store(db, stream)
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM jobs WHERE name = 'analytics.live_counters'").fetchone() == (1,)
    assert live_counters(db, counters)["whole"] == 1
    again = live(db, stream, counters)
    assert again.counted_by == "redis"
    assert told(again) == told(found)


def test_a_flush_in_the_middle_of_the_telling_is_not_taken_for_whole(
    db: Database, stream: EventStream, counters: LiveCounters, redis_url: str
) -> None:
    some_happen(db, stream, counters, 4)

    class FlushedMeanwhile(client.RedisLiveCounters):
        def tell(self, minutes: Any, present: Any) -> int:
            with redis.Redis.from_url(redis_url) as server:
                server.flushall()
            return super().tell(minutes, present)

    flushed = client.connect(redis_url)
    flushed.__class__ = FlushedMeanwhile
    assert live_counters(db, flushed)["whole"] == 0
    assert live(db, stream, counters).counted_by == "postgresql"


def test_late_and_repeated_tellings_change_nothing(db: Database, stream: EventStream, counters: LiveCounters) -> None:
    some_happen(db, stream, counters, 4)
    stale = from_the_store(db, stream)[1]
    some_happen(db, stream, counters, 6)
    live_counters(db, counters)
    assert counters.tell(stale, []) == 0
    assert live_counters(db, counters)["raised"] == 0
    assert told(live(db, stream, counters)) == from_the_store(db, stream)


def test_what_a_dying_drain_did_not_tell_is_told_by_the_clock(
    db: Database, stream: EventStream, counters: LiveCounters
) -> None:
    live_counters(db, counters)
    some_happen(db, stream, client.connect(AWAY), 4)
    assert live(db, stream, counters).visitors_now == 0
    assert live_counters(db, counters)["raised"] > 0
    assert told(live(db, stream, counters)) == from_the_store(db, stream)
