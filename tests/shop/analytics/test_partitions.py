"""Partitions are there before they are needed and gone when they are too old; ids stay unique throughout."""

from datetime import UTC, datetime, timedelta

from db.database import Database
from shop.analytics.events.accept import accept
from shop.analytics.events.ingest import ingest
from shop.analytics.events.partitions import partitions
from shop.ports.events import EventStream
from tests.shop.analytics.conftest import batch, event, event_id

NOW = datetime.now(UTC)


def homes(db: Database) -> dict[str, int]:
    with db.transaction() as tx:
        return dict(tx.execute("SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1").fetchall())


def test_an_event_that_came_before_its_partition_moves_into_it(db: Database, stream: EventStream) -> None:
    early = event() | {"id": event_id(NOW + timedelta(days=60))}
    accept(db, stream, batch([early]))
    ingest(db, stream)
    assert homes(db) == {"events_default": 1}

    counts = partitions(db, now=NOW + timedelta(days=45))
    assert counts["made"] > 0
    assert "events_default" not in homes(db)
    accept(db, stream, batch([early]))
    assert ingest(db, stream) == {"duplicate": 1}
    assert partitions(db, now=NOW + timedelta(days=45))["made"] == 0


def test_after_thirteen_months_events_go_and_sums_stay(db: Database, stream: EventStream) -> None:
    odd = event() | {"id": "01000000-0000-7000-8000-000000000001"}
    accept(db, stream, batch([event(product_id="p1"), odd]))
    ingest(db, stream)

    counts = partitions(db, now=NOW + timedelta(days=410))
    assert homes(db) == {}
    assert counts["odd_events"] == 1
    assert counts["dropped"] >= 1
    with db.transaction() as tx:
        assert tx.execute("SELECT sum(events) FROM event_hours").fetchone() == (2,)
        assert tx.execute("SELECT sum(stored) FROM ingest_ledger").fetchone() == (2,)
        assert tx.execute("SELECT count(*) FROM product_interest").fetchone() == (0,)
