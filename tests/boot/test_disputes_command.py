"""`backroom disputes`: what banks ask is seen and answered in a terminal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boot.cli import app
from boot.commands.screen import out
from shop.errors import NotFound
from shop.payments.errors import DisputeClosed
from tests.shop.payments.shopkeeper import Shop, _shop  # noqa: F401 - a fixture
from tests.shop.payments.test_evidence import disputed_order

Run = Callable[..., str]


@pytest.fixture(name="run")
def _run(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command inside this process, with the shop's own variables; raises what it refuses with."""
    settings = shop.services.settings
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("REDIS_URL", settings.redis_url.get_secret_value())
    monkeypatch.setenv("STRIPE_SECRET_KEY", settings.stripe_secret_key.get_secret_value())
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_of_the_tests")
    monkeypatch.setenv("STRIPE_BASE_URL", shop.stripe.url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> str:
        with out.capture() as said:
            result = CliRunner().invoke(app, ["disputes", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return said.get()

    return run


def test_a_dispute_is_listed_shown_and_answered(shop: Shop, run: Run, tmp_path: Path) -> None:
    dispute_id = disputed_order(shop)
    listed = json.loads(run("list", "--due-within", "30", "--json"))
    assert [row["id"] for row in listed] == [dispute_id]
    assert "There is no such dispute." in run("list", "--status", "won")
    assert dispute_id in run("list")
    run("evidence", dispute_id, "--note", "Delivered.", "--out", "packet.pdf")
    assert (tmp_path / "packet.pdf").read_bytes().startswith(b"%PDF-")
    assert "A worker sends it now" in run("evidence", dispute_id, "--submit", "--out", "sent.pdf")
    shop.work()
    shown = run("show", dispute_id)
    assert "refunds are blocked" in shown
    assert "packet 2: submitted" in shown
    told = json.loads(run("show", dispute_id, "--json"))
    assert [packet["outcome"] for packet in told["packets"]] == ["submitted", None]
    with pytest.raises(DisputeClosed):
        run("evidence", dispute_id, "--submit")


def test_wrong_use_and_unknown_disputes_are_told_apart(run: Run) -> None:
    run("list", "--status", "lost_in_space", code=2)
    with pytest.raises(NotFound):
        run("show", "dsp_none")
