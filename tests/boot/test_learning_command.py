"""`backroom search-analytics` and `backroom learning`: how search does is seen and decided in a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boot.cli import app
from boot.commands.screen import out
from boot.services import Services
from boot.settings import Settings
from shop.search.learning.learning import NotProven
from tests.shop.search.made import products, stock
from tests.shop.search.test_learn import searched

Run = Callable[..., str]


@pytest.fixture(name="run")
def _run(settings_with: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command inside this process; raises what it refuses with."""
    settings = settings_with()
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("REDIS_URL", settings.redis_url.get_secret_value())
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_the_tests")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_of_the_tests")
    monkeypatch.setattr(out, "width", 200)

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    return run


def test_figures_of_searches_are_seen_in_a_terminal(services: Services, run: Run) -> None:
    searched(services.db, "sch_1", "sofa")
    searched(services.db, "sch_2", "unicorn", total=0)
    assert "2 searches, 1 without result" in run("search-analytics")
    told = json.loads(run("search-analytics", "--json"))
    assert (told["totals"]["searches"], told["without_result"][0]["row"]["query"]) == (2, "unicorn")
    run("search-analytics", "--from", "2026-02-02", "--to", "2026-02-01", code=2)
    assert "days counted" in run("learning", "sum-up")


def test_learning_is_judged_replayed_and_switched_in_a_terminal(services: Services, run: Run, tmp_path: Path) -> None:
    stock(services.db, products())
    assert json.loads(run("learning", "show", "--json"))["learning"]["state"] == "off"
    assert "trial since" in run("learning", "switch", "trial")
    with pytest.raises(NotProven):
        run("learning", "switch", "on")
    file = tmp_path / "judged.ndjson"
    file.write_text("".join(json.dumps({"query": f"sofa {n}", "gains": {"p000": 1}}) + "\n" for n in range(10)))
    assert "10 queries" in run("learning", "judge", str(file))
    assert "passed" in run("learning", "replay", "learned")
    replay_id = json.loads(run("learning", "replays", "--json"))[0]["id"]
    told = json.loads(run("learning", "report", replay_id, "--json"))
    assert (told["passed"], len(told["data"])) == (True, 10)
    file.write_text('{"query": "sofa 1", "gains": {}}\n{"query": "sofa 2", "gains": {}}\n')
    run("learning", "judge", str(file))
    assert "not passed" in run("learning", "replay", code=1)


def test_what_is_recommended_is_seen_with_its_reason(services: Services, run: Run) -> None:
    stock(services.db, products())
    assert json.loads(run("recommend", "person", "--json"))[0]["reason"] == "Popular right now"
    assert "nothing to recommend" in run("recommend", "product", "p001", "--relation", "also-viewed")
    assert "nothing to recommend" in run("recommend", "product", "p001", "--relation", "together")
    assert "Popular right now" in run("recommend", "product", "p001")
    assert "Popular right now" in run("recommend", "cart", "p001", "p002")
    assert json.loads(run("recommend", "learn", "--json"))["also"] == 0
