"""The bench of search on a tiny catalogue: all of it runs, and the catalogue it makes is one that the shop would make."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.search_speed.__main__ import main
from bench.search_speed.asking import made
from bench.search_speed.catalogue import Originals, encoded, grown, read_originals
from bench.search_speed.filling import fill
from bench.search_speed.goals import goals
from clients.encoder import connect
from clients.model_files import ensure_files
from db.database import Database
from devstack.embedded.state import Urls
from shop.search.answering.find import SearchRequest, find
from shop.search.catalogue.importing import import_products
from shop.search.vectors.embed import embed

MODEL_DIR = Path(".backroom/model")


@pytest.fixture(name="originals", scope="module")
def _originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    ensure_files(MODEL_DIR)
    products = read_originals(None)[:60]
    return Originals(products, encoded(products, connect(MODEL_DIR), tmp_path_factory.mktemp("vectors")))


def test_a_catalogue_grows_the_same_way_every_time(originals: Originals) -> None:
    first, again = (list(grown(originals, 200, batch=70)) for _ in range(2))
    products = [product for batch in first for product in batch.products]
    assert [product for batch in again for product in batch.products] == products
    assert len({product.id for product in products}) == 200
    assert products[:60] == list(originals.products)
    vectors = np.concatenate([batch.vectors for batch in first])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.01)
    nearest = (vectors[60:] @ originals.vectors.T).max(axis=1)
    assert 0.85 < nearest.mean() < 0.97


def test_queries_never_repeat(originals: Originals) -> None:
    queries = made(originals.products, seed=1)
    asked = [next(queries) for _ in range(500)]
    assert len(set(asked)) == 500


def test_what_is_filled_in_bulk_is_what_an_import_makes(db: Database, originals: Originals) -> None:
    encoder = connect(MODEL_DIR)
    filled = fill(db, encoder, originals, 60, lambda _: None)
    assert filled.products == 60
    assert _words(db) == filled.terms
    by_bulk = _postings(db)
    with db.transaction() as tx:
        tx.execute("UPDATE products SET row_hash = decode(repeat('00', 16), 'hex'), content_hash = row_hash")
        tx.execute("UPDATE products SET content_hash = decode(repeat('00', 16), 'hex')")
    rows = [{name: getattr(product, name) for name in product.__dataclass_fields__} for product in originals.products]
    report = import_products(db, enumerate(rows, start=1))
    assert (report.changed, report.rejected) == (60, 0)
    assert _postings(db) == by_bulk


def test_a_product_that_was_filled_in_is_found_by_words_and_by_meaning(db: Database, originals: Originals) -> None:
    encoder = connect(MODEL_DIR)
    fill(db, encoder, originals, 150, lambda _: None)
    assert embed(db, encoder)["embedded"] == 0
    name = originals.products[0].name
    result = find(db, encoder, SearchRequest(text=name))
    assert not result.degraded
    assert set(result.hits[0].matched) == {"semantic", "lexical"}
    assert result.hits[0].product.name == name


def test_a_tiny_run_measures_everything(
    servers: Urls, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_files(MODEL_DIR)
    monkeypatch.setenv("DATABASE_URL", servers.database_url)
    monkeypatch.setenv("REDIS_URL", servers.redis_url)
    main(["--products", "100", "--quick", "--json"])
    figures = json.loads(capsys.readouterr().out)["by_products"]["100"]
    parts = figures["one_by_one"]
    assert set(parts) == {"encoder", "graph", "exact", "path", "http_new", "http_kept", "degraded"}
    assert parts["degraded"] == 0
    assert parts["http_kept"]["kept_share"] == 1
    assert parts["http_new"]["processor_ms"]["web"] > 0
    assert (figures["together"]["new"]["kept_share"], figures["together"]["kept"]["kept_share"]) == (0, 1)
    assert figures["nearness"]["product_by_filter"]["everything"]["recall"] >= 0.97
    assert figures["room"]["graph_index_mb"] > 0
    assert figures["built"]["products"] == 100
    assert len(figures["goals"]) == 6


def test_a_missed_goal_is_told_with_its_ratio() -> None:
    part = {"p50_ms": 4.0, "p95_ms": 20.0}
    figures = {
        "one_by_one": {"encoder": part, "graph": part, "http_new": {"p50_ms": 24.0}, "path": part},
        "nearness": {"product_by_filter": {"everything": {"recall": 0.98}}},
    }
    told = [(goal.met, goal.ratio) for goal in goals(26_170, figures)]
    assert told == [(False, 1.5), (False, 2.0), (True, 1.01)]
    assert len(goals(200_000, figures)) == 2


@pytest.mark.parametrize("wrong", [["--products", "3"], ["--only-fill"], ["--keep", "x", "--database", "y"]])
def test_wrong_use_is_told(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(wrong)
    assert told.value.code == 2


def _words(db: Database) -> int:
    with db.transaction() as tx:
        row = tx.execute("SELECT count(*) FROM search_terms").fetchone()
    return row[0] if row else 0


def _postings(db: Database) -> list[tuple[str, str, float]]:
    with db.transaction() as tx:
        return tx.execute(
            """
            SELECT p.id, t.term, s.weight FROM search_postings s
              JOIN search_terms t ON t.id = s.term_id JOIN products p ON p.n = s.product_n
          ORDER BY p.id, t.term
            """
        ).fetchall()
