"""How long suggestions take inside the server and through HTTP, and what keeping them up to date costs.

    python -m bench.suggest [--products 26000] [--queries 20000] [--catalogue FILE] [--model-dir DIR] [--json]

On servers of its own: the build, a refresh after one changed product, the room of the tables, and percentiles for
beginnings as they are typed and with one slip in them, spaces included. Each round asks all in turn, with a bare
SELECT 1 beside them, so that whatever else the machine does hits all alike; the processor time of all programs
together hardly knows of it. FILE is NDJSON as `backroom import-catalog` takes it; without one a catalogue is made up.
Goals (p99): 2 ms inside the server, 10 ms through HTTP; missed ones are said, and the exit code is 0.
"""

import argparse
import http.client
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.search_speed.places import postgres_pid, web_over
from bench.search_speed.processor import Programs
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.queries import log
from shop.search.suggesting.complete import complete
from shop.search.suggesting.suggest import suggest
from shop.search.suggesting.typed import fold

ROUNDS = 3000
SYLLABLES = ("ba", "lo", "mer", "tin", "ka", "so", "ral", "vi", "dun", "pe", "stor", "ni", "gal", "fu", "ret", "mo")
GOALS = {"as typed": 2.0, "with a slip": 2.0, "as typed, HTTP": 10.0, "with a slip, HTTP": 10.0}
TABLES = ("search_suggestions", "search_suggestion_keys", "search_suggestion_tops", "search_beginnings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=26_000)
    parser.add_argument("--queries", type=int, default=20_000, help="past queries, each asked by three people")
    parser.add_argument("--catalogue", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"), help="for the web process")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    with servers_for_tests() as urls:
        name = f"bench_suggest_{os.getpid()}"
        url = create_database(urls.database_url, name)
        try:
            figures = _figures(url, urls.redis_url, options)
        finally:
            drop_database(urls.database_url, name)
    if options.as_json:
        print(json.dumps(figures, indent=1))
    else:
        _show(figures)


def _figures(url: str, redis_url: str, options: argparse.Namespace) -> dict[str, Any]:
    migrate(url)
    dice = random.Random(7)
    db = Database(url, name="bench")
    names = _fill(db, options, dice)
    built = _built(db)
    with web_over(url, redis_url, options.model_dir) as web:
        asking = _Asking(web.port)
        typed = [_beginning(fold(dice.choice(names)), dice) for _ in range(options.rounds)]
        times = _measure(
            [(text, with_slip(text, dice)) for text in typed if len(text) > 4],
            {
                "SELECT 1": lambda _: _nothing(db),
                "as typed": lambda pair: complete(db, pair[0], limit=10),
                "with a slip": lambda pair: complete(db, pair[1], limit=10),
                "as typed, HTTP": lambda pair: asking.ask(pair[0]),
                "with a slip, HTTP": lambda pair: asking.ask(pair[1]),
            },
            Programs([web.pid, postgres_pid(url)]),
        )
    db.close()
    return {"built": built, "times": times}


class _Asking:
    """A connection that is kept open, as a proxy keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, text: str) -> list[Any]:
        self._connection.request("GET", f"/v1/search/suggest?q={quote(text)}")
        answer = self._connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"{answer.status} to {text!r}: {body}")
        return body["data"]


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


def _built(db: Database) -> dict[str, Any]:
    began, done = time.perf_counter(), 0
    while True:
        told = suggest(db)
        done += int(str(told["products"]))
        if not told["remaining"]:
            break
    built = time.perf_counter() - began
    with db.transaction() as tx:
        tx.execute("ANALYZE")
        room = {table: _room(tx.execute, table) for table in TABLES}
        tx.execute("INSERT INTO search_reworded SELECT id FROM products LIMIT 1")
        tx.execute("UPDATE products SET name = name || ' neu' WHERE id IN (SELECT product_id FROM search_reworded)")
    began = time.perf_counter()
    suggest(db)
    again = time.perf_counter() - began
    return {"products": done, "seconds": round(built, 1), "one_change_s": round(again, 2), "tables": room}


def _room(execute: Callable[..., Any], table: str) -> dict[str, Any]:
    row = execute(
        "SELECT pg_total_relation_size(%(table)s::regclass), (SELECT n_live_tup FROM pg_stat_user_tables "
        "WHERE relid = %(table)s::regclass)",
        {"table": table},
    ).fetchone()
    return {"rows": row[1], "mb": round(row[0] / 2**20, 1)}


def _measure(
    pairs: list[tuple[str, str]], ways: Mapping[str, Callable[[tuple[str, str]], Any]], programs: Programs
) -> dict[str, Any]:
    for pair in pairs[:200]:
        for ask in ways.values():
            ask(pair)
    programs.look()
    took: dict[str, list[float]] = {name: [] for name in ways}
    spent = dict.fromkeys(ways, 0.0)
    answered = dict.fromkeys(ways, 0)
    for pair in pairs:
        for name, ask in ways.items():
            others = sum(programs.seconds())
            here, began = time.process_time(), time.perf_counter()
            found = ask(pair)
            ended, here = time.perf_counter(), time.process_time() - here
            took[name].append((ended - began) * 1000)
            spent[name] += here + sum(programs.seconds()) - others
            answered[name] += bool(found)
    return {
        name: {
            **dict(
                zip(("p50_ms", "p95_ms", "p99_ms"), np.percentile(times, [50, 95, 99]).round(2).tolist(), strict=True)
            ),
            "processor_ms": round(spent[name] / len(pairs) * 1000, 2),
            "answered": round(answered[name] / len(pairs), 4),
        }
        for name, times in took.items()
    }


def _show(figures: Mapping[str, Any]) -> None:
    built = figures["built"]
    room = ", ".join(f"{name} {one['rows']:,} rows {one['mb']} MB" for name, one in built["tables"].items())
    table = Table("what", "p50 ms", "p95 ms", "p99 ms", "processor ms", "answered", "goal at p99")
    for name, one in figures["times"].items():
        goal = GOALS.get(name)
        met = "" if goal is None else f"{goal:.0f} ms, {'met' if one['p99_ms'] <= goal else 'missed'}"
        cells = [f"{one[key]:.2f}" for key in ("p50_ms", "p95_ms", "p99_ms", "processor_ms")]
        table.add_row(name, *cells, f"{one['answered']:.1%}", met)
    console = Console()
    console.print(
        f"{built['products']:,} products in {built['seconds']} s; one change {built['one_change_s']} s; {room}"
    )
    console.print(table)


def _nothing(db: Database) -> list[Any]:
    """What a transaction costs on this machine, at this moment, whatever is in it."""
    with db.transaction() as tx:
        return tx.execute("SELECT 1").fetchall()


def _beginning(text: str, dice: random.Random) -> str:
    return text[: dice.randint(1, min(len(text), 16))]


def with_slip(text: str, dice: random.Random) -> str:
    """One letter or space less, other, more, or two swapped, never the first."""
    place, other = dice.randrange(1, len(text)), dice.choice("abcdefghijklmnopqrstuvwxyz ")
    before, after = text[:place], text[place:]
    return dice.choice(
        (
            before + after[1:],
            before + other + after[1:],
            before + other + after,
            before + after[1:2] + after[0] + after[2:],
        )
    )


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
