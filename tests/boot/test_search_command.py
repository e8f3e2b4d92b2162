"""`backroom search`: what was understood, what was found, and why."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from db.database import Database
from shop.ports.encoder import Encoder
from shop.search.vectors.embed import embed
from tests.boot.conftest import Run
from tests.shop.search.made import CountingEncoder, products, stock


@pytest.fixture(name="run")
def _run(db: Database, variables: dict[str, str], run: Run, tmp_path: Path) -> Run:
    """In a shop that has a model of its own, so that words alone answer and none is exported."""
    stock(db, products())
    other: Encoder = CountingEncoder()
    embed(db, other)
    variables["MODEL_DIR"] = str(tmp_path)
    return partial(run, "search")


def test_explain_tells_how_the_query_was_read_and_why_each_hit_is_there(run: Run) -> None:
    done = run("red sofa under 15 euros", "--explain", "--mode", "lexical")
    assert done.returncode == 0, done.stderr
    assert "price: 0 to 1500 (required, from “under 15 euros”)" in done.stdout
    assert "colour: red (preferred, from “red”)" in done.stdout
    assert re.search(r"every_word +\+0\.40 +█+ +each word of the query is in the product", done.stdout)
    assert re.search(r"words +\+0\.\d\d +█+ +place \d+: .*sofa \d\.\d×\d\.\d", done.stdout)
    assert "Red sofa small" in done.stdout


def test_json_is_one_hit_a_line(run: Run) -> None:
    done = run("red sofa", "--json", "--explain", "--limit", "3", "--mode", "lexical")
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(hits) == 3
    assert hits[0]["name"].startswith("Red sofa")
    assert {"red", "sofa"} == {word["term"] for word in hits[0]["explanation"]["words"]}


def test_literal_interprets_nothing(run: Run) -> None:
    done = run("red sofa under 15 euros", "--literal", "--mode", "lexical")
    assert done.returncode == 0
    assert "price:" not in done.stdout
    assert "colour:" not in done.stdout
