"""How fast accepted events reach the store: append to the stream, then drain, on servers of its own.

`python -m bench.ingest [--events 100000]` prints events a second for several sizes of batches, and for a replay of the
same events, which must all be found to be duplicates. Beside them, in the same run: a bare COPY of the same rows into
a table without any index, which is what the drain is measured by; on a busy machine only that ratio says something.
"""

import argparse
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import redis
from psycopg.sql import SQL, Identifier
from rich.console import Console
from rich.table import Table

from clients import event_stream
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, servers_for_tests
from shop.analytics.events.accept import Batch, Sender, accept, body_of
from shop.analytics.events.batches import COLUMNS, Kept, read
from shop.analytics.events.ingest import BITE, ingest
from shop.ports.events import EventStream

COPY = SQL("COPY bare_events ({}) FROM STDIN").format(SQL(", ").join(map(Identifier, COLUMNS)))

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events per round")
    options = parser.parse_args()
    table = Table("events a batch", "round", "accepted/s", "stored/s", "bare COPY/s", "of COPY", "our µs", "outcome")
    with servers_for_tests() as urls:
        for size in (5, 50, 500):
            database_url = create_database(urls.database_url, f"bench_{os.getpid()}_{size}")
            migrate(database_url)
            with redis.Redis.from_url(urls.redis_url) as server:
                server.flushdb()
            db = Database(database_url, name="bench")
            stream = event_stream.connect(urls.redis_url, full_at=2**31)
            events = [_event(n) for n in range(options.events)]
            for name in ("new", "again"):
                accepted_s, stored_s, ours_s, outcome = _round(db, stream, events, size)
                copied_s = _bare_copy(db, events)
                rates = (f"{len(events) / seconds:,.0f}" for seconds in (accepted_s, stored_s, copied_s))
                table.add_row(
                    str(size),
                    name,
                    *rates,
                    f"{copied_s / stored_s:.0%}",
                    _microseconds(ours_s, len(events)),
                    str(outcome),
                )
            db.close()
    Console().print(table)


def _microseconds(ours_s: tuple[float, float], events: int) -> str:
    """Of our processor, an event: at the door and in the drain. It says more than seconds where others are at work."""
    return " + ".join(f"{seconds / events * 1e6:.0f}" for seconds in ours_s)


def _round(
    db: Database, stream: EventStream, events: list[dict[str, Any]], size: int
) -> tuple[float, float, tuple[float, float], dict[str, int]]:
    """Seconds to accept and to store, the same in seconds of this process's processor, and what became of them."""
    began, started = time.process_time(), time.perf_counter()
    for n in range(0, len(events), size):
        now = datetime.now(UTC)
        accept(db, stream, Batch(events[n : n + size], {}, now, now, Sender("web", None, AGENT)))
    between, accepted = time.process_time(), time.perf_counter()
    outcome = ingest(db, stream, run_s=3600)
    ours = between - began, time.process_time() - between
    return accepted - started, time.perf_counter() - accepted, ours, outcome


def _bare_copy(db: Database, events: list[dict[str, Any]]) -> float:
    """Seconds to copy the rows of these events, made beforehand, with nothing that the drain does beside it."""
    now = datetime.now(UTC)
    body = body_of("bench", Batch(events, {}, now, now, Sender("web", None, AGENT)))
    rows = read([Kept("bench", "stream", len(events), body)], now=now)[0].rows
    with db.transaction() as tx:
        tx.execute("CREATE TABLE IF NOT EXISTS bare_events AS SELECT * FROM events LIMIT 0")
    started = time.perf_counter()
    for n in range(0, len(rows), BITE):
        with db.transaction() as tx, tx.cursor().copy(COPY) as copy:
            for row in rows[n : n + BITE]:
                copy.write_row(row)
    return time.perf_counter() - started


def _event(n: int) -> dict[str, Any]:
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 7 << 76 | (uuid.uuid4().int & ((1 << 76) - 1))
    return {
        "id": str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62)),
        "name": ("page_view", "product_view", "product_view", "cart_add")[n % 4],
        "ts": datetime.now(UTC).isoformat(),
        "visitor_id": f"visitor-{n % 5_000}",
        "product_id": f"product-{n % 997}",
        "path": f"/products/{n % 997}",
    }


if __name__ == "__main__":
    main()
