"""The measure itself: known lists have known worth, and a fall below the kept figures is a failure."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from bench import relevance
from bench.judged import Judged, classes_of, ndcg, read_judgments, recall, reciprocal_rank, with_slip
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


def test_a_query_is_in_the_class_of_its_length_and_of_whatever_else_it_is() -> None:
    assert classes_of("belt without buckle", brand=False) == ["3 words", "negation"]
    assert classes_of("sony usb 3", brand=True) == ["3 words", "number", "brand"]
    assert classes_of("mouse", brand=False) == ["1 word"]
    assert classes_of("a b c d e", brand=False) == ["4 words and more"]


def test_each_ranker_has_figures_with_and_without_slips_and_for_each_class() -> None:
    judgments = [Judged("brown belt without buckle", GAINS), Judged("usb 3", GAINS)]
    lists = {name: [["a", "b", "c"], ["x", "a"]] for name in relevance.RANKERS}
    slipped = {name: [(0, 0, ["b"]), (0, 1, ["a", "b", "c"]), (0, 2, ["a", "b", "c"])] for name in relevance.RANKERS}
    told = relevance.figures_of(judgments, lists, slipped, [["4 words and more", "negation"], ["2 words", "number"]])
    for name in relevance.RANKERS:
        assert {"ndcg@10", "ndcg@10_95", "recall@100", "mrr", "judged@10"} <= told[name].keys()
        assert told[name]["classes"]["negation"]["ndcg@10"] == 1.0
        assert told[name]["classes"]["negation"]["queries"] == 1
        assert told[f"{name}_typos"]["slips"] == 3
        assert told[f"{name}_typos"]["kept"] == pytest.approx((2 + ndcg(["b"], GAINS)) / 3, abs=1e-4)
        assert told[f"{name}_typos"]["classes"]["negation"]["slips"] == 3
    # A query whose words are all too short for a slip counts as it is.
    assert told["full_typos"]["ndcg@10"] == pytest.approx(
        (ndcg(["b"], GAINS) + 2 + 3 * ndcg(["x", "a"], GAINS)) / 6, abs=1e-4
    )


@pytest.mark.parametrize(("now", "code"), [(0.7, 0), (0.6951, 0), (0.694, 1)])
def test_worse_than_the_kept_figures_by_more_than_is_tolerated_fails(now: float, code: int, tmp_path: Path) -> None:
    def figures(full: float) -> dict[str, Any]:
        return {"ranker": "r", "full": {"ndcg@10": full}, "full_typos": {"ndcg@10": 0.6}}

    file = tmp_path / "kept.json"
    assert relevance.compare("set", "products", figures(0.7), file, keep=True) == 0
    assert relevance.compare("set", "products", figures(now), file, keep=False) == code
    assert relevance.compare("another", "products", figures(0.1), file, keep=False) == 0
    assert json.loads(file.read_text())["set"]["full"] == 0.7
