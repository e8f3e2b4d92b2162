"""Nothing that was accepted is lost, nothing is stored twice, and the conservation ledger says so."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from clients import event_stream
from db.database import Database
from shop.analytics.events.accept import NowhereToKeep, accept
from shop.analytics.events.ingest import ingest, waiting
from shop.ports.events import EventStream, StreamFull
from tests.shop.analytics.conftest import batch, event

AWAY = "redis://127.0.0.1:1/0"


def ledger(db: Database) -> dict[str, int]:
    names = ("received", "stored", "duplicate", "conflict", "rejected", "quarantined")
    with db.transaction() as tx:
        row = tx.execute(
            "SELECT coalesce(sum(received), 0)::int, coalesce(sum(stored), 0)::int,"
            " coalesce(sum(duplicate), 0)::int, coalesce(sum(conflict), 0)::int,"
            " coalesce(sum(rejected), 0)::int, coalesce(sum(quarantined), 0)::int FROM ingest_ledger"
        ).fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))


def stored(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute("SELECT event_id, name, visitor_id, product_id, quantity FROM events ORDER BY 1").fetchall()


def hours(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute("SELECT hour, name, human, events FROM event_hours ORDER BY 1, 2, 3").fetchall()


def hours_of_raw(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute(
            "SELECT date_trunc('hour', ts), name, bot_score < 50, count(*) FROM events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall()


def test_doubled_and_shuffled_batches_are_stored_once_and_the_ledger_balances(
    db: Database, stream: EventStream
) -> None:
    chance = random.Random(7)
    events = [
        event(chance.choice(["page_view", "product_view", "cart_add"]), visitor=f"v{n % 40}", product_id=f"p{n % 7}")
        for n in range(600)
    ]
    batches = [events[n : n + 20] for n in range(0, 600, 20)]
    for lot in chance.sample(batches + batches[:10], 40):
        accept(db, stream, batch(chance.sample(lot, len(lot))))

    outcome = ingest(db, stream)

    assert outcome == {"stored": 600, "duplicate": 200}
    assert [str(row[0]) for row in stored(db)] == sorted(one["id"] for one in events)
    assert ledger(db) == {
        "received": 800, "stored": 600, "duplicate": 200, "conflict": 0, "rejected": 0, "quarantined": 0
    }  # fmt: skip
    assert hours(db) == hours_of_raw(db)
    assert stream.waiting().events == stream.length() == 0


def test_a_drain_that_dies_between_commit_and_acknowledgement_loses_and_doubles_nothing(
    db: Database, redis_url: str
) -> None:
    class DiesBeforeSettling(event_stream.RedisEventStream):
        def settle(self, entries: Any) -> None:
            raise KeyboardInterrupt

    stream = event_stream.connect(redis_url, abandoned_after_ms=0)
    dying = event_stream.connect(redis_url)
    dying.__class__ = DiesBeforeSettling
    accept(db, stream, batch([event() for _ in range(30)], rejected={"reserved_name": 2}))

    with pytest.raises(KeyboardInterrupt):
        ingest(db, dying)
    assert len(stored(db)) == 30
    assert stream.length() == 1

    assert ingest(db, stream) == {}
    assert stream.length() == 0
    assert ledger(db) == {
        "received": 32, "stored": 30, "duplicate": 0, "conflict": 0, "rejected": 2, "quarantined": 0
    }  # fmt: skip
    assert hours(db) == hours_of_raw(db)


def test_a_drain_that_dies_before_commit_leaves_its_batches_to_the_next(db: Database, redis_url: str) -> None:
    stream = event_stream.connect(redis_url, abandoned_after_ms=0)
    accept(db, stream, batch([event() for _ in range(5)]))
    assert len(stream.read(at_least=1)) == 1  # read by somebody who died at once
    stream.leave()  # what two seconds do for somebody who has died

    assert stream.due()
    assert ingest(db, stream) == {"stored": 5}
    assert not stream.due()


def test_the_same_id_with_another_payload_is_a_conflict_and_the_first_one_stays(
    db: Database, stream: EventStream
) -> None:
    first = event(product_id="p1")
    accept(db, stream, batch([first]))
    accept(db, stream, batch([{**first, "product_id": "p2"}]))
    accept(db, stream, batch([first], sent_at=datetime.now(UTC) - timedelta(seconds=30)))

    assert ingest(db, stream) == {"stored": 1, "conflict": 1, "duplicate": 1}
    assert [row[3] for row in stored(db)] == ["p1"]


def test_one_bad_row_is_quarantined_with_its_reason_and_the_rest_is_stored(db: Database, stream: EventStream) -> None:
    lot = [event(visitor=f"v{n}") for n in range(50)]
    lot[17]["currency"] = "EURO"  # what the web process would have refused
    lot[33]["props"] = {"note": "a\x00b"}
    accept(db, stream, batch(lot))

    assert ingest(db, stream) == {"stored": 48, "quarantined": 2}
    with db.transaction() as tx:
        kept = tx.execute("SELECT raw::jsonb ->> 'event_id', reason FROM quarantined_events ORDER BY id").fetchall()
    assert [row[0] for row in kept] == [lot[17]["id"], lot[33]["id"]]
    assert kept[0][1] == "breaks events_currency_check"


def test_a_batch_that_cannot_be_read_is_quarantined_whole(db: Database, stream: EventStream) -> None:
    stream.append(b'{"batch": "half a', events=12, received_at=datetime.now(UTC))
    accept(db, stream, batch([event()]))

    assert ingest(db, stream) == {"stored": 1, "quarantined": 12}
    assert ledger(db)["received"] == 13


def test_while_redis_is_away_batches_wait_in_postgresql_with_a_drain_staged(db: Database, stream: EventStream) -> None:
    accept(db, event_stream.connect(AWAY), batch([event() for _ in range(4)], rejected={"unknown_name": 1}))

    assert waiting(db, event_stream.connect(AWAY)).events == 5
    with db.transaction() as tx:
        assert tx.execute("SELECT name, unique_key FROM jobs").fetchall() == [("analytics.ingest", "analytics.ingest")]
    assert ingest(db, stream) == {"stored": 4, "rejected": 1}
    assert waiting(db, stream).events == 0


def test_a_batch_in_both_places_is_stored_once(db: Database, stream: EventStream, redis_url: str) -> None:
    lot = batch([event()])
    accept(db, stream, lot)
    body = stream.read(at_least=1)[0].body
    with db.transaction() as tx:  # the append worked, but its answer was lost
        tx.execute("INSERT INTO event_inbox (body, events) VALUES (%s, 1)", [body])
    stream.leave()

    ingest(db, event_stream.connect(redis_url, abandoned_after_ms=0))
    assert ledger(db) == {"received": 1, "stored": 1, "duplicate": 0, "conflict": 0, "rejected": 0, "quarantined": 0}


def test_with_neither_redis_nor_postgresql_the_sender_is_told_to_come_again() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1", size=1)
    nowhere._open_pool().timeout = 0.2
    try:
        with pytest.raises(NowhereToKeep) as refused:
            accept(nowhere, event_stream.connect(AWAY), batch([event()]))
        assert refused.value.retry_after_s
    finally:
        nowhere.close()


def test_when_too_much_waits_the_sender_is_asked_to_slow_down(db: Database, redis_url: str) -> None:
    small = event_stream.connect(redis_url, full_at=1000)
    accept(db, small, batch([event()]))
    with pytest.raises(StreamFull):
        accept(db, small, batch([event() for _ in range(10)]))
    ingest(db, small)
    accept(db, small, batch([event()]))


def test_a_second_drain_leaves_the_field_to_the_first(db: Database, stream: EventStream) -> None:
    accept(db, stream, batch([event()]))
    assert stream.enter()  # somebody else is at it
    assert ingest(db, stream) == {}
    stream.leave()
    assert ingest(db, stream) == {"stored": 1}


def test_a_long_queue_is_stored_in_bites_and_the_next_run_is_staged(db: Database, stream: EventStream) -> None:
    for _ in range(70):
        accept(db, stream, batch([event() for _ in range(3)]))

    assert ingest(db, stream, events_a_bite=20, run_s=0) == {"stored": 60}
    with db.transaction() as tx:
        assert tx.execute("SELECT count(*) FROM jobs WHERE name = 'analytics.ingest'").fetchone() == (1,)
    assert ingest(db, stream) == {"stored": 150}
    assert len(stored(db)) == 210


def test_machines_are_stored_but_count_for_nothing_that_speaks_of_people(db: Database, stream: EventStream) -> None:
    accept(db, stream, batch([event(product_id="p1")], agent="Googlebot/2.1 (+http://www.google.com/bot.html)"))
    ingest(db, stream)

    assert len(stored(db)) == 1
    with db.transaction() as tx:
        assert tx.execute("SELECT human, events FROM event_hours").fetchall() == [(False, 1)]
        assert tx.execute("SELECT count(*) FROM product_interest").fetchone() == (0,)


def test_the_ledger_refuses_a_minute_that_does_not_balance(db: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction() as tx:
        tx.execute(
            "INSERT INTO ingest_ledger (minute, sender, via, received, stored) VALUES (now(), 'web', 'stream', 3, 2)"
        )


def test_an_event_of_an_odd_clock_is_kept_and_still_known_by_its_id(db: Database, stream: EventStream) -> None:
    odd = event()
    odd["id"] = "01000000-0000-7000-8000-000000000001"  # 2004, far from any weekly partition
    accept(db, stream, batch([odd]))
    accept(db, stream, batch([odd]))
    assert ingest(db, stream) == {"stored": 1, "duplicate": 1}
