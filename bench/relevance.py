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
    …_typos     each of them with one slip in one longer word of each query (queries of short words stay as they are);
                `kept` compares those that have a slip with themselves

All with 95 % intervals by drawing the queries again, and per class: how many words, negation, number, brand.

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
from typing import Any, TypeAlias

from bench.judged import Judged, classes_of, interval, ndcg, read_judgments, recall, reciprocal_rank, with_slip
from clients.encoder import catalogue_threads, connect
from db.database import Database
from db.migrations.runner import migrate
from devstack.embedded.databases import create_database, drop_database, servers_for_tests
from shop.ports.encoder import Encoder
from shop.search.answering.find import SearchRequest, SearchResult, find
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
RANKERS = ("lexical", "semantic", "hybrid", "full")

Slipped: TypeAlias = tuple[int, int, list[str]]
"""Whose query, which slip of it, and what is found then."""

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
    lists: dict[str, list[list[str]]] = {name: [] for name in RANKERS}
    slipped: dict[str, list[Slipped]] = {name: [] for name in RANKERS}
    changed: list[list[str]] = []
    classes: list[list[str]] = []
    for place, one in enumerate(judgments):
        found, result = search.every(one.query)
        classes.append(classes_of(one.query, brand="brand" in result.interpreted))
        if result.corrected is not None:
            changed.append([one.query, result.corrected])
        for name in RANKERS:
            lists[name].append(found[name])
        for number in range(SLIPS):
            written = with_slip(one.query, number)
            if written != one.query:
                for name, ids in search.every(written)[0].items():
                    slipped[name].append((place, number, ids))
    return {
        "ranker": RANKER,
        "queries": len(judgments),
        **figures_of(judgments, lists, slipped, classes),
        "clean_queries_changed": {"share": round(len(changed) / len(judgments), 4), "queries": changed},
    }


def figures_of(
    judgments: Sequence[Judged],
    lists: Mapping[str, Sequence[Sequence[str]]],
    slipped: Mapping[str, Sequence[Slipped]],
    classes: Sequence[Sequence[str]],
) -> dict[str, Any]:
    """Per ranker, and per ranker with slips."""
    figures: dict[str, Any] = {}
    for name in RANKERS:
        figures[name] = _figures(judgments, lists[name]) | {"classes": _classes(judgments, lists[name], classes)}
    for name in RANKERS:
        figures[f"{name}_typos"] = _typos(judgments, lists[name], slipped[name], classes)
    return figures


class _Search:
    def __init__(self, db: Database, encoder: Encoder) -> None:
        self._db, self._encoder, self._knowledge = db, encoder, Knowledge()

    def ids(self, query: str, mode: Any = "lexical") -> list[str]:
        request = SearchRequest(text=query, mode=mode, limit=DEPTH, correct=False, literal=PARTS)
        return [hit.product.id for hit in find(self._db, self._encoder, request, self._knowledge).hits]

    def every(self, query: str) -> tuple[dict[str, list[str]], SearchResult]:
        """The list of each ranker, and what shoppers get in whole."""
        lexical, semantic = self.ids(query, "lexical"), self.ids(query, "semantic")
        result = find(self._db, self._encoder, SearchRequest(text=query, limit=DEPTH), self._knowledge)
        full = [hit.product.id for hit in result.hits]
        return dict(zip(RANKERS, (lexical, semantic, _fused(lexical, semantic), full), strict=True)), result


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


def _classes(
    judgments: Sequence[Judged], lists: Sequence[Sequence[str]], classes: Sequence[Sequence[str]]
) -> dict[str, Any]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, names in enumerate(classes):
        for name in names:
            found[name].append(place)
    return {
        name: {"queries": len(places)} | _figures([judgments[at] for at in places], [lists[at] for at in places])
        for name, places in sorted(found.items())
    }


def _typos(
    judgments: Sequence[Judged],
    clean: Sequence[Sequence[str]],
    slipped: Sequence[Slipped],
    classes: Sequence[Sequence[str]],
) -> dict[str, Any]:
    was = [ndcg(ids, one.gains) for ids, one in zip(clean, judgments, strict=True)]
    now = [(place, ndcg(ids, judgments[place].gains)) for place, _, ids in slipped]
    stayed = [was[at] for at in set(range(len(judgments))).difference(place for place, _ in now) for _ in range(SLIPS)]
    every = [*(worth for _, worth in now), *stayed]
    by_class = {
        name: _kept([(place, worth) for place, worth in now if name in classes[place]], was)
        for name in sorted({name for names in classes for name in names})
    }
    return {
        "ndcg@10": round(statistics.fmean(every), 4),
        "ndcg@10_95": interval(every),
        **_kept(now, was),
        "classes": {name: one for name, one in by_class.items() if one["slips"]},
    }


def _kept(now: Sequence[tuple[int, float]], was: Sequence[float]) -> dict[str, Any]:
    before = sum(was[place] for place, _ in now)
    return {"slips": len(now), "kept": round(sum(worth for _, worth in now) / before, 4) if before else 1.0}


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
    for name in (*RANKERS, *(f"{name}_typos" for name in RANKERS)):
        print(_line(name, figures[name]))
    for name, one in figures["full"]["classes"].items():
        print(_line(name, one) + f"  {one['queries']} queries" + _kept_of(figures, name))
    print(f"clean queries changed by spelling: {figures['clean_queries_changed']['share']:.1%}")


def _line(name: str, one: Mapping[str, Any]) -> str:
    low, high = one["ndcg@10_95"]
    rest = f"R@100 {one['recall@100']}  MRR {one['mrr']}" if "mrr" in one else f"kept {one['kept']:.1%}"
    return f"{name:16} NDCG@10 {one['ndcg@10']:.4f} [{low:.3f}, {high:.3f}]  {rest}"


def _kept_of(figures: Mapping[str, Any], name: str) -> str:
    kept = figures["full_typos"]["classes"].get(name)
    return f", {kept['kept']:.1%} kept with a slip" if kept else ""


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
