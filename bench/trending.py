"""What an update of trending costs: with more products in the catalogue, and with more new events.

    python -m bench.trending

Figures are processor time, of this process and of the database's for it: the wall clock of a busy machine says little.
Cells are taken in turn, so that all have the same neighbours.
"""

import argparse
import contextlib
import os
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from db.database import Database, Tx
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.analytics.behaviour.trending import trending
from shop.analytics.queries import ingest, interest

CATALOGUES = 1_000, 100_000
EVENTS = 1_000, 10_000
CATEGORIES = 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.trending", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each cell (default 5)")
    rounds = parser.parse_args().rounds
    with servers_for_tests() as urls:
        shops = {size: f"bench_trending_{size}" for size in CATALOGUES}
        opened = {size: _shop(create_database(urls.database_url, name), size) for size, name in shops.items()}
        cells = [(size, new) for size in CATALOGUES for new in EVENTS]
        noted: dict[tuple[int, int], list[float]] = {cell: [] for cell in cells}
        listed: dict[tuple[int, int], list[float]] = {cell: [] for cell in cells}
        for _ in range(rounds):
            for size, new in cells:
                note_s, list_s = _update(opened[size], size, new)
                noted[size, new].append(note_s)
                listed[size, new].append(list_s)
        for size, name in shops.items():
            opened[size].close()
            drop_database(urls.database_url, name)
    print("catalogue    new events   noting them    making the lists   (median, milliseconds)")
    for size, new in cells:
        note_ms, list_ms = (statistics.median(spent[size, new]) * 1000 for spent in (noted, listed))
        print(f"{size:>9,}    {new:>10,}   {note_ms:>11.0f}    {list_ms:>16.0f}")


def _shop(url: str, size: int) -> Database:
    migrate(url)
    db = Database(url, name="bench")
    with db.transaction() as tx:
        tx.execute(
            """
            INSERT INTO products (id, name, category, price, currency, stock, active, row_hash, content_hash)
            SELECT 'p' || n, 'Product ' || n, 'Category ' || n %% %(categories)s, 1000, 'eur', 5, true,
                   decode(md5(n::text), 'hex'), decode(md5(n::text), 'hex')
              FROM generate_series(1, %(size)s) AS n
            """,
            {"size": size, "categories": CATEGORIES},
        )
        # Everything was looked at once, weeks ago: a row of heat for each product, as an old shop has.
        tx.execute(
            """
            INSERT INTO product_heat (span, product_id, log_heat, last_at)
            SELECT span, id, 1, now() - interval '20 days' FROM products, unnest(ARRAY['1h', '24h', '7d']) AS span
            """
        )
    with db.session() as session:
        session.execute("ANALYZE")
    return db


def _update(db: Database, size: int, new: int) -> tuple[float, float]:
    """Processor seconds of a drain's part of `new` views of people, and of the job that follows within a minute. What
    was noted is taken back afterwards, so that each round begins alike."""
    now = datetime.now(UTC)
    with db.transaction() as tx:
        ingest.prepare_stage(tx)
        # Popular ones far more often than others, as people look at a shop.
        tx.execute(
            """
            INSERT INTO stored_events (event_id, name, source, ts, visitor_id, product_id, bot_score)
            SELECT gen_random_uuid(), 'product_view', 'web', %(now)s, 'v' || n %% (%(new)s / 3 + 1),
                   'p' || 1 + floor(%(size)s * power(random(), 4))::int, 0
              FROM generate_series(1, %(new)s) AS n
            """,
            {"now": now, "new": new, "size": size},
        )
        before = _seconds(tx)
        interest.note_from_events(tx)
        noted = _seconds(tx) - before
    with db.transaction() as tx:
        before = _seconds(tx)
    trending(db, now=now)
    with db.transaction() as tx:
        listed = _seconds(tx) - before
        tx.execute("TRUNCATE product_interest, product_hours")
        tx.execute("UPDATE product_heat SET log_heat = 1, last_at = now() - interval '20 days' WHERE log_heat <> 1")
    return noted, listed


def _seconds(tx: Tx) -> float:
    """Spent so far by this process and by the database's processes for it, which are on this machine."""
    backends = tx.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
    ticks = 0
    for (pid,) in backends:
        with contextlib.suppress(FileNotFoundError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
