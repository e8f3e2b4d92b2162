"""How long suggestions take inside the server, and what keeping them up to date costs, on servers of its own.

`python -m bench.suggest [--products 26000] [--queries 20000] [--catalogue FILE]` prints the build, a refresh after one
changed product, and percentiles for beginnings as they are typed, with and without a slip. FILE is NDJSON as
`backroom import-catalog` takes it; without one a catalogue is made up.
"""

import argparse
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, servers_for_tests
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.queries import log
from shop.search.suggesting.complete import complete
from shop.search.suggesting.suggest import suggest
from shop.search.suggesting.typed import fold

LOOK_UPS = 3000
SYLLABLES = ("ba", "lo", "mer", "tin", "ka", "so", "ral", "vi", "dun", "pe", "stor", "ni", "gal", "fu", "ret", "mo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=26_000)
    parser.add_argument("--queries", type=int, default=20_000, help="past queries, each asked by three people")
    parser.add_argument("--catalogue", type=Path)
    options = parser.parse_args()
    table = Table("what", "p50 ms", "p95 ms", "p99 ms", "answered")
    dice = random.Random(7)
    with servers_for_tests() as urls:
        url = create_database(urls.database_url, f"bench_{os.getpid()}")
        migrate(url)
        db = Database(url, name="bench")
        names = _fill(db, options, dice)
        table.title = _built(db)
        typed = [_beginning(fold(dice.choice(names)), dice) for _ in range(LOOK_UPS)]
        slips = [_slip(text, dice) for text in typed if len(text) > 4]
        table.add_row("SELECT 1, for comparison", *_measure(lambda _: _nothing(db), typed))
        for name, texts in (("as typed", typed), ("with a slip", slips)):
            table.add_row(name, *_measure(lambda text: complete(db, text, limit=10), texts))
        db.close()
    Console().print(table)


def _fill(db: Database, options: argparse.Namespace, dice: random.Random) -> list[str]:
    if options.catalogue:
        with options.catalogue.open("rb") as stream:
            import_products(db, read_ndjson(stream))
    else:
        import_products(db, enumerate(_made_up(options.products, dice), start=1))
    with db.transaction() as tx:
        names = [row[0] for row in tx.execute("SELECT name FROM products ORDER BY md5(id) LIMIT 20000").fetchall()]
    for start in range(0, options.queries, 1000):
        with db.transaction() as tx:
            for number in range(start, min(start + 1000, options.queries)):
                words = fold(dice.choice(names)).split()[:4]
                for person in range(3):
                    log.insert_search(tx, _asked(f"{number}-{person}", " ".join(words)[:60], f"v{number}-{person}"))
    return names


def _built(db: Database) -> str:
    began, done = time.perf_counter(), 0
    while True:
        told = suggest(db)
        done += int(str(told["products"]))
        if not told["remaining"]:
            break
    built = time.perf_counter() - began
    with db.transaction() as tx:
        tx.execute("ANALYZE")
        rows = tx.execute("SELECT count(*) FROM search_suggestions").fetchone()
        tx.execute("INSERT INTO search_reworded SELECT id FROM products LIMIT 1")
        tx.execute("UPDATE products SET name = name || ' neu' WHERE id IN (SELECT product_id FROM search_reworded)")
    began = time.perf_counter()
    suggest(db)
    again = time.perf_counter() - began
    return f"{rows[0] if rows else 0:,} suggestions from {done:,} products in {built:.1f} s; one change {again:.2f} s"


def _measure(ask: Callable[[str], Iterable[Any]], texts: list[str]) -> list[str]:
    for text in texts[:300]:
        ask(text)
    took: list[float] = []
    answered = 0
    for text in texts:
        began = time.perf_counter()
        answered += bool(ask(text))
        took.append((time.perf_counter() - began) * 1000)
    return [*(f"{value:.2f}" for value in np.percentile(took, [50, 95, 99])), f"{answered / len(texts):.1%}"]


def _nothing(db: Database) -> list[Any]:
    """What a transaction costs on this machine, at this moment, whatever is in it."""
    with db.transaction() as tx:
        return tx.execute("SELECT 1").fetchall()


def _beginning(text: str, dice: random.Random) -> str:
    return text[: dice.randint(1, min(len(text), 16))]


def _slip(text: str, dice: random.Random) -> str:
    place = dice.randrange(1, len(text))
    other = dice.choice("abcdefghijklmnopqrstuvwxyz")
    return dice.choice((text[:place] + text[place + 1 :], text[:place] + other + text[place + 1 :]))


def _made_up(count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    words = ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(6000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    for number in range(count):
        name = " ".join(dice.choices(words, weights, k=dice.randint(3, 9)))
        yield {
            "id": f"p{number}",
            "name": name,
            "category": words[number % 300],
            "brand": words[number % 900],
            "description": " ".join(dice.choices(words, weights, k=30)),
            "rating_count": int(dice.paretovariate(1)),
        }


def _asked(number: str, text: str, visitor: str) -> log.Search:
    return log.Search(
        id=f"sch_{number}", customer_id=None, visitor_id=visitor, query=text, normalised=text, interpreted={},
        filters={}, sort="relevance", mode="hybrid", total=9, total_is_exact=True, first_products=[], ranker="bench",
        degraded=False, took_ms=1.0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
