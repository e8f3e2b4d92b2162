"""One query after the other through everything that is compared, so that what else the machine does hits all alike."""

import http.client
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
import psycopg

from bench.search_speed.processor import Programs
from db.database import Database, Tx
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.gather import CANDIDATES, EF_SEARCH
from shop.search.answering.known import Knowledge
from shop.search.queries.vectors import written

EXACT_EACH = 10
"""Only one query in ten is compared with every vector: at a million that takes a second."""

WARM_UP = 30
"""Queries before the measured ones: plans, stems and the upper levels of the graph are then in memory."""

PAGE = 20


@dataclass
class Took:
    """Of one part, a query each: seconds by the clock, and of processor here, in the web process, in PostgreSQL."""

    wall: list[float] = field(default_factory=list[float])
    spent: list[Sequence[float]] = field(default_factory=list[Sequence[float]])

    def figures(self) -> dict[str, Any]:
        p50, p95, p99 = np.percentile(self.wall, [50, 95, 99]).tolist()
        figures: dict[str, Any] = {
            "queries": len(self.wall),
            "p50_ms": round(1000 * p50, 2),
            "p95_ms": round(1000 * p95, 2),
            "p99_ms": round(1000 * p99, 2),
        }
        here, web, postgres = (np.mean(self.spent, axis=0) * 1000).tolist()
        return figures | {
            "processor_ms": {"here": round(here, 2), "web": round(web, 2), "postgres": round(postgres, 2)},
        }


class Asking:
    """A connection to the web process that is kept open, as a proxy keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.degraded = 0

    def ask(self, query: str) -> dict[str, Any]:
        self._connection.request("GET", f"/v1/search?q={quote(query)}&limit={PAGE}")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the web process answered {answer.status} to {query!r}: {body[:300]!r}")
        told: dict[str, Any] = json.loads(body)
        self.degraded += bool(told.get("degraded"))
        return told

    def close(self) -> None:
        self._connection.close()


def measure(
    database_url: str, port: int, encoder: Encoder, queries: Sequence[str], programs: Programs, version: str
) -> dict[str, Any]:
    """Figures by part. Every query is new to the web process the first time and kept the second."""
    db = Database(database_url, name="bench-find")
    asking, knowledge, took = Asking(port), Knowledge(), defaultdict[str, Took](Took)
    turns = itertools.count()
    kept = 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        bare = Bare(connection, version)
        for number, query in enumerate(queries):
            if number == WARM_UP:
                took.clear()
                programs.look()
            vector = written(encoder.encode([query])[0].tolist())
            parts: list[tuple[str, Callable[[], object]]] = [
                ("encoder", lambda query=query: encoder.encode([query])),
                ("graph", lambda vector=vector: bare.graph(vector)),
                ("http_new", lambda query=query: _new(asking.ask(query), query)),
                ("path", lambda query=query: find(db, encoder, SearchRequest(text=query), knowledge)),
            ]
            first = next(turns) % len(parts)  # whoever comes first reads what the others then find in memory
            for name, act in (*parts[first:], *parts[:first]):
                with _watched(took[name], programs):
                    act()
            with _watched(took["http_kept"], programs):
                kept += bool(asking.ask(query)["cached"])
            if number % EXACT_EACH == 0:
                with _watched(took["exact"], programs):
                    bare.exact(vector)
    asking.close()
    db.close()
    figures = {name: one.figures() for name, one in took.items()}
    figures["http_kept"]["kept_share"] = round(kept / len(queries), 3)
    return figures | {"degraded": asking.degraded}


class Bare:
    """The graph and the comparison with everything, as one statement each and nothing around it."""

    def __init__(self, connection: Tx, version: str) -> None:
        self._connection, self._version = connection, version
        # As for the product's own searches, whose statements are planned each time.
        connection.execute("SET plan_cache_mode = force_custom_plan")
        connection.execute("SET hnsw.iterative_scan = relaxed_order")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        self.width(EF_SEARCH)

    def width(self, ef_search: int) -> None:
        self._connection.execute("SELECT set_config('hnsw.ef_search', %(ef)s, false)", {"ef": str(ef_search)})

    def graph(self, vector: str, limit: int = CANDIDATES) -> list[tuple[Any, ...]]:
        """Ids and similarities of the nearest by the graph."""
        return self._connection.execute(
            """
            SELECT product_id, -(v <#> %(vector)s::halfvec(384)) FROM product_embeddings
          ORDER BY v <#> %(vector)s::halfvec(384) LIMIT %(limit)s
            """,
            {"vector": vector, "limit": limit},
        ).fetchall()

    def exact(self, vector: str) -> list[tuple[Any, ...]]:
        """The nearest by comparing with every vector, on one core."""
        with self._connection.transaction():
            self._connection.execute("SET LOCAL enable_indexscan = off")
            return self.graph(vector)


def _new(told: dict[str, Any], query: str) -> None:
    if told["cached"]:
        raise SystemExit(f"{query!r} was answered from what was kept: somebody else asks the same servers")


@contextmanager
def _watched(took: Took, programs: Programs) -> Generator[None]:
    before, here, began = programs.seconds(), time.process_time(), time.perf_counter()
    yield
    wall, mine = time.perf_counter() - began, time.process_time() - here
    took.wall.append(wall)
    took.spent.append([mine, *(now - then for now, then in zip(programs.seconds(), before, strict=True))])
