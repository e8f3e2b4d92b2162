"""What could not be stored is kept as it was, stored once when it can be, and the account says so."""

from typing import Any

import pytest

from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.quarantine import dismiss
from shop.analytics.events.replay import replay
from shop.errors import NotFound
from shop.ports.events import EventStream
from tests.shop.analytics.conftest import batch, event

Counts = dict[str, int]


def account(db: Database) -> Counts:
    names = ("received", "stored", "duplicate", "rejected", "quarantined")
    with db.transaction() as tx:
        row = tx.execute(
            "SELECT sum(received)::int, sum(stored)::int, sum(duplicate)::int, sum(rejected)::int,"
            " sum(quarantined)::int FROM ingest_ledger"
        ).fetchone()
    assert row is not None
    return dict(zip(names, row, strict=True))


def quarantined(db: Database) -> list[tuple[Any, ...]]:
    with db.transaction() as tx:
        return tx.execute(
            "SELECT id, raw, body, tries, settled_as, settled_by FROM quarantined_events ORDER BY id"
        ).fetchall()


def mended(db: Database, database_url: str) -> Database:
    """The mistake was ours: ids of sessions may be longer than the store thought. Workers are started anew with it."""
    with db.transaction() as tx:
        tx.execute("ALTER TABLE events DROP CONSTRAINT events_session_id_check")
    return Database(database_url, name="after")


def test_what_is_mended_is_replayed_once_and_by_whom_is_kept(
    db: Database, stream: EventStream, database_url: str
) -> None:
    odd = event(session_id="s" * 300, props={"said": "nul \x00 within"}, visitor="v9")
    accept(db, stream, batch([event(), odd]))
    assert ingest(db, stream) == {"stored": 1, "quarantined": 1}
    assert replay(db, by="ada") == {"replayed": 0, "refused": 1}
    assert [row[3:] for row in quarantined(db)] == [(1, None, None)]

    after = mended(db, database_url)
    # The character NUL, which PostgreSQL cannot keep, is still a reason.
    assert replay(after, by="ada") == {"replayed": 0, "refused": 1}
    with after.transaction() as tx:
        tx.execute(r"UPDATE quarantined_events SET raw = replace(raw, '\\u0000', '')")
    assert replay(after, by="ada") == {"replayed": 1, "refused": 0}
    assert replay(after, by="bob") == {"replayed": 0, "refused": 0}

    assert [row[4:] for row in quarantined(db)] == [("replayed", "ada")]
    assert account(db) == {"received": 2, "stored": 2, "duplicate": 0, "rejected": 0, "quarantined": 0}
    # It comes once more, otherwise than it was first: it is known, and the first one stays.
    accept(after, stream, batch([{**odd, "props": {}}]))
    assert ingest(after, stream)["conflict"] == 1
    with after.transaction() as tx:
        assert tx.execute("SELECT sum(events)::int FROM event_hours").fetchone() == (2,)
    after.close()


def test_a_batch_that_cannot_be_read_is_kept_to_the_byte_and_taken_when_it_can(
    db: Database, stream: EventStream
) -> None:
    accept(db, stream, batch([event(visitor="v1"), event(visitor="v2")], rejected={"reserved_name": 1}))
    entry = stream.read(at_least=1)[0]
    stream.settle([entry])
    stream.leave()
    broken = b"\xff\x00" + entry.body
    stream.append(broken, events=3, received_at=batch([]).received_at)
    assert ingest(db, stream) == {"quarantined": 3}
    (kept,) = quarantined(db)
    assert kept[2] == broken
    assert replay(db, by="ada") == {"replayed": 0, "refused": 1}

    with db.transaction() as tx:
        tx.execute("UPDATE quarantined_events SET body = substr(body, 3)")
    assert replay(db, by="ada", quarantine_id=kept[0]) == {"replayed": 1, "refused": 0}
    assert account(db) == {"received": 3, "stored": 2, "duplicate": 0, "rejected": 1, "quarantined": 0}


def test_a_batch_that_holds_other_than_was_counted_is_not_taken(db: Database, stream: EventStream) -> None:
    accept(db, stream, batch([event()]))
    entry = stream.read(at_least=1)[0]
    stream.settle([entry])
    stream.leave()
    stream.append(b"\xff" + entry.body, events=2, received_at=batch([]).received_at)
    ingest(db, stream)
    with db.transaction() as tx:
        tx.execute("UPDATE quarantined_events SET body = substr(body, 2)")
    assert replay(db, by="ada") == {"replayed": 0, "refused": 1}
    with db.transaction() as tx:
        assert tx.execute("SELECT reason FROM quarantined_events").fetchone() == (
            "it holds 1 events, and 2 were counted at the door",
        )


def test_what_is_dismissed_stays_counted_and_is_not_stored(db: Database, stream: EventStream) -> None:
    accept(db, stream, batch([event(session_id="s" * 300)]))
    ingest(db, stream)
    (kept,) = quarantined(db)
    dismiss(db, kept[0], by="ada")
    assert replay(db, by="bob") == {"replayed": 0, "refused": 0}
    assert account(db)["quarantined"] == 1
    assert [row[4:] for row in quarantined(db)] == [("dismissed", "ada")]
    with pytest.raises(NotFound):
        dismiss(db, kept[0], by="ada")
