"""How good search is: NDCG@10 and Recall@100 on judged queries, through the very code that answers shoppers.

    python -m bench.search_quality --data DIR [--set NAME]

DIR holds NAME-products.ndjson.gz and NAME-judgments*.ndjson, one JSON object a line; a judgment is
{"query": …, "gains": {product id: gain}}. Each set is imported and embedded in a database of its own, on the server of
DATABASE_URL or on a throw-away one. A product without a gain is worth nothing, and the whole catalogue is searched.
Queries whose best gain is below one half are left out: no ranker can be right about them.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients.encoder import catalogue_threads, connect
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.ports.encoder import Encoder
from shop.search.answering.find import Mode, SearchRequest, find
from shop.search.answering.rank import RANKER
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.vectors.embed import embed

DEPTH = 100

MODES: tuple[Mode, ...] = ("lexical", "semantic", "hybrid")

BASELINES = {
    "general": {"BM25": (0.603, 0.868), "MiniLM": (0.605, 0.872), "RRF": (0.619, 0.907), "blend": (0.662, 0.878)},
    "electronics": {"BM25": (0.812, 0.950), "MiniLM": (0.615, 0.842), "RRF": (0.756, 0.946), "blend": (0.842, 0.937)},
}
"""NDCG@10 on the public half and Recall@100 on both, from the trials this search was designed after;
"blend" is what they ended with: both legs, a bonus for every word and for the brand, and refusals."""


@dataclass(slots=True)
class Figures:
    """One number per query in each list."""

    ndcg: list[float] = field(default_factory=list[float])
    recall: list[float] = field(default_factory=list[float])
    judged: list[float] = field(default_factory=list[float])
    refusing: list[float] = field(default_factory=list[float])
    took_ms: list[float] = field(default_factory=list[float])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="sets", action="append", help="only this set; may be repeated")
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    asked = parser.parse_args()
    catalogue = connect(asked.model_dir, threads=catalogue_threads(), may_export=True)
    catalogue.warm()
    print(f"ranker {RANKER}\n{'set':12} {'ranker':18} {'queries':>7} {'NDCG@10':>8} {'R@100':>7} {'judged@10':>9} "
          f"{'refusing':>8} {'p50 ms':>7} {'p95 ms':>7}")  # fmt: skip
    for products in sorted(asked.data.glob("*-products.ndjson.gz")):
        name = products.name.removesuffix("-products.ndjson.gz")
        if asked.sets is None or name in asked.sets:
            with _shop(products, catalogue) as db:
                for mode in MODES:
                    _print(name, mode, _figures(db, connect(asked.model_dir), _judgments(asked.data, name), mode))
            for ranker, (ndcg, recall) in BASELINES.get(name, {}).items():
                print(f"{name:12} {'trial: ' + ranker:24} {'':1} {ndcg:8.3f} {recall:7.3f}")


@contextmanager
def _shop(products: Path, encoder: Encoder) -> Generator[Database]:
    with servers_for_tests() as urls:
        name = f"bench_search_{int(time.time())}"
        url = create_database(urls.database_url, name)
        try:
            migrate(url)
            db = Database(url)
            with products.open("rb") as file:
                import_products(db, read_ndjson(file))
            while embed(db, encoder)["remaining"]:
                pass
            yield db
            db.close()
        finally:
            drop_database(urls.database_url, name)


def _judgments(folder: Path, name: str) -> list[tuple[str, dict[str, float]]]:
    found: list[tuple[str, dict[str, float]]] = []
    for path in sorted(folder.glob(f"{name}-judgments*.ndjson")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if max(row["gains"].values()) >= 0.5:
                found.append((row["query"], row["gains"]))
    return found


def _figures(db: Database, encoder: Encoder, judgments: Sequence[tuple[str, dict[str, float]]], mode: Mode) -> Figures:
    figures = Figures()
    find(db, encoder, SearchRequest(text="warm up", mode=mode))
    for query, gains in judgments:
        began = time.perf_counter()
        result = find(db, encoder, SearchRequest(text=query, mode=mode, limit=DEPTH))
        figures.took_ms.append((time.perf_counter() - began) * 1000)
        ids = [hit.product.id for hit in result.hits]
        figures.ndcg.append(_ndcg(ids, gains))
        figures.judged.append(sum(one in gains for one in ids[:10]) / 10)
        relevant = {one for one, gain in gains.items() if gain >= 0.6}
        if relevant:
            figures.recall.append(len(relevant.intersection(ids)) / len(relevant))
        if result.query.refused:
            figures.refusing.append(figures.ndcg[-1])
    return figures


def _ndcg(ids: Sequence[str], gains: dict[str, float]) -> float:
    def gain(values: Sequence[float]) -> float:
        return sum(value / math.log2(place + 2) for place, value in enumerate(values[:10]))

    return gain([gains.get(one, 0.0) for one in ids]) / gain(sorted(gains.values(), reverse=True))


def _print(name: str, mode: Mode, figures: Figures) -> None:
    refusing = f"{statistics.mean(figures.refusing):8.3f}" if figures.refusing else f"{'-':>8}"
    took = sorted(figures.took_ms)
    print(
        f"{name:12} {mode:18} {len(figures.ndcg):7} {statistics.mean(figures.ndcg):8.4f} "
        f"{statistics.mean(figures.recall):7.4f} {statistics.mean(figures.judged):9.2f} {refusing} "
        f"{statistics.median(took):7.1f} {took[int(len(took) * 0.95)]:7.1f}"
    )


if __name__ == "__main__":
    main()
