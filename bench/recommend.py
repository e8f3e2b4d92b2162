"""How good what is recommended is, beside item cosine, factors and popularity, and what learning it costs.

`python -m bench.recommend [--events 1000000] [--people 5000] [--json]` makes interactions up; `--file FILE` reads them:
a line for each, `user item time`, separated by spaces, tabs or commas.

Quality: of each person with three products at least, the last one is left out and looked for among all products they
did not have before (no sample of negatives). Cost: processor seconds and peak memory of learning at three sizes.
"""

import argparse
import json
import re
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from shop.search.recommending.cooccurrence import KEPT, Ints, Near, one_after_the_other
from shop.search.recommending.recommended import FADING, HISTORY

A_PERSON = 10
A_PRODUCT = 50
CLUSTER = 200
QUALITY_EVENTS = 200_000
LEAST = 3
TOP, RECALLED = 10, 20
FACTORS = 64

Scorer = Callable[[Ints], Ints]
"""A person's products in the order of time; answers products, best first, without those."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Interactions sorted by person and time, as codes from 0."""

    people: Ints
    items: Ints
    count: int


@dataclass(frozen=True, slots=True)
class Quality:
    ndcg_at_10: float
    recall_at_20: float
    ms_a_person: float


@dataclass(frozen=True, slots=True)
class Cost:
    events: int
    products: int
    cpu_s: float
    peak_mb: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="the largest of three sizes; 0: quality alone")
    parser.add_argument("--people", type=int, default=5000, help="at most so many are asked for")
    parser.add_argument("--file", type=Path, help="lines of user, item and time")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    # Costs first: the peak of memory is that of the process so far.
    costs = [cost(made_up(events)) for events in (asked.events // 10, asked.events // 3, asked.events) if events]
    taken = read(asked.file) if asked.file else made_up(QUALITY_EVENTS)
    qualities = quality(taken, people=asked.people)
    if asked.json:
        told = {name: asdict(one) for name, one in qualities.items()}
        print(json.dumps({"events": len(taken.items), "quality": told, "cost": [asdict(one) for one in costs]}))
        return
    _show(taken, qualities, costs)


def read(path: Path) -> Taken:
    """Times are numbers; what has the same time keeps the order of the file."""
    people: dict[str, int] = {}
    items: dict[str, int] = {}
    rows: list[tuple[int, int, float]] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                person, item, at, *_ = re.split(r"[\s,]+", line.strip())
                rows.append((people.setdefault(person, len(people)), items.setdefault(item, len(items)), float(at)))
    who, what = (np.array([row[place] for row in rows], np.int32) for place in (0, 1))
    order = np.lexsort((np.array([row[2] for row in rows]), who))
    return Taken(who[order], what[order], len(items))


def made_up(events: int) -> Taken:
    """Ten a person, a product for every fifty. People stay in one corner of the shop: half of their steps lead to
    what belongs to the product before, most others to what is popular there.
    """
    count = max(events // A_PRODUCT // CLUSTER, 1) * CLUSTER
    dice = np.random.default_rng(7)
    number = events // A_PERSON
    home = dice.integers(0, count // CLUSTER, number)
    at = _popular(dice, number)
    steps = [home * CLUSTER + at]
    for _ in range(A_PERSON - 1):
        kind = dice.random(number)
        at = np.where(kind < 0.5, (at + dice.integers(1, 4, number)) % CLUSTER, _popular(dice, number))
        steps.append(np.where(kind < 0.9, home * CLUSTER + at, dice.integers(0, count, number)))
    people = np.repeat(np.arange(number, dtype=np.int32), A_PERSON)
    return Taken(people, np.stack(steps, axis=1).ravel().astype(np.int32), count)


def _popular(dice: np.random.Generator, number: int) -> NDArray[np.int64]:
    return (dice.pareto(1.0, number) * 5).astype(np.int64) % CLUSTER


def quality(taken: Taken, *, people: int) -> dict[str, Quality]:
    """Learnt without the last product of each person, and asked for those of `people` of them."""
    ends = np.flatnonzero(np.diff(taken.people, append=-1))
    starts = np.concatenate([[0], ends[:-1] + 1])
    long_enough = ends - starts + 1 >= LEAST
    last = ends[long_enough]
    kept = np.ones(len(taken.items), bool)
    kept[last] = False
    rest = Taken(taken.people[kept], taken.items[kept], taken.count)
    dice = np.random.default_rng(11)
    chosen = dice.permutation(np.flatnonzero(long_enough))[:people]
    cases = [(taken.items[starts[one] : ends[one]], int(taken.items[ends[one]])) for one in chosen]
    # Who had the last one before is no test: it is never recommended again.
    cases = [(history, wanted) for history, wanted in cases if wanted not in history]
    scorers = {
        "ours": _ours(rest),
        "item cosine": _item_cosine(rest),
        "truncated SVD": _factors(rest),
        "popular": _popularity(rest),
    }
    return {name: _measured(scorer, cases) for name, scorer in scorers.items()}


def _measured(scorer: Scorer, cases: list[tuple[Ints, int]]) -> Quality:
    gain, found, began = 0.0, 0, time.process_time()
    for history, wanted in cases:
        place = np.flatnonzero(scorer(history)[:RECALLED] == wanted)
        if len(place):
            found += 1
            gain += 1 / np.log2(place[0] + 2) if place[0] < TOP else 0.0
    took = time.process_time() - began
    number = len(cases) or 1
    return Quality(round(gain / number, 4), round(found / number, 4), round(took / number * 1000, 4))


def _ours(rest: Taken) -> Scorer:
    weights = np.ones(len(rest.items), np.float32)
    ids, scores = _table(one_after_the_other(rest.people, rest.items, weights, count=rest.count), rest.count)
    # As `recommended` does it: of each interest the best neighbour counts alike.
    scores /= np.maximum(scores[:, :1], 1e-9)
    fading = np.power(FADING, np.arange(HISTORY), dtype=np.float64)
    return lambda history: _added_up(history[::-1][:HISTORY], ids, scores, fading)


def _item_cosine(rest: Taken) -> Scorer:
    """As the textbook has it: who had what, each product's column of length one, and these with each other."""
    columns = sparse.csr_matrix(normalize(_had(rest), axis=0))
    pairs = sparse.csr_matrix(columns.T @ columns)
    pairs.setdiag(0)
    pairs.eliminate_zeros()
    ids, scores = _table(_best_of(pairs), rest.count)
    even = np.ones(len(rest.items))
    return lambda history: _added_up(history[::-1], ids, scores, even)


def _factors(rest: Taken) -> Scorer:
    """Every person the sum of their products' factors, compared with all products."""
    svd = TruncatedSVD(n_components=min(FACTORS, rest.count - 1), random_state=5)
    svd.fit(normalize(_had(rest)))
    products: NDArray[np.float64] = np.asarray(svd.components_, np.float64).T

    def best(history: Ints) -> Ints:
        scores = products @ products[history].sum(axis=0)
        scores[history] = -np.inf
        top = np.argpartition(-scores, min(RECALLED, len(scores) - 1))[:RECALLED]
        return top[np.argsort(-scores[top], kind="stable")].astype(np.int32)

    return best


def _had(rest: Taken) -> sparse.csr_matrix:
    rows = int(rest.people.max(initial=-1)) + 1
    had = sparse.csr_matrix((np.ones(len(rest.items)), (rest.people, rest.items)), shape=(rows, rest.count))
    had.data[:] = 1
    return had


def _best_of(pairs: sparse.csr_matrix) -> Iterator[Near]:
    data = np.asarray(pairs.data, np.float64)
    for item in range(len(pairs.indptr) - 1):
        values = data[pairs.indptr[item] : pairs.indptr[item + 1]]
        order = np.argsort(-values, kind="stable")[:KEPT]
        yield Near(item, pairs.indices[pairs.indptr[item] + order].tolist(), values[order].tolist())


def _popularity(rest: Taken) -> Scorer:
    order = np.argsort(-np.bincount(rest.items, minlength=rest.count), kind="stable").astype(np.int32)
    return lambda history: order[: RECALLED + len(history)][~np.isin(order[: RECALLED + len(history)], history)]


def _table(found: Iterator[Near], count: int) -> tuple[Ints, NDArray[np.float32]]:
    ids, scores = np.zeros((count, KEPT), np.int32), np.zeros((count, KEPT), np.float32)
    for near in found:
        ids[near.item, : len(near.others)] = near.others
        scores[near.item, : len(near.scores)] = near.scores
    return ids, scores


def _added_up(newest_first: Ints, ids: Ints, scores: NDArray[np.float32], weights: NDArray[np.float64]) -> Ints:
    values = (scores[newest_first] * weights[: len(newest_first), None]).ravel()
    others, of = np.unique(ids[newest_first].ravel(), return_inverse=True)
    sums = np.bincount(of, weights=values)
    sums[np.isin(others, newest_first)] = 0
    best = np.argsort(-sums, kind="stable")[:RECALLED]
    return others[best[sums[best] > 0]]


def cost(taken: Taken) -> Cost:
    began = time.process_time()
    weights = np.ones(len(taken.items), np.float32)
    for _ in one_after_the_other(taken.people, taken.items, weights, count=taken.count):
        pass
    took = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Cost(len(taken.items), taken.count, round(took, 2), peak)


def _show(taken: Taken, qualities: Mapping[str, Quality], costs: list[Cost]) -> None:
    console = Console()
    table = Table("", "NDCG@10", "recall@20", "ms a person", title=f"{len(taken.items):,} interactions")
    for name, one in qualities.items():
        table.add_row(name, f"{one.ndcg_at_10:.4f}", f"{one.recall_at_20:.4f}", f"{one.ms_a_person:.3f}")
    console.print(table)
    table = Table("interactions", "products", "CPU s", "peak MB", title="Learning")
    for each in costs:
        table.add_row(f"{each.events:,}", f"{each.products:,}", f"{each.cpu_s:.2f}", f"{each.peak_mb:,}")
    console.print(table)


if __name__ == "__main__":
    main()
