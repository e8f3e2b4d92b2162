"""How good search is on judged queries, through the very code that answers shoppers.

    python -m bench.relevance --products FILE --judgments FILE [--json] [--keep]

FILE of products: NDJSON, gzip or not, as `backroom import-catalog` takes it. FILE of judgments: one object a line,
{"query": …, "gains": {product id: gain}}. Queries without a relevant product are left out; a product without a gain is
worth nothing. The catalogue is imported and embedded in a database of its own, on the server of DATABASE_URL or on a
throw-away one; --database URL takes one that is filled already.

    lexical     words alone, taken literally
    semantic    meaning alone, taken literally
    hybrid      both by reciprocal rank fusion (60), the usual baseline
    full        what shoppers get
    full_typos  the same with one slip in one longer word of each query (queries of short words stay as they are);
                `kept` compares those that have a slip with themselves

Exit code 1: worse by more than 0.005 than the figures kept for the same two files in bench/relevance.json (--keep
writes them).
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.judged import Judged, class_of, interval, ndcg, read_judgments, recall, reciprocal_rank, with_slip
from clients.encoder import catalogue_threads, connect
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, find
from shop.search.answering.known import Knowledge
from shop.search.answering.rank import RANKER
from shop.search.catalogue.importing import import_products
from shop.search.catalogue.reading import read_ndjson
from shop.search.suggesting.suggest import suggest
from shop.search.understanding.understand import PARTS
from shop.search.vectors.embed import embed

DEPTH = 100
FUSED = 60
SLIPS = 3
"""Different slips of each query: one alone moves the mean by a hundredth."""

TOLERATED = 0.005
KEPT = Path(__file__).with_name("relevance.json")


def main() -> None:
    asked = _arguments()
    judgments = read_judgments(asked.judgments)
    if not judgments:
        sys.exit("no query in the file has a relevant product")
    encoder = connect(asked.model_dir, threads=catalogue_threads(), may_export=True)
    encoder.warm()
    with _shop(asked.products, asked.database, encoder) as db:
        figures = measure(db, connect(asked.model_dir), judgments)
    name = hashlib.sha256(asked.products.read_bytes() + asked.judgments.read_bytes()).hexdigest()[:16]
    if asked.as_json:
        print(json.dumps(figures, indent=1))
    else:
        _show(figures)
    sys.exit(compare(name, asked.products.name, figures, KEPT, keep=asked.keep))


def measure(db: Database, encoder: Encoder, judgments: Sequence[Judged]) -> dict[str, Any]:
    """All figures of one set on a filled database."""
    search = _Search(db, encoder)
    search.ids("warm up")
    lists: dict[str, list[list[str]]] = {"lexical": [], "semantic": [], "hybrid": [], "full": []}
    changed: list[list[str]] = []
    for one in judgments:
        lexical, semantic = search.ids(one.query, "lexical"), search.ids(one.query, "semantic")
        full, corrected = search.full(one.query)
        for name, ids in zip(lists, (lexical, semantic, _fused(lexical, semantic), full), strict=True):
            lists[name].append(ids)
        if corrected is not None:
            changed.append([one.query, corrected])
    figures: dict[str, Any] = {"ranker": RANKER, "queries": len(judgments)}
    figures |= {name: _figures(judgments, found) for name, found in lists.items()}
    figures["full"]["classes"] = _classes(judgments, lists["full"])
    figures["full_typos"] = _typos(search, judgments, lists["full"])
    figures["clean_queries_changed"] = {"share": round(len(changed) / len(judgments), 4), "queries": changed}
    return figures


class _Search:
    def __init__(self, db: Database, encoder: Encoder) -> None:
        self._db, self._encoder, self._knowledge = db, encoder, Knowledge()

    def ids(self, query: str, mode: Any = "lexical") -> list[str]:
        request = SearchRequest(text=query, mode=mode, limit=DEPTH, correct=False, literal=PARTS)
        return [hit.product.id for hit in find(self._db, self._encoder, request, self._knowledge).hits]

    def full(self, query: str) -> tuple[list[str], str | None]:
        result = find(self._db, self._encoder, SearchRequest(text=query, limit=DEPTH), self._knowledge)
        return [hit.product.id for hit in result.hits], result.corrected


def _fused(*lists: Sequence[str]) -> list[str]:
    scores: defaultdict[str, float] = defaultdict(float)
    for ids in lists:
        for place, one in enumerate(ids, start=1):
            scores[one] += 1 / (FUSED + place)
    return sorted(scores, key=lambda one: (-scores[one], one))[:DEPTH]


def _figures(judgments: Sequence[Judged], lists: Sequence[Sequence[str]]) -> dict[str, Any]:
    gains = [one.gains for one in judgments]
    worth = [ndcg(ids, each) for ids, each in zip(lists, gains, strict=True)]
    recalled = [found for ids, each in zip(lists, gains, strict=True) if (found := recall(ids, each)) is not None]
    ranks = [reciprocal_rank(ids, each) for ids, each in zip(lists, gains, strict=True)]
    judged = [sum(one in each for one in ids[:10]) / 10 for ids, each in zip(lists, gains, strict=True)]
    return {
        "ndcg@10": round(statistics.fmean(worth), 4),
        "ndcg@10_95": interval(worth),
        "recall@100": round(statistics.fmean(recalled), 4) if recalled else None,
        "mrr": round(statistics.fmean(ranks), 4),
        "judged@10": round(statistics.fmean(judged), 3),
    }


def _classes(judgments: Sequence[Judged], lists: Sequence[Sequence[str]]) -> dict[str, Any]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one, ids in zip(judgments, lists, strict=True):
        found[class_of(one.query)].append(ndcg(ids, one.gains))
    return {
        name: {"queries": len(worth), "ndcg@10": round(statistics.fmean(worth), 4), "ndcg@10_95": interval(worth)}
        for name, worth in sorted(found.items())
    }


def _typos(search: _Search, judgments: Sequence[Judged], clean: Sequence[Sequence[str]]) -> dict[str, Any]:
    every: list[float] = []
    slipped: list[float] = []
    unslipped: list[float] = []
    for one, ids in zip(judgments, clean, strict=True):
        was = ndcg(ids, one.gains)
        for number in range(SLIPS):
            written = with_slip(one.query, number)
            now = was if written == one.query else ndcg(search.full(written)[0], one.gains)
            every.append(now)
            if written != one.query:
                slipped.append(now)
                unslipped.append(was)
    kept = statistics.fmean(slipped) / statistics.fmean(unslipped) if slipped and sum(unslipped) else 1.0
    return {
        "ndcg@10": round(statistics.fmean(every), 4),
        "ndcg@10_95": interval(every),
        "slips": len(slipped),
        "kept": round(kept, 4),
    }


@contextmanager
def _shop(products: Path, database: str | None, encoder: Encoder) -> Generator[Database]:
    if database:
        db = Database(database)
        yield db
        db.close()
        return
    with servers_for_tests() as urls:
        name = f"bench_relevance_{int(time.time())}"
        url = create_database(urls.database_url, name)
        try:
            migrate(url)
            db = Database(url)
            with products.open("rb") as file:
                import_products(db, read_ndjson(file))
            while embed(db, encoder)["remaining"]:
                pass
            while suggest(db)["remaining"]:
                pass
            yield db
            db.close()
        finally:
            drop_database(urls.database_url, name)


def compare(name: str, products: str, figures: Mapping[str, Any], file: Path, *, keep: bool) -> int:
    """The exit code: 1 when these figures are worse than those the file keeps for the same set."""
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    now = {one: figures[one]["ndcg@10"] for one in ("full", "full_typos")}
    before: dict[str, float] = known.get(name, {})
    if keep:
        known[name] = {"products": products, "ranker": figures["ranker"], **now}
        file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        return 0
    worse = [one for one in now if one in before and now[one] < before[one] - TOLERATED]
    for one in worse:
        print(f"{one}: NDCG@10 {now[one]:.4f}, it was {before[one]:.4f}", file=sys.stderr)
    return 1 if worse else 0


def _show(figures: Mapping[str, Any]) -> None:
    print(f"ranker {figures['ranker']}, {figures['queries']} queries")
    for name in ("lexical", "semantic", "hybrid", "full", "full_typos"):
        one = figures[name]
        low, high = one["ndcg@10_95"]
        rest = f"R@100 {one['recall@100']}  MRR {one['mrr']}" if "mrr" in one else f"kept {one['kept']:.1%}"
        print(f"{name:11} NDCG@10 {one['ndcg@10']:.4f} [{low:.3f}, {high:.3f}]  {rest}")
    for name, one in figures["full"]["classes"].items():
        print(f"  {name:18} {one['queries']:4} queries  NDCG@10 {one['ndcg@10']:.4f}")
    print(f"clean queries changed by spelling: {figures['clean_queries_changed']['share']:.1%}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, required=True)
    parser.add_argument("--judgments", type=Path, required=True)
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--keep", action="store_true", help="keep these figures to compare later runs with")
    parser.add_argument("--database", help="of a shop that has these products, their vectors and suggestions already")
    parser.add_argument("--model-dir", type=Path, default=Path(".backroom/model"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
