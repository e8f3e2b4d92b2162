"""Which products go with which: sparse throughout, memory grows with interactions, not with products squared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

WINDOW = 3
"""Steps between two products of one person that still belong together."""

BACKWARD = 0.7
"""Of the pair in the order of time: who bought the camera wants the bag, less the other way round."""

SHRINK = 20.0
"""As if each pair had been met by so many people more who took one of the two alone: chance pairs stay small."""

BASKET_SHRINK = 5.0

LEAST_BASKETS = 2
"""One order is one person's business, and an accident."""

KEPT = 50

BLOCK = 1_000_000
"""Interactions that are paired at once: about 100 MB."""


@dataclass(frozen=True, slots=True)
class Near:
    """The neighbours of one product, best first."""

    item: int
    others: Sequence[int]
    scores: Sequence[float]


def one_after_the_other(people: Ints, items: Ints, weights: Floats, *, count: int) -> Iterator[Near]:
    """`people` and `items` are codes, sorted by person and time; `weights` how much each interest counts."""
    pairs = sparse.csr_matrix((count, count), dtype=np.float32)
    for start in range(0, len(items), BLOCK):
        block = slice(start, start + BLOCK + WINDOW)
        pairs = pairs + _paired(people[block], items[block], weights[block], count, last=BLOCK)
    mass = np.bincount(items, weights=weights, minlength=count).astype(np.float64)
    return _best(pairs, mass, SHRINK)


def in_one_basket(baskets: Ints, items: Ints, *, count: int) -> Iterator[Near]:
    """Each basket has a product once."""
    rows = int(baskets.max(initial=-1)) + 1
    taken = sparse.csr_matrix((np.ones(len(items), np.float32), (baskets, items)), shape=(rows, count))
    pairs = sparse.csr_matrix(taken.T @ taken)
    pairs.setdiag(0)
    pairs.data[pairs.data < LEAST_BASKETS] = 0
    pairs.eliminate_zeros()
    return _best(pairs, np.bincount(items, minlength=count).astype(np.float64), BASKET_SHRINK)


def _paired(people: Ints, items: Ints, weights: Floats, count: int, *, last: int) -> sparse.csr_matrix:
    first: list[Ints] = []
    second: list[Ints] = []
    value: list[Floats] = []
    for step in range(1, WINDOW + 1):
        here, there = slice(0, min(last, max(len(items) - step, 0))), slice(step, None)
        left, right = items[here], items[there][: len(items[here])]
        same = (people[here] == people[there][: len(left)]) & (left != right)
        weight: Floats = (np.sqrt(weights[here] * weights[there][: len(left)])[same] / step).astype(np.float32)
        first += [left[same], right[same]]
        second += [right[same], left[same]]
        value += [weight, (weight * BACKWARD).astype(np.float32)]
    where = (np.concatenate(first), np.concatenate(second))
    return sparse.csr_matrix((np.concatenate(value), where), shape=(count, count), dtype=np.float32)


def _best(pairs: sparse.csr_matrix, mass: NDArray[np.float64], shrink: float) -> Iterator[Near]:
    root = np.sqrt(mass)
    for item in range(len(mass)):
        start, end = int(pairs.indptr[item]), int(pairs.indptr[item + 1])
        if start == end:
            continue
        others = pairs.indices[start:end]
        scores = pairs.data[start:end] / (root[item] * root[others] + shrink)
        kept = np.argpartition(-scores, KEPT - 1)[:KEPT] if len(others) > KEPT else np.arange(len(others))
        # Equal scores in the order of the codes, so that two builds of the same give the same.
        order = kept[np.lexsort((others[kept], -scores[kept]))]
        yield Near(item, others[order].tolist(), [float(score) for score in scores[order]])
