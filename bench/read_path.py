"""What one search costs without HTTP, stage by stage, beside what its vector and its graph scan alone cost.

    python -m bench.read_path --queries FILE … (--products FILE … | --database URL) [--rounds N] [--json]

Queries: files of judgments as bench.relevance takes them. Products, several files into one catalogue, go into a
database of their own; --database takes a filled one. Each query is asked in the same loop with two bare things, in an
order that is drawn, so that a busy machine is slow to all of them alike:

    encoder   the text's vector and nothing else
    graph     the nearest by the index, as many and as widely as a search takes, in a transaction that is open already
    search    `find`: everything but HTTP, its answer never a kept one

Wall is what a shopper waits for, cpu what this process used, server what PostgreSQL's process used (Linux, on this
machine; else 0). The ratio is search / (encoder + graph), of the medians, in wall and in processor time. In the
table of stages a statement has the name of the function that holds it; python is the rest. All times in milliseconds.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.judged import read_judgments
from bench.search_stages import ServerClock, Stages, TimedEncoder, Times
from clients.encoder import catalogue_threads, connect
from db.database import Database, Tx
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.gather import CANDIDATES, EF_SEARCH
from shop.search.answering.known import Knowledge
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.queries.filters import NO_FILTERS
from shop.search.queries.find import nearest, prepare
from shop.search.queries.vectors import written
from shop.search.suggesting.suggest import suggest
from shop.search.vectors import models
from shop.search.vectors.embed import embed

GOAL_P95_MS = 10.0
GOAL_RATIO = 2.0
WARM_UP = 30
"""Searches before the first that counts: statements are prepared on their sixth run, words stemmed on their first."""

FILL_S = 600


def main() -> None:
    asked = _arguments()
    queries = [one.query for file in asked.queries for one in read_judgments(file)]
    if not queries:
        sys.exit("no query in the files has a relevant product")
    with _shop(asked.products, asked.database, asked.model_dir) as db:
        figures = measure(db, connect(asked.model_dir), queries, rounds=asked.rounds)
    if asked.as_json:
        print(json.dumps(figures, indent=1))
    else:
        _show(figures)


def measure(db: Database, encoder: Encoder, queries: Sequence[str], *, rounds: int) -> dict[str, Any]:
    """`db` is asked by one thread alone, so that all searches are on one connection of its pool."""
    with db.session() as session, session.transaction(), ExitStack() as stack:
        server = ServerClock(session, db)
        stack.callback(server.close)
        stages = Stages(db, server)
        knowledge, timed = Knowledge(), TimedEncoder(encoder, stages)
        prepare(session, ef_search=EF_SEARCH)
        things: dict[str, Callable[[str], object]] = {
            "encoder": lambda query: encoder.encode([query]),
            "graph": _graph(session, encoder, queries),
            "search": lambda query: find(db, timed, SearchRequest(text=query), knowledge),
        }
        for query in (list(queries) * WARM_UP)[: max(WARM_UP, len(queries))]:
            for ask in things.values():
                ask(query)
        products = _products(db)
        stages.forget()
        times = _in_turns(things, [query for _ in range(rounds) for query in queries], server)
    told = {name: one.told() for name, one in times.items()}
    bare = told["encoder"]["wall"]["p50"] + told["graph"]["wall"]["p50"]
    bare_cpu = _processor(told["encoder"]) + _processor(told["graph"])
    return {
        "products": products,
        "searches": len(queries) * rounds,
        "things": told,
        "ratio_p50": round(told["search"]["wall"]["p50"] / bare, 2),
        "ratio_cpu_p50": round(_processor(told["search"]) / bare_cpu, 2),
        "stages": stages.told(times["search"]),
    }


def _processor(one: dict[str, Any]) -> float:
    """Of both processes: what is left to compare on a machine that does other things besides."""
    return one["cpu"]["p50"] + one["server"]["p50"]


def _graph(session: Tx, encoder: Encoder, queries: Sequence[str]) -> Callable[[str], object]:
    vectors = {query: written(encoder.encode([query])[0].tolist()) for query in queries}
    version = models.answering(session, encoder)
    return lambda query: nearest(session, version=version, vector=vectors[query], filters=NO_FILTERS, limit=CANDIDATES)


def _in_turns(
    things: dict[str, Callable[[str], object]], queries: Sequence[str], server: "ServerClock"
) -> dict[str, Times]:
    draw = random.Random(1)
    times = {name: Times() for name in things}
    for query in queries:
        for name in draw.sample(list(things), len(things)):
            there, cpu, wall = server.ms(), time.process_time(), time.perf_counter()
            things[name](query)
            times[name].wall.append((time.perf_counter() - wall) * 1000)
            times[name].cpu.append((time.process_time() - cpu) * 1000)
            times[name].server.append(server.ms() - there)
    return times


def _products(db: Database) -> int:
    with db.transaction() as tx:
        row = tx.execute("SELECT documents FROM search_corpus").fetchone()
    return row[0] if row else 0


@contextmanager
def _shop(products: Sequence[Path], database: str | None, model_dir: Path) -> Generator[Database]:
    with ExitStack() as stack:
        url = database or stack.enter_context(_filled(products, model_dir))
        db = Database(url, size=1)
        stack.callback(db.close)
        yield db


@contextmanager
def _filled(products: Sequence[Path], model_dir: Path) -> Generator[str]:
    encoder = connect(model_dir, threads=catalogue_threads(), may_export=True)
    with servers_for_tests() as urls:
        name = f"bench_read_path_{int(time.time())}"
        url = create_database(urls.database_url, name)
        try:
            migrate(url)
            db = Database(url, statement_timeout_s=FILL_S)
            for path in products:
                with path.open("rb") as file:
                    import_products(db, read_ndjson(file))
            while embed(db, encoder)["remaining"]:
                pass
            while suggest(db)["remaining"]:
                pass
            db.close()
            yield url
        finally:
            drop_database(urls.database_url, name)


def _show(figures: dict[str, Any]) -> None:
    print(f"{figures['products']:,} products, {figures['searches']} searches; milliseconds")
    print(f"{'':10}{'wall p50':>9}{'p95':>8}{'p99':>8}   {'cpu p50':>9}{'p95':>8}   {'server p50':>11}{'p95':>8}")
    for name, one in figures["things"].items():
        wall, cpu, server = one["wall"], one["cpu"], one["server"]
        print(
            f"{name:10}{wall['p50']:9.2f}{wall['p95']:8.2f}{wall['p99']:8.2f}   "
            f"{cpu['p50']:9.2f}{cpu['p95']:8.2f}   {server['p50']:11.2f}{server['p95']:8.2f}"
        )
    p95 = figures["things"]["search"]["wall"]["p95"]
    print(f"search / (encoder + graph) at p50: {figures['ratio_p50']:.2f} ({_goal(figures['ratio_p50'], GOAL_RATIO)})")
    print(f"the same in processor time of both processes: {figures['ratio_cpu_p50']:.2f}")
    print(f"search p95: {p95:.2f} ms ({_goal(p95, GOAL_P95_MS)})")
    print(f"\n{'stage, means':20}{'times':>7}{'wall':>9}{'cpu':>9}{'server':>9}")
    for row in figures["stages"]:
        print(f"{row['stage']:20}{row['times']:7.2f}{row['wall']:9.3f}{row['cpu']:9.3f}{row['server']:9.3f}")


def _goal(value: float, goal: float) -> str:
    return f"goal {goal:g}: {'met' if value <= goal else 'missed'}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=Path, nargs="+", required=True, help="files of judgments")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--products", type=Path, nargs="+", help="NDJSON, gzip or not")
    source.add_argument("--database", help="of a shop that has products, vectors and suggestions already")
    parser.add_argument("--rounds", type=int, default=3, help="how often each query is asked (3)")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
