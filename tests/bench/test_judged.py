"""The measure itself: known lists have known worth, and a fall below the kept figures is a failure."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench import relevance
from bench.judged import class_of, ndcg, read_judgments, recall, reciprocal_rank, with_slip
from shop.search.language.slips import is_one_slip

GAINS = {"a": 1.0, "b": 0.5, "c": 0.1}


def test_worth_is_that_of_the_order_over_the_best_order() -> None:
    assert ndcg(["a", "b", "c"], GAINS) == pytest.approx(1)
    best = 1 + 0.5 / math.log2(3) + 0.1 / 2
    assert ndcg(["x", "a"], GAINS) == pytest.approx(1 / math.log2(3) / best)
    assert ndcg(["x"] * 10 + ["a"], GAINS) == 0
    assert (recall(["b"], GAINS), recall(["a"], GAINS), recall([], {"c": 0.1})) == (0, 1, None)
    assert reciprocal_rank(["x", "b", "a"], GAINS) == 0.5


def test_queries_that_nothing_is_right_for_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "judgments.ndjson"
    file.write_text('{"query": "one", "gains": {"a": 1}}\n\n{"query": "two", "gains": {"a": 0.1}}\n')
    assert [one.query for one in read_judgments(file)] == ["one"]


@pytest.mark.parametrize("query", ["gaming mouse pad", "headphones", "brown belt without buckle"])
def test_a_slip_is_one_and_the_same_every_time(query: str) -> None:
    for number in range(20):
        slipped = with_slip(query, number)
        assert slipped == with_slip(query, number)
        [(was, now)] = [pair for pair in zip(query.split(), slipped.split(), strict=True) if pair[0] != pair[1]]
        assert is_one_slip(was, now)
        assert was[0] == now[0]
    assert with_slip("usb hub", 1) == "usb hub"


def test_queries_have_their_class() -> None:
    assert [class_of(text) for text in ("belt without buckle", "usb 3", "mouse", "usb hub", "a b c d e")] == [
        "negation", "number", "1 word", "2 words", "4 words and more",
    ]  # fmt: skip


@pytest.mark.parametrize(("now", "code"), [(0.7, 0), (0.6951, 0), (0.694, 1)])
def test_worse_than_the_kept_figures_by_more_than_is_tolerated_fails(now: float, code: int, tmp_path: Path) -> None:
    def figures(full: float) -> dict[str, Any]:
        return {"ranker": "r", "full": {"ndcg@10": full}, "full_typos": {"ndcg@10": 0.6}}

    file = tmp_path / "kept.json"
    assert relevance.compare("set", "products", figures(0.7), file, keep=True) == 0
    assert relevance.compare("set", "products", figures(now), file, keep=False) == code
    assert relevance.compare("another", "products", figures(0.1), file, keep=False) == 0
    assert json.loads(file.read_text())["set"]["full"] == 0.7
