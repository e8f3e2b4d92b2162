"""Settings that would make the shop unsafe stop the start, with a sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from boot import settings_page
from boot.cli import app
from boot.settings import Settings, WrongSettings, read_settings
from tests.rules.source import ROOT

ENOUGH = {
    "DATABASE_URL": "postgresql://localhost/shop",
    "REDIS_URL": "redis://localhost",
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRETS": "whsec_1",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)


def test_a_shared_secret_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_JWT_SECRET", "secret")
    with pytest.raises(WrongSettings) as wrong:
        read_settings()
    assert str(wrong.value) == (
        "AUTH_JWT_SECRET is wrong: it must have at least 32 characters, because a shorter one can be guessed."
    )


def test_a_long_secret_or_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_JWT_SECRET", "s" * 32)
    assert read_settings().auth_jwt_secret.get_secret_value() == "s" * 32
    monkeypatch.delenv("AUTH_JWT_SECRET")
    assert read_settings().auth_jwt_secret.get_secret_value() == ""


@pytest.mark.parametrize("secrets", ["", " , "])
def test_without_a_webhook_secret_nothing_starts(monkeypatch: pytest.MonkeyPatch, secrets: str) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", secrets)
    with pytest.raises(WrongSettings, match="STRIPE_WEBHOOK_SECRETS"):
        read_settings()


def test_a_webhook_secret_may_have_a_name_but_no_two_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "summer-2026:whsec_1, whsec_2")
    assert len(read_settings().stripe_webhook_secrets) == 2
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "new:whsec_1,new:whsec_2")
    with pytest.raises(WrongSettings, match="two secrets have the same name") as wrong:
        read_settings()
    assert "whsec_1" not in str(wrong.value)


def test_addresses_of_webhooks_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().stripe_webhook_addresses == ()
    monkeypatch.setenv("STRIPE_WEBHOOK_ADDRESSES", "192.0.2.7, 2001:db8::/32")
    assert [str(network) for network in read_settings().stripe_webhook_addresses] == ["192.0.2.7/32", "2001:db8::/32"]
    monkeypatch.setenv("STRIPE_WEBHOOK_ADDRESSES", "stripe.com")
    with pytest.raises(WrongSettings, match="neither an address nor a network"):
        read_settings()


def test_every_setting_is_documented_as_it_is() -> None:
    """`backroom settings --write docs` mends it."""
    assert all(field.description for field in Settings.model_fields.values())
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page.page()


def test_every_chapter_of_the_settings_begins_with_a_setting_that_is_there() -> None:
    assert set(settings_page.CHAPTERS) <= set(Settings.model_fields)


def test_the_settings_can_be_read_and_written_without_a_shop(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["settings"])
    assert told.exit_code == 0
    assert "| `DATABASE_URL` | **needed** |" in told.output
    assert CliRunner().invoke(app, ["settings", "--write", str(tmp_path / "docs")]).exit_code == 0
    assert (tmp_path / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page.page()
